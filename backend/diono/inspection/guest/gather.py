"""Reads a workspace and prints it as one JSON object. Runs in the project's own sandbox, so what
it says is no more to be trusted than the files themselves. Standard library only.

Standard input: {"most_files", "most_bytes" (of all), "most_file_bytes", "skipped" (folders)}.
"""

import base64
import json
import os
import stat
import sys
from importlib import metadata
from typing import Any

PACKAGES = "/work/.packages"
MOST_LEFT_OUT = 30
MOST_INSTALLED = 200
MOST_SEEN = 20_000


def read(path: str, most: int) -> bytes | None:
    """Return the content of a plain file, or None; nothing is followed or waited for."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        handle = os.open(path, flags)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return None
        return file.read(most + 1)


def walk(order: dict[str, Any]) -> tuple[dict[str, bytes], list[list[str]]]:
    files: dict[str, bytes] = {}
    left_out: list[list[str]] = []
    total = seen = 0
    for folder, folders, names in os.walk(".", onerror=None, followlinks=False):
        skipped = sorted(set(folders) & set(order["skipped"]))
        left_out += [[os.path.join(folder, one), "folder"] for one in skipped]
        folders[:] = sorted(set(folders) - set(order["skipped"]))
        for name in sorted(names):
            seen += 1
            path = os.path.relpath(os.path.join(folder, name), ".")
            if len(files) >= order["most_files"] or seen > MOST_SEEN:
                left_out.append([path, "count"])
                return files, left_out
            content = read(path, order["most_file_bytes"])
            if content is None:
                left_out.append([path, "not plain"])
            elif len(content) > order["most_file_bytes"]:
                left_out.append([path, "size"])
            elif total + len(content) > order["most_bytes"]:
                left_out.append([path, "total"])
            else:
                total += len(content)
                files[path] = content
    return files, left_out


def text(value: str) -> str:
    return value.encode("utf-8", "replace").decode()[:400]


def installed() -> list[list[str]]:
    found: list[list[str]] = []
    for one in metadata.distributions(path=[PACKAGES]):
        facts: Any = one.metadata
        name = facts["Name"] or ""
        licence = facts["License-Expression"] or facts["License"] or ""
        classifiers = [c for c in facts.get_all("Classifier", []) if c.startswith("License ::")]
        if not licence or len(licence) > 60:
            licence = classifiers[0].split(" :: ")[-1] if classifiers else ""
        found.append([text(name), text(one.version or ""), text(licence)])
        if len(found) >= MOST_INSTALLED:
            break
    return found


def main() -> None:
    order = json.load(sys.stdin)
    files, left_out = walk(order)
    answer = {
        "files": [[text(path), base64.b64encode(data).decode()] for path, data in files.items()],
        "left_out": [[text(path), why] for path, why in left_out[:MOST_LEFT_OUT]],
        "left_out_count": len(left_out),
        "installed": installed(),
    }
    json.dump(answer, sys.stdout)


main()
