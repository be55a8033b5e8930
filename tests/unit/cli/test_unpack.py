"""An exported archive may hold plain files only, and touches nothing but its own folder."""

import io
import stat
import zipfile
from pathlib import Path

import pytest

from diono.cli.unpack import ArchiveRefused, FolderNotEmpty, unpack


def _archive(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as bundle:
        for name, content in members:
            bundle.writestr(name, content)
    return buffer.getvalue()


def _entry(name: str, mode: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.create_system = 3
    entry.external_attr = mode << 16
    return entry


def test_plain_files_are_written(tmp_path: Path) -> None:
    archive = _archive(("main.py", b"print(1)\n"), ("pkg/", b""), ("pkg/data.txt", b"x"))
    written = unpack(archive, tmp_path / "out")
    assert [file.relative_to(tmp_path / "out").as_posix() for file in written] == [
        "main.py",
        "pkg/data.txt",
    ]
    assert (tmp_path / "out" / "main.py").read_bytes() == b"print(1)\n"


def test_the_executable_bit_is_kept_and_no_other(tmp_path: Path) -> None:
    archive = _archive((_entry("run.sh", stat.S_IFREG | 0o4777), b"#!/bin/sh\n"))
    unpack(archive, tmp_path)
    assert stat.S_IMODE((tmp_path / "run.sh").stat().st_mode) == 0o755


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "a/../../evil",
        "/etc/evil",
        "C:/evil",
        "a\\..\\evil",
        "new\nline",
        ".git/hooks/post-checkout",
    ],
)
def test_names_that_lead_outside_are_refused_before_a_byte_is_written(
    tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "deep" / "out"
    with pytest.raises(ArchiveRefused):
        unpack(_archive(("fine.txt", b"x"), (name, b"evil")), folder)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(tmp_path: Path, kind: int) -> None:
    with pytest.raises(ArchiveRefused):
        unpack(_archive((_entry("link", kind | 0o777), b"/etc/passwd")), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FolderNotEmpty):
        unpack(_archive(("mine.txt", b"theirs")), tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    first, second = _entry("a.txt", stat.S_IFREG | 0o644), _entry("A.txt", stat.S_IFREG | 0o644)
    archive = _archive((first, b"1"), (second, b"2")).replace(b"A.txt", b"a.txt")
    with pytest.raises(ArchiveRefused):
        unpack(archive, tmp_path / "out")


def test_rubbish_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArchiveRefused, match="damaged"):
        unpack(b"not a zip", tmp_path / "out")
