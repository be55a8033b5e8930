"""Files, folders, and the attacks on them, over raw HTTP."""

import gzip
import json
import os
import socket
from pathlib import Path
from urllib.parse import quote

from integration.sandbox_guest.rig import Guest

FS = "filesystem.Filesystem/"


def test_an_upload_is_whole_and_comes_back(guest: Guest) -> None:
    content = os.urandom(3_000_000)
    headers = {"Content-Type": "application/octet-stream", "X-Metadata-Kind": "test"}
    status, body = guest.request("POST", "/files?path=a/b/c.bin", content, headers)
    assert status == 200
    (written,) = json.loads(body)
    assert written["path"] == f"{guest.home}/a/b/c.bin"
    assert written["type"] == "file"
    assert guest.request("GET", "/files?path=a/b/c.bin") == (200, content)
    _, packed = guest.request("GET", "/files?path=a/b/c.bin", None, {"Accept-Encoding": "gzip"})
    assert gzip.decompress(packed) == content
    assert guest.request("GET", "/files?path=a/b/c.bin", None, {"Range": "bytes=5-9"}) == (
        206,
        content[5:10],
    )
    assert os.listdir(guest.home / "a" / "b") == ["c.bin"]


def test_packed_and_chunked_uploads(guest: Guest) -> None:
    parts = iter([gzip.compress(b"hello "), gzip.compress(b"world")])
    headers = {"Content-Encoding": "gzip", "Transfer-Encoding": "chunked"}
    connection = guest.connection()
    connection.request("POST", "/files?path=x", parts, headers, encode_chunked=True)
    response = connection.getresponse()
    assert (response.status, len(json.loads(response.read()))) == (200, 1)
    connection.close()
    assert (guest.home / "x").read_bytes() == b"hello world"
    bad = guest.request("POST", "/files?path=y", b"no gzip", {"Content-Encoding": "gzip"})
    assert bad[0] == 400
    assert not (guest.home / "y").exists()


def test_a_replaced_file_keeps_its_mode_and_its_link(guest: Guest) -> None:
    target = guest.home / "run.sh"
    target.write_text("old")
    target.chmod(0o755)
    (guest.home / "link").symlink_to("run.sh")
    assert guest.request("POST", "/files?path=link", b"new")[0] == 200
    assert target.read_text() == "new"
    assert target.stat().st_mode & 0o777 == 0o755
    assert (guest.home / "link").is_symlink()


def test_nothing_special_is_opened(guest: Guest) -> None:
    os.mkfifo(guest.home / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(guest.home / "sock"))
        for path in ("fifo", "sock", "/dev/zero", "/dev/tty", ".", "/"):
            assert guest.request("GET", f"/files?path={quote(path)}")[0] == 400, path
            assert guest.request("POST", f"/files?path={quote(path)}", b"x")[0] == 400, path
    (guest.home / "one").symlink_to("two")
    (guest.home / "two").symlink_to("one")
    assert guest.request("GET", "/files?path=one")[0] in (400, 404)
    assert guest.request("POST", "/files?path=one", b"x")[0] == 400
    assert guest.call(FS + "Stat", {"path": "one"})[0] == 200


def test_bad_paths_have_plain_answers(guest: Guest) -> None:
    assert guest.request("GET", "/files?path=a%00b")[0] == 400
    assert guest.request("GET", "/files?path=" + "a" * 5000)[0] == 400
    assert guest.request("GET", "/files?path=missing")[0] == 404
    assert guest.request("GET", "/files?path=x&username=nobody-here")[0] == 401
    assert guest.request("GET", "/proc/self/environ")[0] == 404
    assert guest.request("DELETE", "/files")[0] == 405
    for message in ({"path": 7}, {"path": "a\0b"}, [], "x"):
        for method in ("Stat", "ListDir", "MakeDir", "Remove", "Move", "CreateWatcher"):
            assert 400 <= guest.call(FS + method, message)[0] < 500, (method, message)


