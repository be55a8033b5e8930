"""Hostile names, links, races and sizes against the file calls of a sandbox."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Awaitable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from adversarial.service.service_rig import Service, workspace_of
from adversarial.service.wire_tools import framed, guest_headers, stdout_of
from contract.sandbox_rigs import SMALL, python, run

from diono.kernel.errors import DionoError
from diono.sandbox.config import TENANT_ID
from diono.sandbox.errors import FileTooLarge, PathRefused, WorkspaceFull
from diono.sandbox.port import Sandbox

pytestmark = pytest.mark.engine

CANARY = "canary-8d1f"
REFUSED = {"PathRefused", "FileMissing", "FileTooLarge", "InvalidInput", "SandboxBusy"}
LEAVING = (
    *("/etc/passwd", "../canary", "a/../../canary", "..", "a/..", "\0", "a\0b", "a\\..\\b"),
    *("a\nb", "x" * 300, "a/" * 2500 + "b", "\ud800", "/", "//etc/passwd", "./../x"),
)


async def outcome_of(call: Awaitable[object]) -> str:
    try:
        await call
    except DionoError as error:
        return type(error).__name__
    return "done"


async def test_f01_paths_that_leave_or_deceive_are_refused(sandbox: Sandbox) -> None:
    for path in LEAVING:
        for attempt in (
            sandbox.read_file(path),
            sandbox.write_file(path, b"x"),
            sandbox.list_files(path),
            sandbox.remove(path),
        ):
            with pytest.raises(PathRefused):
                await attempt


async def test_f01_encoded_and_odd_names_are_only_names(sandbox: Sandbox) -> None:
    for name in ("%2e%2e%2fcanary", "..%2f", "\u2024\u2024", "\uff45tc", "...", "-rf", " ", "~"):
        await sandbox.write_file(name, b"x")
        assert await sandbox.read_file(name) == b"x"
        await sandbox.remove(name)
    assert await sandbox.list_files() == []


@pytest.fixture
def canary() -> Iterator[Path]:
    """A folder of the host, outside all state folders, that no sandbox may reach."""
    folder = Path(tempfile.mkdtemp(prefix="diono-canary-"))
    (folder / "secret").write_text(CANARY)
    yield folder
    assert (folder / "secret").read_text() == CANARY
    assert [each.name for each in folder.iterdir()] == ["secret"]
    shutil.rmtree(folder)


async def test_f03_links_lead_to_nothing_of_the_host(sandbox: Sandbox, canary: Path) -> None:
    """Links are followed as the tenant, inside its own container: never by or into the host."""
    await sandbox.write_file("real/inside.txt", b"inside")
    made = await run(
        sandbox, "sh", "-c",
        f"ln -s {canary}/secret c; ln -s {canary} cd; ln -s /proc/1/environ e; ln -s /proc/1/mem m;"
        "ln -s /proc/1/maps a; ln -s /proc/self/maps b;"
        f"ln -s /proc/1/root{canary}/secret r; ln -s /dev/zero z; ln -s /dev/loop0 l; mkfifo f;"
        "python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"s\")'; ln -s o o",
    )  # fmt: skip
    assert made.is_success, made.stderr
    async with asyncio.timeout(20):
        for name in ("c", "cd/secret", "e", "m", "a", "b", "r", "z", "l", "f", "s", "o"):
            assert await outcome_of(sandbox.read_file(name)) in REFUSED, name
        for name in ("cd/new", "r/new", "o/new", "e/new"):
            assert await outcome_of(sandbox.write_file(name, b"x")) in REFUSED, name
        for name in ("c", "cd", "e", "f", "s", "z"):
            assert await outcome_of(sandbox.list_files(name, depth=1)) in REFUSED, name
        listed = {entry.path for entry in await sandbox.list_files()}
        assert {"real", "real/inside.txt"} <= listed
        await sandbox.write_file("c", b"replaced the link, not its target")
        for name in ("c", "cd", "e", "m", "r", "z", "l", "f", "s", "o"):
            await sandbox.remove(name)
    assert await sandbox.read_file("real/inside.txt") == b"inside"


async def test_f03_very_deep_folders_are_listed_and_removed(sandbox: Sandbox) -> None:
    code = "import os\nfor i in range(3000):\n  os.mkdir('d'); os.chdir('d')"
    assert (await python(sandbox, code)).is_success
    assert len(await sandbox.list_files(depth=8)) == 8
    await sandbox.remove("d")
    assert await sandbox.list_files() == []


async def test_f06_a_huge_sparse_file_is_not_read(sandbox: Sandbox) -> None:
    capped = await python(sandbox, "open('s', 'wb').truncate(20 * 2**30)")
    assert not capped.is_success
    assert (await python(sandbox, "open('s', 'wb').truncate(200 * 2**20)")).is_success
    with pytest.raises(FileTooLarge):
        await sandbox.read_file("s")


SWAPPER = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
os.makedirs("race/real", exist_ok=True)
for name in ("race/real/secret", "race/plain"):
    open(name, "w").write("inside")
os.symlink(sys.argv[1], "race/link")
os.symlink("/proc/1/maps", "race/maps")
print("swapping", flush=True)
while True:
    libc.renameat2(-100, b"race/real", -100, b"race/link", 2)
    libc.renameat2(-100, b"race/plain", -100, b"race/maps", 2)
"""


