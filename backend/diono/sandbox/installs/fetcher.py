"""The fetching step. Runs alone in a container of ours, behind the egress proxy; never as part of
the service. Standard library only.

It takes one JSON line (the plan, with places) from a socket, runs pip or npm so that no code of a
package ever runs, moves what it got into the cache in one rename each, and answers with a line.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

JOB_SOCKET = "/run/diono-egress/job.sock"
CACHE = "/cache"
NPM_CACHE = "/npm-cache"
CA_FILE = "/etc/diono-ca.pem"
PROXY = "http://127.0.0.1:3128"

_OUTPUT_LIMIT = 8_000
_LOOKUP_SECONDS = 4.0
_PIP_INDEX = "https://pypi.org/simple"
_NPM_REGISTRY = "https://registry.npmjs.org"
_LOCK_REFUSED = "npm help ci"
_PIP = (
    *("python3", "-I", "-m", "pip", "--isolated", "download", "--no-input", "--no-cache-dir"),
    *("--only-binary", ":all:", "--disable-pip-version-check", "--progress-bar", "off"),
    *("--timeout", "20", "--retries", "1", "--proxy", PROXY),
)
_NPM = (
    *("--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--prefer-offline"),
    *("--loglevel", "error", "--cache", NPM_CACHE, "--install-strategy", "hoisted"),
)


def _run(argv: list[str], folder: str) -> dict[str, Any]:
    env = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": folder,
        "TMPDIR": folder,
        "LANG": "C.UTF-8",
        "HTTP_PROXY": PROXY,
        "HTTPS_PROXY": PROXY,
        "NO_PROXY": "",
    }
    if os.path.exists(CA_FILE):
        env["SSL_CERT_FILE"] = env["NODE_EXTRA_CA_CERTS"] = CA_FILE
    done = subprocess.run(
        argv,
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    text = done.stdout[-_OUTPUT_LIMIT:].decode("utf-8", "replace")
    return {"is_ready": done.returncode == 0, "output": text}


def _wheels(order: dict[str, Any], staging: str) -> dict[str, Any]:
    wheels = f"{CACHE}/wheels"
    os.makedirs(wheels, exist_ok=True)
    got = f"{staging}/got"
    os.mkdir(got)
    options = ["--find-links", wheels, "--dest", got]
    if os.path.exists(CA_FILE):
        options += ["--cert", CA_FILE]
    if order["index_url"]:
        options += ["--index-url", order["index_url"]]
    if order["python"]:
        options += ["--python-version", order["python"], "--implementation", "cp"]
    result = _run([*_PIP, *options, "--", *order["packages"]], staging)
    if result["is_ready"]:
        for name in os.listdir(got):
            os.replace(f"{got}/{name}", f"{wheels}/{name}")
    return result


def _modules(order: dict[str, Any], staging: str) -> dict[str, Any]:
    project = f"{staging}/project"
    os.mkdir(project)
    for name, text in order["files"].items():
        with open(f"{project}/{name}", "w", encoding="utf-8") as file:
            file.write(text)
    is_locked = "package-lock.json" in order["files"] and not order["packages"]
    verb = "ci" if is_locked else "install"
    result = _run(["npm", verb, *_NPM, "--", *order["packages"]], project)
    if not result["is_ready"] and is_locked and _LOCK_REFUSED in result["output"]:
        # npm's own locks may lack packages of other platforms, which `ci` does not forgive.
        result = _run(["npm", "install", *_NPM], project)
    if not result["is_ready"]:
        return result
    os.makedirs(f"{CACHE}/npm", exist_ok=True)
    # The project's own package.json may say more than what we were given; it stays as it is
    # unless packages were added.
    parts = ["package-lock.json"]
    parts += ["package.json"] if order["packages"] and not order["files"] else []
    parts += ["node_modules"] if os.path.isdir(f"{project}/node_modules") else []
    packed = _run(["tar", "-cf", f"{staging}/packed.tar", *parts], project)
    if not packed["is_ready"]:  # larger than a file may be here
        squeezed = ["--use-compress-program=gzip -1", "-cf", f"{staging}/packed.tar"]
        packed = _run(["tar", *squeezed, *parts], project)
    if packed["is_ready"]:
        os.replace(f"{staging}/packed.tar", f"{CACHE}/npm/{order['key']}.tar")
    with open(f"{project}/package.json", encoding="utf-8") as file:
        dependencies = json.load(file).get("dependencies", {})
    output = result["output"] + packed["output"]
    return {**packed, "output": output, "dependencies": dependencies}


def _address(order: dict[str, Any], name: str) -> str:
    if order["manager"] == "npm":
        return f"{_NPM_REGISTRY}/{urllib.parse.quote(name, safe='@')}"
    index = (order["index_url"] or _PIP_INDEX).rstrip("/")
    return f"{index}/{re.sub(r'[-_.]+', '-', name).lower()}/"


def _lookup(order: dict[str, Any]) -> dict[str, Any]:
    """Ask for each name's page, not for its content."""
    context = ssl.create_default_context(cafile=CA_FILE if os.path.exists(CA_FILE) else None)
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({"http": PROXY, "https": PROXY}),
        urllib.request.HTTPSHandler(context=context),
    )

    def is_known(name: str) -> bool | None:
        try:
            with opener.open(_address(order, name), timeout=_LOOKUP_SECONDS):
                return True
        except urllib.error.HTTPError as error:
            error.close()
            return False if error.code in (404, 410) else None
        except (OSError, ValueError):
            return None

    with ThreadPoolExecutor(4) as threads:
        asked = order["packages"]
        answers = dict(zip(asked, threads.map(is_known, asked), strict=True))
    known = {name: answer for name, answer in answers.items() if answer is not None}
    # Only a whole answer is worth keeping.
    return {"is_ready": len(known) == len(answers), "known": known}


def _fetch(order: dict[str, Any]) -> dict[str, Any]:
    if order["is_lookup"]:
        return _lookup(order)
    staging = f"{CACHE}/.staging/{order['key']}"
    shutil.rmtree(staging, ignore_errors=True)
    os.makedirs(staging)
    try:
        return (_modules if order["manager"] == "npm" else _wheels)(order, staging)
    except (OSError, KeyError, ValueError) as error:
        return {"is_ready": False, "output": f"the fetching step failed: {error}"}
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def main() -> None:
    sys.path.insert(0, os.path.dirname(__file__))
    importlib.import_module("egress").start_relay()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as job:
        job.connect(JOB_SOCKET)
        with job.makefile("rwb") as lines:
            result = _fetch(json.loads(lines.readline()))
            lines.write(json.dumps(result).encode() + b"\n")
            lines.flush()


if __name__ == "__main__":
    main()
