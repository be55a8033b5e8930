"""Hostile code that reaches out: for privileges, the kernel, the network, the service."""

import asyncio
import contextlib
import json
import os
import shutil
import socket
from collections.abc import Awaitable
from pathlib import Path

import docker
import psutil
import pytest
from adversarial.service.service_rig import Service, workspace_of
from contract.sandbox_rigs import python, run, spec
from docker.models.containers import Container

from diono.kernel.errors import DionoError
from diono.sandbox.config import TENANT_ID
from diono.sandbox.engine.profile import seccomp_text
from diono.sandbox.port import ExecRequest, ExecResult, Sandbox, Sandboxes

pytestmark = pytest.mark.engine

# Numbers of x86-64. All must answer EPERM (1), clone3 ENOSYS (38) so that libc falls back.
REFUSED_SYSCALLS = {
    "ptrace": 101, "syslog": 103, "modify_ldt": 154, "pivot_root": 155, "chroot": 161,
    "acct": 163, "settimeofday": 164, "mount": 165, "umount2": 166, "swapon": 167,
    "reboot": 169, "iopl": 172, "ioperm": 173, "init_module": 175, "quotactl": 179,
    "clock_settime": 227, "mbind": 237, "set_mempolicy": 238, "kexec_load": 246,
    "add_key": 248, "request_key": 249, "keyctl": 250, "unshare": 272, "vmsplice": 278,
    "move_pages": 279, "perf_event_open": 298, "fanotify_init": 300, "name_to_handle_at": 303,
    "open_by_handle_at": 304, "clock_adjtime": 305, "setns": 308, "process_vm_readv": 310,
    "process_vm_writev": 311, "kcmp": 312, "finit_module": 313, "bpf": 321, "userfaultfd": 323,
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428,
    "move_mount": 429, "fsopen": 430, "fsmount": 432, "pidfd_getfd": 438, "mount_setattr": 442,
    "memfd_secret": 447,
}  # fmt: skip
SWEEP = """
import ctypes, json, sys
libc = ctypes.CDLL(None, use_errno=True)
answers = {}
for name, number in json.load(sys.stdin).items():
    ctypes.set_errno(0)
    result = libc.syscall(number, 0, 0, 0, 0, 0, 0)
    answers[name] = ctypes.get_errno() if result == -1 else f"returned {result}"
ctypes.set_errno(0)
result = libc.syscall(56, 0x10000000 | 17, 0, 0, 0, 0)
answers["clone(CLONE_NEWUSER)"] = ctypes.get_errno() if result == -1 else "returned"
ctypes.set_errno(0)
answers["clone3"] = (libc.syscall(435, 0, 0), ctypes.get_errno())[1]
import socket
for family in (3, 4, 9, 15, 17, 21, 29, 30, 31, 38, 40, 44):
    try:
        socket.socket(family, 2).close()
        answers[f"family {family}"] = "opened"
    except OSError as error:
        answers[f"family {family}"] = error.errno
for family, kind in ((2, 3), (10, 3)):
    try:
        socket.socket(family, kind, 1).close()
        answers[f"raw {family}"] = "opened"
    except OSError as error:
        answers[f"raw {family}"] = error.errno
print(json.dumps(answers))
"""
HONEST = """
import asyncio, concurrent.futures, multiprocessing, os, signal, socket, sqlite3, subprocess
import tempfile, threading, mmap, select
def square(x): return x * x
if __name__ == "__main__":
    thread = threading.Thread(target=print); thread.start(); thread.join()
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        assert list(pool.map(square, range(3))) == [0, 1, 4]
    with multiprocessing.get_context("spawn").Pool(1) as pool: pool.map(square, [1])
    assert subprocess.run(["git", "--version"]).returncode == 0
    sqlite3.connect("x.db").execute("pragma journal_mode=wal")
    asyncio.run(asyncio.wait_for(asyncio.create_subprocess_exec("true"), 5))
    socket.create_server(("127.0.0.1", 0)); socket.socketpair()
    socket.socket(socket.AF_INET6); mmap.mmap(-1, 4096); os.memfd_create("x"); os.mkfifo("pipe")
    print("honest")
"""
PROFILE = {
    "NetworkMode": "none", "Privileged": False, "CapDrop": ["ALL"], "CapAdd": None,
    "ReadonlyRootfs": True, "IpcMode": "private", "ShmSize": 16 * 2**20, "PidsLimit": 128,
    "OomScoreAdj": 500, "AutoRemove": False, "PidMode": "", "UTSMode": "", "UsernsMode": "",
    "Devices": None, "DeviceRequests": None, "PortBindings": None, "Binds": None,
    "VolumesFrom": None, "PublishAllPorts": False, "LogConfig": {"Type": "none", "Config": {}},
    "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
    "Tmpfs": {"/tmp": "rw,nosuid,nodev,noexec,size=64m,nr_inodes=4096,mode=1777"},
}  # fmt: skip
MEMORY_BYTES = tuple(size * 2**20 for size in (256, 512, 1024))  # of the templates in pools
WRITABLE = {"/work", "/run/diono"}
READ_ONLY = {
    "/run/diono-egress",
    "/opt/diono",
    "/opt/diono/guest",
    "/opt/diono/cache",
    "/etc/diono-ca.pem",
}
REACH = """
import json, socket, sys
reached = []
for host, port in json.load(sys.stdin):
    try:
        socket.create_connection((host, port), timeout=1).close()
        reached.append(host)
    except OSError:
        pass
try:
    socket.getaddrinfo("example.com", 443)
    reached.append("name resolution")
except OSError:
    pass
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
try:
    udp.sendto(b"x", ("1.1.1.1", 53))
    reached.append("udp")
except OSError:
    pass
print(json.dumps(reached))
"""