@pytest.mark.slow
@pytest.mark.parametrize("raced", [4000, pytest.param(20_000, marks=pytest.mark.nightly)])
async def test_f02_raced_file_operations_leak_nothing(
    sandbox: Sandbox, canary: Path, raced: int
) -> None:
    """A renameat2 loop swaps plain files for links to the host's files and the guest's memory."""
    swapping = asyncio.create_task(run(sandbox, "python3", "-c", SWAPPER, str(canary), seconds=280))
    seen: dict[str, int] = {}
    gate = asyncio.Semaphore(16)
    paths = ("race/real/secret", "race/plain", "race/link/secret", "race/maps")

    async def once(number: int) -> None:
        path = paths[number % len(paths)]
        async with gate:
            try:
                if number % 7 == 6:
                    await sandbox.write_file(f"race/real/new{number % 50}", b"inside")
                    outcome = "written"
                elif number % 7 == 5:
                    await sandbox.list_files("race/link", depth=1)
                    outcome = "listed"
                else:
                    outcome = (await sandbox.read_file(path)).decode(errors="replace")[:40]
            except DionoError as error:
                outcome = type(error).__name__
        seen[outcome] = seen.get(outcome, 0) + 1

    for start in range(0, raced, 1000):
        await asyncio.gather(*(once(number) for number in range(start, start + 1000)))
    swapping.cancel()
    await asyncio.gather(swapping, return_exceptions=True)
    assert sum(seen.values()) == raced
    assert set(seen) - REFUSED <= {"inside", "written", "listed"}, seen
    assert seen.get("inside", 0) > 0


async def test_f03_hard_links_to_other_peoples_files_cannot_be_made(sandbox: Sandbox) -> None:
    for target in ("/etc/passwd", "/opt/diono/guest/main.py", "/proc/1/environ", "/dev/null"):
        linked = await python(sandbox, f"import os; os.link({target!r}, 'hard')")
        assert not linked.is_success
    node = await python(sandbox, "import os; os.mknod('node', 0o60666, os.makedev(7, 0))")
    assert "PermissionError" in node.stderr


async def test_f06_an_upload_larger_than_the_disk_is_refused(
    sandbox: Sandbox, service: Service
) -> None:
    """Memory of the service stays flat: the body goes through, not into it."""
    process = psutil.Process(service.process.pid)
    before = process.memory_info().rss
    with pytest.raises((WorkspaceFull, FileTooLarge)):
        await sandbox.write_file("big", b"x" * 120_000_000)
    assert process.memory_info().rss - before < 60 * 2**20
    assert {entry.path for entry in await sandbox.list_files()} == set()
    await sandbox.write_file("small", b"x")


