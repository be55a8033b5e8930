"""The program that unpacks archives in a sandbox, against archives that are none to trust."""

import io
import json
import os
import stat
import struct
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from diono.features.library.service import importing

PROGRAM = Path(importing.__file__).with_name("unpacker.py").read_bytes()
SECONDS = 10.0


def unpack(folder: Path, archive: bytes, kind: str = "archive", most: int = 5_000_000) -> Any:
    """Run the program as the sandbox does, and see that nothing came beside its folder."""
    (folder / "secret").write_text("canary")
    (folder / "box").mkdir()
    (folder / "box" / "archive").write_bytes(archive)
    argv = [sys.executable, "-I", "-", kind, "archive", "tree", "1000", str(most)]
    done = subprocess.run(
        argv, input=PROGRAM, cwd=folder / "box", capture_output=True, timeout=SECONDS, check=True
    )
    assert (folder / "secret").read_text() == "canary"
    assert sorted(os.listdir(folder)) == ["box", "secret"]
    assert set(os.listdir(folder / "box")) <= {"archive", "tree"}
    return json.loads(done.stdout.splitlines()[-1])


def zipped(files: Mapping[str, bytes], **more: Any) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, **more) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def tarred(*members: tuple[str, bytes, Mapping[str, Any]], mode: str = "w:gz") -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content, attributes in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for key, value in attributes.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(content))
    return target.getvalue()


def test_an_honest_zip_comes_whole(tmp_path: Path) -> None:
    told = unpack(tmp_path, zipped({"app/main.py": b"print(1)", "app/lib/x.txt": b"x"}))
    assert told == {"files": 2, "skipped": 0, "top": "tree/app"}
    assert (tmp_path / "box/tree/app/main.py").read_bytes() == b"print(1)"


def test_an_honest_tar_comes_whole(tmp_path: Path) -> None:
    archive = tarred(("a.sh", b"#!/bin/sh", {"mode": 0o755}), ("b/c.txt", b"c", {}))
    assert unpack(tmp_path, archive)["files"] == 2
    assert stat.S_IMODE((tmp_path / "box/tree/a.sh").stat().st_mode) == 0o755


@pytest.mark.parametrize(
    "name",
    [
        "../up.txt", "a/../../up.txt", "/etc/up.txt", "C:/up.txt", "..\\up.txt", "\\\\host\\up",
        "a/..\\..\\up.txt", "x/../y", "a\u202eb.txt", "a\nb.txt",
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", ["zip", "tar"])
def test_paths_out_of_the_folder_refuse_the_archive(tmp_path: Path, name: str, form: str) -> None:
    """A02."""
    archive = zipped({"ok.txt": b"x", name: b"up"})
    if form == "tar":
        archive = tarred(("ok.txt", b"x", {}), (name, b"up", {}))
    assert unpack(tmp_path, archive)["error"] == "archive_refused"
    assert os.listdir(tmp_path / "box/tree") == []


def test_paths_out_of_the_folder_refuse_a_tar(tmp_path: Path) -> None:
    archive = tarred(("ok.txt", b"x", {}), ("../up.txt", b"up", {}))
    assert unpack(tmp_path, archive)["error"] == "archive_refused"


def symlinked() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
        archive.writestr("link/file", "x")
    return target.getvalue()


def overlapping() -> bytes:
    """Many names for one piece of data, as in a bomb that needs no nesting."""
    content = zipped({f"{number:03}": b"a" * 100_000 for number in range(50)})
    end = content.rindex(b"PK\x05\x06")
    start = struct.unpack("<I", content[end + 16 : end + 20])[0]
    entries = bytearray(content[start:end])
    position = 0
    while (position := entries.find(b"PK\x01\x02", position)) >= 0:
        entries[position + 42 : position + 46] = struct.pack("<I", 0)
        position += 4
    return content[:start] + bytes(entries) + content[end:]


def repeated() -> bytes:
    return zipped({"same1": b"1", "same2": b"2"}).replace(b"same2", b"same1")


def lying() -> bytes:
    """Says that it unfolds to little."""
    content = bytearray(zipped({"big": b"\x00" * 20_000_000}))
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        position = content.find(mark)
        content[position + offset : position + offset + 4] = struct.pack("<I", 10)
    return bytes(content)


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (symlinked, "archive_refused"),
        (overlapping, "archive_refused"),
        (repeated, "archive_refused"),
        (lying, "archive_refused"),
        (lambda: zipped({"a": b"1", "a/b": b"2"}), "archive_refused"),
        (lambda: zipped({"bomb": b"\x00" * 50_000_000}), "archive_too_large"),
        (lambda: zipped({str(number): b"" for number in range(1_001)}), "archive_too_large"),
        (lambda: tarred(("bomb", b"\x00" * 50_000_000, {})), "archive_too_large"),
        (lambda: tarred(("l", b"", {"type": tarfile.SYMTYPE, "linkname": "/etc"})),
         "archive_refused"),
        (lambda: tarred(("l", b"", {"type": tarfile.LNKTYPE, "linkname": "../secret"})),
         "archive_refused"),
        (lambda: tarred(("d", b"", {"type": tarfile.CHRTYPE})), "archive_refused"),
        (lambda: tarred(("f", b"", {"type": tarfile.FIFOTYPE})), "archive_refused"),
        (lambda: b"neither", "archive_refused"),
        (lambda: b"", "archive_refused"),
        (lambda: zipped({"a": b"x" * 1_000})[:-30], "archive_refused"),
        (lambda: tarred(("a", os.urandom(100_000), {}))[:50_000], "archive_refused"),
        (lambda: zipped({}), "archive_refused"),
        (lambda: zipped({".git/config": b"[core]"}), "archive_refused"),
    ],
)  # fmt: skip
def test_a_hostile_archive_is_refused_in_time(
    tmp_path: Path, make: Callable[[], bytes], error: str
) -> None:
    """A01, A02."""
    assert unpack(tmp_path, make())["error"] == error


def test_archives_inside_stay_archives(tmp_path: Path) -> None:
    content = b"x" * 1_000
    for _ in range(5):
        content = zipped({"inner.zip": content})
    assert unpack(tmp_path, content)["files"] == 1
    assert os.listdir(tmp_path / "box/tree") == ["inner.zip"]


def test_the_settings_of_another_repository_are_left_out(tmp_path: Path) -> None:
    files = {"a.txt": b"a", ".git/hooks/post-commit": b"evil", "sub/.GIT/config": b"evil"}
    assert unpack(tmp_path, zipped(files)) == {"files": 1, "skipped": 2, "top": "tree"}


def test_links_of_a_repository_are_left_out(tmp_path: Path) -> None:
    link = ("l", b"", {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"})
    told = unpack(tmp_path, tarred(("src/a.py", b"a", {}), link, mode="w"), kind="git")
    assert told == {"files": 1, "skipped": 1, "top": "tree"}
    assert not (tmp_path / "box/tree/l").is_symlink()