async def feed(sandbox: Sandbox, code: str, data: object) -> str:
    await sandbox.write_file("code.py", code.encode())
    await sandbox.write_file("data.json", json.dumps(data).encode())
    result = await run(sandbox, "sh", "-c", "exec python3 code.py < data.json")
    assert result.is_success, result.stderr
    return result.stdout


async def test_s15_set_user_id_programs_give_nothing(sandbox: Sandbox, service: Service) -> None:
    found = await run(sandbox, "find", "/", "-xdev", "-perm", "/6000", "-type", "f")
    assert found.stdout == ""
    program = await workspace_of(service, sandbox) / "planted"
    shutil.copyfile("/usr/bin/id", program)
    os.chmod(program, 0o4755)
    shown = await run(sandbox, "/work/planted", "-u")
    assert shown.stdout == f"{TENANT_ID}\n"
    own = await run(sandbox, "sh", "-c", "cp /usr/bin/id own; chmod 6755 own; ./own")
    assert f"uid={TENANT_ID}" in own.stdout
    assert "euid" not in own.stdout


async def test_s15_device_nodes_do_not_open(sandbox: Sandbox, service: Service) -> None:
    made = await python(sandbox, "import os; os.mknod('disk', 0o60666, os.makedev(7, 0))")
    assert "PermissionError" in made.stderr
    assert (await run(sandbox, "cat", "/dev/loop0", "/dev/vda", "/dev/mem")).stdout == ""
    os.mknod(await workspace_of(service, sandbox) / "null", 0o20666, os.makedev(1, 3))
    opened = await run(sandbox, "sh", "-c", "echo x > null")
    assert "Permission denied" in opened.stderr


async def test_s16_refused_system_calls(sandbox: Sandbox) -> None:
    answers = json.loads(await feed(sandbox, SWEEP, REFUSED_SYSCALLS))
    assert answers.pop("clone3") == 38
    assert {name: answer for name, answer in answers.items() if answer not in (1, 93, 94, 97)} == {}
    assert all(answers[name] == 1 for name in REFUSED_SYSCALLS)


async def test_s16_honest_programs_work_under_the_filter(sandbox: Sandbox) -> None:
    await sandbox.write_file("honest.py", HONEST.encode())
    result = await run(sandbox, "python3", "honest.py")
    assert result.is_success, result.stderr
    assert result.stdout.endswith("honest\n")


