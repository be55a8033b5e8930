"""Workspaces on disk, each with a hard size. Best way first, probed once, told in health:
a preallocated ext4 image per project, or (weak) an engine volume with a cap per file."""

import contextlib
import errno
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from docker.types import Mount

from diono.sandbox.adapters.guest_client import SOCKET_NAME
from diono.sandbox.config import TENANT_ID, QuotaChoice
from diono.sandbox.errors import EngineMissing, StorageFull

WORK = "/work"
_INSIDE = "work"  # the image's own root stays ours, so lost+found is out of the tenant's sight
LOOP_MODE = "ext4 image per workspace: size and file count are hard limits"
WEAK_MODE = (
    "weak: engine volume, 256 MB per file and a reserve on the disk, but no limit per workspace; "
    "run the service as root with loop devices for hard limits"
)
_RESERVE_BYTES = 1024 * 1024 * 1024
_BYTES_PER_INODE = 8192
_MIB = 1024 * 1024
_MKFS = ("mkfs.ext4", "-q", "-F", "-m", "0", "-O", "^resize_inode", "-E", "nodiscard")


class VolumeProblem(EngineMissing):
    """A tool of the host refused; the text is its own."""


def _run(*argv: str) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise VolumeProblem(f"{argv[0]} failed: {done.stderr.strip()[-300:]}; run: ./diono doctor")


def _unmount(point: Path) -> None:
    try:
        _run("umount", str(point))
    except VolumeProblem:
        with contextlib.suppress(VolumeProblem):
            _run("umount", "--lazy", str(point))


def _remove_empty(folder: Path) -> None:
    """Never recursive: if an unmount failed, the folder is full of a tenant's files."""
    with contextlib.suppress(OSError):
        folder.rmdir()


def _mounted_below(folder: Path) -> list[Path]:
    with open("/proc/self/mountinfo", encoding="utf-8") as lines:
        points = [Path(line.split()[4].replace("\\040", " ")) for line in lines]
    return [point for point in points if folder in point.parents]


def _allocate(image: Path, size_bytes: int) -> None:
    """Reserve every block now, so that a full host cannot break a filesystem later."""
    if shutil.disk_usage(image.parent).free < size_bytes + _RESERVE_BYTES:
        raise StorageFull(
            f"this machine has too little free disk for a {size_bytes // _MIB} MB workspace; "
            "free some space or lower the limit"
        )
    descriptor = os.open(image, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, size_bytes)
    except OSError as error:
        image.unlink()
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull("this machine's disk is full; free some space") from error
        raise
    finally:
        os.close(descriptor)


class Volumes:
    """Blocking; call from a thread. ``key`` is a hash made by us, never a name from outside."""

    def __init__(self, state_dir: Path, choice: QuotaChoice) -> None:
        self._images = state_dir / "volumes"
        self._mounts = state_dir / "mounts"
        self._runs = state_dir / "run"
        self._is_root = os.geteuid() == 0
        for folder in (self._images, self._mounts, self._runs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
        self.detach_all()
        self.is_loop = choice != "volume" and self._can_loop(is_required=choice == "loop")

    @property
    def mode(self) -> str:
        return LOOP_MODE if self.is_loop else WEAK_MODE

    def _can_loop(self, is_required: bool) -> bool:
        key = "probe"
        if not self._is_root and not is_required:
            return False
        try:
            self._make_image(key, 4)
            self._mount(key)
            return True
        except StorageFull:
            return True  # it says so when somebody opens a workspace
        except (VolumeProblem, OSError) as error:
            if is_required:
                raise EngineMissing(f"loop-mounted workspaces do not work here: {error}") from error
            return False
        finally:
            self.detach(key)
            self._image(key).unlink(missing_ok=True)

    def _image(self, key: str) -> Path:
        return self._images / f"{key}.ext4"

    def _make_image(self, key: str, size_mb: int) -> None:
        image = self._image(key)
        temporary = image.with_suffix(".new")
        temporary.unlink(missing_ok=True)
        _allocate(temporary, size_mb * _MIB)
        with tempfile.TemporaryDirectory(dir=self._images) as skeleton:
            work = Path(skeleton) / _INSIDE
            work.mkdir(mode=0o755)
            os.chown(work, TENANT_ID, TENANT_ID)
            inodes = str(_BYTES_PER_INODE)
            _run(*_MKFS, "-i", inodes, "-d", skeleton, str(temporary))
        temporary.replace(image)

    def _mount(self, key: str) -> Path:
        point = self._mounts / key
        point.mkdir(mode=0o700, exist_ok=True)
        if not point.is_mount():
            options = "loop,nosuid,nodev,noatime"
            _run("mount", "-t", "ext4", "-o", options, str(self._image(key)), str(point))
        if not point.is_mount():
            raise VolumeProblem(f"{point} is not mounted")
        return point

    def attach(self, key: str, volume: str, size_mb: int) -> tuple[Mount, int | None]:
        """Return the mount of a workspace, and the device number the guest must see there."""
        if not self.is_loop:
            if shutil.disk_usage(self._images).free < _RESERVE_BYTES:
                raise StorageFull("this machine's disk is almost full; free some space")
            return Mount(WORK, volume, type="volume"), None
        if not self._image(key).exists():
            self._make_image(key, size_mb)
        point = self._mount(key)
        return Mount(WORK, str(point / _INSIDE), type="bind"), point.stat().st_dev

    def detach(self, key: str) -> None:
        """Unmount; the loop device frees itself with its last user."""
        point = self._mounts / key
        if point.is_mount():
            _unmount(point)
        _remove_empty(point)

    def detach_all(self) -> None:
        """Unmount what a crash left behind."""
        for folder in (self._mounts, self._runs):
            for point in reversed(_mounted_below(folder)):
                _unmount(point)
            for leftover in folder.iterdir():
                _remove_empty(leftover)

    def delete(self, key: str) -> None:
        self.detach(key)
        self._image(key).unlink(missing_ok=True)

    def make_run_directory(self, sandbox_id: str) -> Path:
        """Return the folder for the guest's socket: tenant-writable, so tiny and not on our disk
        where we may mount."""
        folder = self._runs / sandbox_id
        folder.mkdir(mode=0o700)
        if self._is_root:
            options = f"size=64k,nr_inodes=8,mode=0700,uid={TENANT_ID},gid={TENANT_ID}"
            _run(
                "mount", "-t", "tmpfs", "-o", f"nosuid,nodev,noexec,{options}", "tmpfs", str(folder)
            )
        else:
            folder.chmod(0o777)
        return folder

    def drop_run_directory(self, sandbox_id: str) -> None:
        folder = self._runs / sandbox_id
        if folder.is_mount():
            _unmount(folder)
        with contextlib.suppress(OSError):
            (folder / SOCKET_NAME).unlink(missing_ok=True)
        _remove_empty(folder)