async def test_f08_a_reader_never_sees_half_a_file(sandbox: Sandbox) -> None:
    """Two writers take turns without asking; each version is one letter over and over."""
    is_over = asyncio.Event()
    seen: set[bytes] = set()

    async def write(letter: bytes) -> None:
        for _ in range(60):
            await sandbox.write_file("shared", letter * 300_000)

    async def read() -> None:
        while not is_over.is_set():
            content = await sandbox.read_file("shared")
            assert len(content) == 300_000
            assert len(set(content)) == 1
            seen.add(content[:1])

    await sandbox.write_file("shared", b"a" * 300_000)
    readers = [asyncio.create_task(read()) for _ in range(3)]
    await asyncio.gather(write(b"a"), write(b"b"))
    is_over.set()
    await asyncio.gather(*readers)
    assert seen == {b"a", b"b"}
    assert {entry.path for entry in await sandbox.list_files()} == {"shared"}


async def test_f09_a_restored_snapshot_has_plain_files_of_the_tenant(
    sandbox: Sandbox, service: Service
) -> None:
    """What root planted in the workspace before a snapshot has no power after it either."""
    place = await workspace_of(service, sandbox)
    shutil.copyfile("/usr/bin/id", place / "planted")
    os.chmod(place / "planted", 0o4755)
    os.mknod(place / "disk", 0o60666, os.makedev(7, 0))
    os.symlink("/etc/shadow", place / "link")
    await sandbox.write_file("kept.txt", b"kept")
    async with httpx.AsyncClient(
        base_url=service.url, headers={"X-API-KEY": service.key, "Diono-Owner": "owner"}, timeout=60
    ) as http:
        taken = await http.post(f"/sandboxes/{sandbox.sandbox_id}/snapshots", json={})
        assert taken.status_code < 300, taken.text
        snapshot = taken.json()["snapshotID"]
        made = await http.post("/v2/sandboxes", json={"templateID": snapshot, "timeout": 60})
        assert made.status_code == 201, made.text
        restored = made.json()
        checks = "cat kept.txt; ./planted -u; id -u; cat disk; echo x > disk; cat link"
        script = f"cd /work; {checks}"
        answer = await http.post(
            "/process.Process/Start",
            content=framed({"process": {"cmd": "sh", "args": ["-c", script]}, "stdin": False}),
            headers=guest_headers(restored),
        )
        output = stdout_of(answer.content)
        assert output == f"kept{TENANT_ID}\n{TENANT_ID}\n"
        await http.delete(f"/sandboxes/{restored['sandboxID']}")
        await http.delete(f"/templates/{snapshot}")


async def test_f10_fifty_uploads_over_the_quota_leave_no_half_file(
    sandbox: Sandbox, service: Service
) -> None:
    async def upload(number: int) -> bool:
        try:
            await sandbox.write_file(f"f{number}", bytes([number]) * 2_000_000)
        except WorkspaceFull:
            return False
        return True

    done = await asyncio.gather(*(upload(number) for number in range(50)))
    assert 0 < sum(done) < 50
    entries = {entry.path: entry.size for entry in await sandbox.list_files()}
    assert set(entries.values()) == {2_000_000}
    assert set(entries) == {f"f{number}" for number, is_done in enumerate(done) if is_done}
    hidden = await run(sandbox, "sh", "-c", "ls -A /work | grep -vc '^f'")
    assert hidden.stdout.strip() in ("0", "1")  # lost+found or nothing: no drafts
    disk = os.statvfs(await workspace_of(service, sandbox))
    assert disk.f_blocks * disk.f_frsize <= SMALL.disk_mb * 2**20