CLOSED = (
    *("/etc/passwd", "/usr/x", "/opt/diono/guest/main.py", "/opt/x", "/run/x", "/var/x", "/root/x"),
    *("/proc/sys/kernel/hostname", "/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern"),
    *("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/kernel/uevent_helper"),
    *("/proc/1/oom_score_adj", "/proc/1/mem", "/proc/1/fd/1", "/proc/1/environ"),
    *("/run/diono-egress/x", "/run/diono-egress/proxy.sock", "/etc/resolv.conf", "/etc/hosts"),
)


async def test_s16_nothing_outside_the_workspace_can_be_written(sandbox: Sandbox) -> None:
    for path in CLOSED:
        result = await run(sandbox, "sh", "-c", f"echo 1 > {path}")
        assert not result.is_success, path


async def test_s19_no_network_at_all(sandbox: Sandbox, sandboxes: Sandboxes) -> None:
    with socket.create_server(("0.0.0.0", 0)) as listener:
        port = listener.getsockname()[1]
        own = socket.gethostbyname(socket.gethostname())
        hosts = ("172.17.0.1", own, "127.0.0.1", "host.docker.internal")
        targets = [(host, port) for host in hosts]
        targets += [("169.254.169.254", 80), ("1.1.1.1", 443), ("2606:4700:4700::1111", 443)]
        assert json.loads(await feed(sandbox, REACH, targets)) == []
    interfaces = await run(sandbox, "ls", "/sys/class/net")
    assert "eth0" not in interfaces.stdout


async def outcome_of(call: Awaitable[object]) -> str:
    """Return "lost" or the error's name for a call that must not be believed."""
    try:
        result = await call
    except DionoError as error:
        return type(error).__name__
    assert isinstance(result, ExecResult)
    return str(result.reason)


async def fresh(sandboxes: Sandboxes) -> Sandbox:
    """Return a sandbox that works, as a patient caller gets one."""
    async with asyncio.timeout(30):
        while True:
            try:
                opened = await sandboxes.open(spec())
                if (await run(opened, "true")).is_success:
                    return opened
            except DionoError:
                await asyncio.sleep(0.2)


