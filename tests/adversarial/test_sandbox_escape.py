"""Hostile code that reaches out: for privileges, the kernel, the network, the host's files."""

import asyncio
import json
import os
import shutil
import socket
from pathlib import Path

import docker
import pytest
from contract.sandbox_rigs import python, run, spec

from diono.kernel.errors import DionoError, InvalidInput
from diono.sandbox.adapters.docker import workspace_key
from diono.sandbox.adapters.profile import seccomp_text
from diono.sandbox.checks import requirements
from diono.sandbox.config import TENANT_ID, SandboxConfig
from diono.sandbox.errors import (
    FileTooLarge,
    PathRefused,
    PortClosed,
    RequirementRefused,
    SandboxGone,
)
from diono.sandbox.port import ExitReason, Sandbox, Sandboxes

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


def workspace_on_host(config: SandboxConfig) -> Path:
    return config.state_dir / "mounts" / workspace_key("owner", "project") / "work"


async def test_s15_set_user_id_programs_give_nothing(
    sandbox: Sandbox, config: SandboxConfig
) -> None:
    found = await run(sandbox, "find", "/", "-xdev", "-perm", "/6000", "-type", "f")
    assert found.stdout == ""
    program = workspace_on_host(config) / "planted"
    shutil.copyfile("/usr/bin/id", program)
    os.chmod(program, 0o4755)
    shown = await run(sandbox, "/work/planted", "-u")
    assert shown.stdout == f"{TENANT_ID}\n"
    own = await run(sandbox, "sh", "-c", "cp /usr/bin/id own; chmod 6755 own; ./own")
    assert f"uid={TENANT_ID}" in own.stdout
    assert "euid" not in own.stdout


async def test_s15_device_nodes_do_not_open(sandbox: Sandbox, config: SandboxConfig) -> None:
    made = await python(sandbox, "import os; os.mknod('disk', 0o60666, os.makedev(7, 0))")
    assert "PermissionError" in made.stderr
    assert (await run(sandbox, "cat", "/dev/loop0", "/dev/vda", "/dev/mem")).stdout == ""
    os.mknod(workspace_on_host(config) / "null", 0o20666, os.makedev(1, 3))
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


@pytest.mark.parametrize(
    "path",
    [
        *("/etc/passwd", "/usr/x", "/opt/diono/guest/main.py", "/run/x", "/var/x", "/root/x"),
        *("/proc/sys/kernel/hostname", "/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern"),
        *("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/kernel/uevent_helper"),
        *("/proc/1/oom_score_adj", "/proc/1/mem", "/proc/1/fd/1", "/proc/1/environ"),
    ],
)
async def test_s16_nothing_outside_the_workspace_can_be_written(
    sandbox: Sandbox, path: str
) -> None:
    result = await run(sandbox, "sh", "-c", f"echo 1 > {path}")
    assert not result.is_success


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


async def test_s22_every_container_has_the_whole_profile(
    sandbox: Sandbox, engine: docker.DockerClient, config: SandboxConfig
) -> None:
    instance = (config.state_dir / "instance").read_text()
    [container] = engine.containers.list(filters={"label": f"diono.instance={instance}"})
    host = container.attrs["HostConfig"]
    expected = {
        "NetworkMode": "none", "Privileged": False, "CapDrop": ["ALL"], "CapAdd": None,
        "ReadonlyRootfs": True, "IpcMode": "private", "ShmSize": 16 * 2**20,
        "Memory": 256 * 2**20, "MemorySwap": 256 * 2**20, "PidsLimit": 128,
        "NanoCpus": 10**9, "OomScoreAdj": 500, "AutoRemove": False, "PidMode": "",
        "UTSMode": "", "UsernsMode": "", "Devices": None, "DeviceRequests": None,
        "PortBindings": None, "Binds": None, "VolumesFrom": None, "PublishAllPorts": False,
        "LogConfig": {"Type": "none", "Config": {}},
        "RestartPolicy": {"Name": "", "MaximumRetryCount": 0},
        "Tmpfs": {"/tmp": "rw,nosuid,nodev,noexec,size=64m,nr_inodes=4096,mode=1777"},
    }  # fmt: skip
    assert {name: host.get(name) for name in expected} == expected
    assert set(host["SecurityOpt"]) == {"no-new-privileges:true", f"seccomp={seccomp_text()}"}
    limits = {limit["Name"]: limit["Hard"] for limit in host["Ulimits"]}
    assert limits == {"nofile": 1024, "core": 0, "fsize": 256 * 2**20}
    assert container.attrs["Config"]["User"] == f"{TENANT_ID}:{TENANT_ID}"
    assert container.attrs["Config"]["Env"] in (None, [], ["PIP_ARGUMENTS="])
    assert {mount["Destination"] for mount in container.attrs["Mounts"]} == {"/work", "/run/diono"}
    assert {"diono.owner", "diono.project", "diono.deadline"} <= set(container.labels)
    mounts = (await run(sandbox, "cat", "/proc/self/mounts")).stdout.splitlines()
    for point in ("/work", "/run/diono", "/tmp"):
        [line] = [line for line in mounts if line.split()[1] == point]
        assert {"nosuid", "nodev"} <= set(line.split()[3].split(","))


@pytest.mark.parametrize(
    "path",
    [
        *("/etc/passwd", "../canary", "a/../../canary", "..", "a/..", "\0", "a\0b", "a\\..\\b"),
        *("a\nb", "x" * 300, "a/" * 2500 + "b", "\ud800", "/", "//etc/passwd", "./../x"),
    ],
)
async def test_f01_paths_that_leave_or_deceive_are_refused(sandbox: Sandbox, path: str) -> None:
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