def test_stat_and_list_describe(guest: Guest) -> None:
    (guest.home / "d" / "e").mkdir(parents=True)
    (guest.home / "d" / "e" / "f.txt").write_text("four")
    (guest.home / "d" / "up").symlink_to("e")
    entry = guest.call(FS + "Stat", {"path": "d/e/f.txt"})[1]["entry"]
    assert (entry["type"], entry["size"], entry["permissions"]) == (
        "FILE_TYPE_FILE",
        "4",
        "-rw-r--r--",
    )
    link = guest.call(FS + "Stat", {"path": "d/up"})[1]["entry"]
    assert link["symlinkTarget"] == f"{guest.home}/d/e"
    assert link["type"] == "FILE_TYPE_DIRECTORY"

    def names(depth: int) -> list[str]:
        listing = guest.call(FS + "ListDir", {"path": "d", "depth": depth})[1]["entries"]
        return [entry["name"] for entry in listing]

    assert names(1) == ["e", "up"]
    assert names(5) == ["e", "up", "f.txt"]
    assert guest.call(FS + "ListDir", {"path": "d/e/f.txt"})[0] == 400
    assert guest.call(FS + "ListDir", {"path": "none"})[1]["code"] == "not_found"


def test_make_move_and_remove(guest: Guest) -> None:
    assert guest.call(FS + "MakeDir", {"path": "a/b"})[0] == 200
    assert guest.call(FS + "MakeDir", {"path": "a/b"})[1]["code"] == "already_exists"
    (guest.home / "a" / "f").write_text("")
    assert guest.call(FS + "MakeDir", {"path": "a/f"})[1]["code"] == "invalid_argument"
    moved = guest.call(FS + "Move", {"source": "a/f", "destination": "new/place/f"})[1]
    assert moved["entry"]["path"] == f"{guest.home}/new/place/f"
    missing = guest.call(FS + "Move", {"source": "a/f", "destination": "x"})[1]
    assert missing["code"] == "not_found"
    assert guest.call(FS + "Remove", {"path": "a"})[0] == 200
    assert guest.call(FS + "Remove", {"path": "a"})[0] == 200
    assert not (guest.home / "a").exists()


def test_a_very_deep_tree_is_listed_and_removed(guest: Guest) -> None:
    descriptor = os.open(guest.home, os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("d", dir_fd=descriptor)
        following = os.open("d", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = following
    os.close(descriptor)
    status, listing = guest.call(FS + "ListDir", {"path": ".", "depth": 5000})
    assert status == 200
    assert len(listing["entries"]) > 500
    assert guest.call(FS + "Remove", {"path": "d"})[0] == 200
    assert not (guest.home / "d").exists()
    assert guest.call(FS + "MakeDir", {"path": "x/" * 2500})[0] == 400


def test_watchers_tell_of_uploads_as_writes(guest: Guest) -> None:
    (guest.home / "w").mkdir()
    guest.request("POST", "/files?path=w/a.txt", b"1")
    asked = {"path": "w", "recursive": True, "includeEntry": True}
    watcher = guest.call(FS + "CreateWatcher", asked)[1]
    guest.request("POST", "/files?path=w/a.txt", b"2")
    (guest.home / "w" / "sub").mkdir()
    events = guest.call(FS + "GetWatcherEvents", watcher)[1]["events"]
    guest.request("POST", "/files?path=w/sub/b.txt", b"3")
    events += guest.call(FS + "GetWatcherEvents", watcher)[1]["events"]
    seen = [(event["name"], event["type"].removeprefix("EVENT_TYPE_")) for event in events]
    assert seen[0] == ("a.txt", "WRITE")
    assert ("sub", "CREATE") in seen
    assert ("sub/b.txt", "WRITE") in seen
    assert not any("diono-upload" in name for name, _ in seen)
    assert guest.call(FS + "RemoveWatcher", watcher)[0] == 200
    assert guest.call(FS + "RemoveWatcher", watcher)[1]["code"] == "not_found"


def test_unreadable_names_do_not_break_a_listing(guest: Guest) -> None:
    Path(os.fsdecode(os.fsencode(guest.home) + b"/\xff\xfe\n")).write_text("")
    status, listing = guest.call(FS + "ListDir", {"path": "."})
    assert status == 200
    assert len(listing["entries"]) == 1