async def test_a_swapped_socket_leads_nowhere(
    sandboxes: Sandboxes, sandbox: Sandbox, tmp_path: Path
) -> None:
    reached: list[bool] = []

    def note(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.append(True)
        writer.close()

    decoy = tmp_path / "decoy.sock"
    server = await asyncio.start_unix_server(note, str(decoy))
    await sandbox.write_file("kept.txt", b"kept")
    swap = f"rm /run/diono/guest.sock; ln -s {decoy} /run/diono/guest.sock"
    await outcome_of(run(sandbox, "sh", "-c", swap))
    kept = [asyncio.create_task(outcome_of(run(sandbox, "sleep", "3"))) for _ in range(CROWD)]
    async with asyncio.timeout(20):
        await asyncio.wait(kept, return_when=asyncio.FIRST_COMPLETED)
        for call in (run(sandbox, "true"), sandbox.read_file("x"), sandbox.connect(8000)):
            assert await outcome_of(call) in REFUSED
    await sandboxes.kill("owner", "project")
    await asyncio.gather(*kept)
    assert await (await fresh(sandboxes)).read_file("kept.txt") == b"kept"
    assert reached == []
    server.close()
    await server.wait_closed()


async def strangers(sandbox: Sandbox) -> set[str]:
    """Return how calls end that find no kept connection to the true guest."""
    calls = (outcome_of(run(sandbox, "sleep", "0.3")) for _ in range(CROWD))
    return set(await asyncio.gather(*calls)) - {"exited"}


CROWD = 12  # more than the connections that the service keeps to one guest
REFUSED = {"lost", "SandboxGone", "SandboxBusy", "SandboxMissing", "EngineMissing", "PortClosed"}
FORGERIES = {
    "noise": b"\xff" * 4096,
    "silence": b"",
    "endless header": b"HTTP/1.1 200 OK\r\nx: " + b"y" * 2_000_000,
    "a body without end": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n{}",
    "a success without a process": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "a frame of 4 GB": b"HTTP/1.1 200 OK\r\nContent-Type: application/connect+json\r\n"
    b"Content-Length: 7\r\n\r\n\x00\xff\xff\xff\xff{}",
    "a wrong switch": b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "a redirect": b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"
    b"Content-Length: 0\r\n\r\n",
}
FORGE = """
import os, socket, sys, threading
answer = bytes.fromhex(sys.stdin.read())
os.unlink("/run/diono/guest.sock")
listener = socket.socket(socket.AF_UNIX)
listener.bind("/run/diono/guest.sock")
listener.listen(64)
def serve(peer):
    try:
        peer.recv(65536); peer.sendall(answer); peer.close()
    except OSError:
        pass
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],)).start()
"""


@pytest.mark.parametrize("name", FORGERIES)
async def test_a_forged_guest_is_not_believed(
    sandboxes: Sandboxes, sandbox: Sandbox, service: Service, name: str
) -> None:
    request = ExecRequest(
        argv=("python3", "-c", FORGE), stdin=FORGERIES[name].hex().encode(), timeout_seconds=60
    )
    running = asyncio.create_task(outcome_of(sandbox.execute(request)))
    async with asyncio.timeout(30):
        while not await strangers(sandbox):  # noqa: ASYNC110  the forger has no event for us
            await asyncio.sleep(0.05)
    await sandboxes.kill("owner", "project")
    assert await running != "exited"
    assert (await run(await fresh(sandboxes), "true")).is_success
    assert psutil.Process(service.process.pid).memory_info().rss < 200 * 2**20


async def test_s22_every_container_has_the_whole_profile(
    sandbox: Sandbox, sandboxes: Sandboxes, engine: docker.DockerClient, service: Service
) -> None:
    """Those that wait in the pool too; the expected values are written out, not computed."""
    containers: list[Container] = []
    for each in service.containers(engine):
        with contextlib.suppress(docker.errors.NotFound):  # the last test's machine is just ending
            containers.append(engine.containers.get(each))
    assert containers
    for container in containers:
        attributes = container.attrs
        host = attributes["HostConfig"]
        assert {name: host.get(name) for name in PROFILE} == PROFILE
        assert set(host["SecurityOpt"]) == {"no-new-privileges:true", f"seccomp={seccomp_text()}"}
        assert host["Memory"] == host["MemorySwap"] in MEMORY_BYTES
        assert host["NanoCpus"] == 10**9
        limits = {limit["Name"]: limit["Hard"] for limit in host["Ulimits"]}
        assert limits == {"nofile": 1024, "core": 0, "fsize": 256 * 2**20}
        assert attributes["Config"]["User"] == f"{TENANT_ID}:{TENANT_ID}"
        names = {line.partition("=")[0] for line in attributes["Config"]["Env"] or ()}
        assert names <= {"PATH", "PYTHONPATH", "HOME", "LANG", "TZ", "DIONO_PREIMPORTS"}
        binds = {mount["Target"]: mount for mount in host["Mounts"]}
        assert set(binds) <= {*WRITABLE, *READ_ONLY}
        assert {target for target in binds if not binds[target].get("ReadOnly")} == WRITABLE
        own = str(service.config.state_dir)
        assert all(bind["Source"].startswith(own) for bind in binds.values())
        assert "docker.sock" not in json.dumps(binds)
    mounts = (await run(sandbox, "cat", "/proc/self/mounts")).stdout.splitlines()
    for point in ("/work", "/run/diono", "/tmp"):
        options = [line.split()[3] for line in mounts if line.split()[1] == point][-1]
        assert {"nosuid", "nodev"} <= set(options.split(","))


def test_the_service_is_closed_to_others(service: Service) -> None:
    folder = service.config.socket.parent
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "admin.key").stat().st_mode & 0o777 == 0o600
    environment = Path(f"/proc/{service.process.pid}/environ").read_bytes().split(b"\0")
    names = {each.partition(b"=")[0].decode() for each in environment if each}
    assert names <= {"PATH", "PYTHONPATH", "LANG", "LC_CTYPE", "MALLOC_ARENA_MAX"}