async def test_f03_links_and_special_files_are_never_followed(
    sandbox: Sandbox, config: SandboxConfig
) -> None:
    await sandbox.write_file("real/inside.txt", b"inside")
    made = await run(
        sandbox, "sh", "-c",
        "ln -s /etc/passwd p; ln -s /proc/1/environ e; ln -s /proc/self/root r; ln -s real d;"
        "ln -s / slash; mkfifo f; python3 -c 'import socket;"
        'socket.socket(socket.AF_UNIX).bind("s")\'',
    )  # fmt: skip
    assert made.is_success, made.stderr
    async with asyncio.timeout(10):
        for name in ("p", "e", "r/etc/passwd", "d/inside.txt", "slash/etc/passwd", "f", "s"):
            with pytest.raises(PathRefused):
                await sandbox.read_file(name)
        for name in ("r/tmp/x", "d/new.txt", "slash/tmp/x"):
            with pytest.raises(PathRefused):
                await sandbox.write_file(name, b"x")
        for name in ("r", "d", "slash"):
            with pytest.raises(PathRefused):
                await sandbox.list_files(name)
        names = {entry.path for entry in await sandbox.list_files()}
        assert names == {"real", "real/inside.txt"}
        await sandbox.write_file("p", b"replaced the link, not its target")
        for name in ("p", "e", "r", "d", "slash", "f", "s"):
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


async def test_a_swapped_socket_leads_nowhere(
    sandboxes: Sandboxes, sandbox: Sandbox, tmp_path: Path
) -> None:
    reached: list[bool] = []
    decoy = tmp_path / "decoy.sock"
    server = await asyncio.start_unix_server(lambda _r, _w: reached.append(True), str(decoy))
    swap = f"rm /run/diono/guest.sock; ln -s {decoy} /run/diono/guest.sock"
    assert (await run(sandbox, "sh", "-c", swap)).is_success
    assert (await run(sandbox, "true")).reason is ExitReason.LOST
    with pytest.raises(SandboxGone):
        await sandbox.read_file("x")
    with pytest.raises(SandboxGone):
        await sandbox.connect(8000)
    assert (await run(await sandboxes.open(spec()), "true")).is_success
    assert reached == []
    server.close()


@pytest.mark.parametrize(
    "answer",
    [
        *("b'\\xff' * 4096", "b'\\x00\\x00\\x00\\x02{}'", "b'\\x00\\x00\\x00\\x02[]'", "b''"),
        "b'\\x00\\x00\\x00\\x2a' + b'{\"ok\":true,\"body_bytes\":99999999999999999}'",
        "b'\\x00\\x00\\x00\\x0b' + b'{\"ok\":true}'",
    ],
)
async def test_a_forged_guest_is_not_believed(
    sandboxes: Sandboxes, sandbox: Sandbox, answer: str
) -> None:
    forged = (
        "import os, socket, time\nos.unlink('/run/diono/guest.sock')\n"
        "s = socket.socket(socket.AF_UNIX); s.bind('/run/diono/guest.sock'); s.listen()\n"
        f"while True:\n  c, _ = s.accept(); c.recv(9999)\n  c.sendall({answer}); c.close()"
    )
    running = asyncio.create_task(python(sandbox, forged, seconds=30))
    result = await _until_forged(sandbox)
    assert result in (ExitReason.LOST, "SandboxGone")
    assert (await running).reason is not ExitReason.EXITED
    fresh = await sandboxes.open(spec())
    assert (await run(fresh, "true")).is_success


async def _until_forged(sandbox: Sandbox) -> str:
    async with asyncio.timeout(10):
        while True:
            try:
                result = await run(sandbox, "true")
            except DionoError as error:
                return type(error).__name__
            if result.reason is not ExitReason.EXITED:
                return result.reason


HOSTILE_REQUIREMENTS = [
    *("", " ", "-r requirements.txt", "--index-url=http://x", "-e .", ".", "./x", "/work/x"),
    *("x @ https://example.org/x.whl", "git+https://example.org/x", "https://example.org/x.whl"),
    *("file:///etc/passwd", "x.whl/../y", "a b", "a;b", "a\nb", "a\n--index-url=x", "a$(id)"),
    *("a`id`", "a|b", "a&b", "x; python_version>'3'", "x --hash=sha256:0", "x==1 -r y", "é"),
    *("x[", "x[a", "x]a[", "x==", "==1", "x=1", "x==1,", "x" * 200, "x\0", "x==1.0;", "..", "-"),
]


@pytest.mark.parametrize("text", HOSTILE_REQUIREMENTS)
def test_install_refuses_hostile_requirements(text: str) -> None:
    with pytest.raises(RequirementRefused):
        requirements([text])


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("httpx", "httpx"), ("uvicorn[standard] >= 0.30, < 1", "uvicorn[standard]>=0.30,<1"),
        ("Zope.Interface==6.*", "Zope.Interface==6.*"), ("a~=1.0rc1", "a~=1.0rc1"),
        ("x===1.0+local.1", "x===1.0+local.1"), ("x!=1!2.0", "x!=1!2.0"),
    ],
)  # fmt: skip
def test_install_accepts_plain_requirements(text: str, clean: str) -> None:
    assert requirements([text]) == (clean,)


async def test_service_names_and_ports_are_checked(sandbox: Sandbox) -> None:
    with pytest.raises(InvalidInput):
        await sandbox.service_status("../x")
    with pytest.raises(PortClosed):
        await sandbox.connect(22)
