"""Mounts and loop devices by system call: a claim has no time for the mount program. Blocking."""

import contextlib
import ctypes
import errno
import fcntl
import os
import struct
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)

_READ_ONLY, _NO_SUID, _NO_DEVICES, _NO_EXEC = 1, 2, 4, 8
_NO_ACCESS_TIME = 1024
_SHARED = 1 << 20
_DETACH = 2

_LOOP_FREE = 0x4C82
_LOOP_CONFIGURE = 0x4C0A
_LOOP_STATUS = 0x4C05
_LOOP_INFO_BYTES = 232
_LOOP_AUTOCLEAR = 4
_LOOP_NAME_BYTES = 63
_LOOP_ATTEMPTS = 64
_FREEZE, _THAW = 0xC0045877, 0xC0045878
_TRIM = 0xC0185879


class MountProblem(Exception):
    """The kernel refused; the text says what and why."""


def _mount(source: str, target: Path, kind: str, flags: int, options: str = "") -> None:
    result = _LIBC.mount(
        source.encode(), os.fsencode(target), kind.encode(), flags, options.encode()
    )
    if result != 0:
        reason = os.strerror(ctypes.get_errno())
        raise MountProblem(f"mounting {target} failed: {reason}")


def mount_tmpfs(target: Path, options: str) -> None:
    """Mount a small memory file system without programs, devices or setuid."""
    _mount("tmpfs", target, "tmpfs", _NO_SUID | _NO_DEVICES | _NO_EXEC, options)


def make_shared(target: Path) -> None:
    """What is mounted below shows in the containers that follow this mount."""
    _mount("none", target, "none", _SHARED)


def unmount(target: Path) -> None:
    """Unmount; one that is in use goes when its last user does."""
    if _LIBC.umount2(os.fsencode(target), 0) == 0:
        return
    if ctypes.get_errno() in (errno.EINVAL, errno.ENOENT):
        return
    if _LIBC.umount2(os.fsencode(target), _DETACH) != 0:
        raise MountProblem(f"unmounting {target} failed: {os.strerror(ctypes.get_errno())}")


def mounted_below(folder: Path) -> list[Path]:
    """Return the mount points inside ``folder``, outermost first."""
    with open("/proc/self/mountinfo", encoding="utf-8") as lines:
        points = [Path(line.split()[4].replace("\\040", " ")) for line in lines]
    return [point for point in points if folder in point.parents]


def _loop_of(image: Path) -> tuple[int, str] | None:
    """Return the loop device, opened, that serves ``image`` already.

    A container that is just being started holds every mount of ours for a moment, so a file
    system can outlive its unmount. A second device on the same file would corrupt it; the same
    device gives the same file system.
    """
    inode = image.stat().st_ino
    for entry in Path("/sys/block").glob("loop*/loop/backing_file"):
        with contextlib.suppress(OSError):
            if entry.read_text().rstrip("\n") != str(image):
                continue
            device = f"/dev/{entry.parts[3]}"
            descriptor = os.open(device, os.O_RDWR | os.O_CLOEXEC)
            with contextlib.suppress(OSError):
                status = fcntl.ioctl(descriptor, _LOOP_STATUS, bytes(_LOOP_INFO_BYTES))
                if struct.unpack_from("=QQ", status)[1] == inode:
                    return descriptor, device
            os.close(descriptor)
    return None


def is_held(image: Path) -> bool:
    """Whether a mount, even one that is going, still uses the image."""
    found = _loop_of(image)
    if found is not None:
        os.close(found[0])
    return found is not None


def _new_loop(image: Path) -> tuple[int, str]:
    """Return a loop device on ``image``, opened; it frees itself with its last user."""
    backing = os.open(image, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    control = os.open("/dev/loop-control", os.O_RDWR | os.O_CLOEXEC)
    name = os.fsencode(image)[-_LOOP_NAME_BYTES:]
    info = struct.pack("=QQQQQIIII64s64s32sQQ", *(0,) * 8, _LOOP_AUTOCLEAR, name, b"", b"", 0, 0)
    request = struct.pack("=II", backing, 0) + info + bytes(64)
    try:
        for _ in range(_LOOP_ATTEMPTS):
            device = f"/dev/loop{fcntl.ioctl(control, _LOOP_FREE)}"
            descriptor = os.open(device, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.ioctl(descriptor, _LOOP_CONFIGURE, request)
                return descriptor, device
            except OSError as error:
                os.close(descriptor)
                if error.errno != errno.EBUSY:  # else somebody took the device first
                    raise
        raise MountProblem("no free loop device")
    finally:
        os.close(control)
        os.close(backing)


def mount_image(image: Path, target: Path) -> None:
    """Mount the ext4 image at ``target``: no devices, no setuid, programs allowed."""
    try:
        descriptor, device = _loop_of(image) or _new_loop(image)
    except OSError as error:
        raise MountProblem(f"no loop device for {image}: {error.strerror}") from error
    try:
        # The kernel zeroes new inode tables by punching holes, which would give reserved blocks
        # back; a new image reads as zeros anyway.
        _mount(device, target, "ext4", _NO_SUID | _NO_DEVICES | _NO_ACCESS_TIME, "noinit_itable")
    finally:
        os.close(descriptor)


def _on_root(target: Path, request: int, argument: bytes) -> None:
    descriptor = os.open(target, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.ioctl(descriptor, request, argument)
    finally:
        os.close(descriptor)


def freeze_filesystem(target: Path) -> None:
    """Write everything out and hold all writers until thawed."""
    _on_root(target, _FREEZE, bytes(4))


def thaw_filesystem(target: Path) -> None:
    with contextlib.suppress(OSError):
        _on_root(target, _THAW, bytes(4))


def trim_filesystem(target: Path) -> None:
    """Give the blocks of removed files back to the host; a kernel that cannot keeps them."""
    with contextlib.suppress(OSError):
        _on_root(target, _TRIM, struct.pack("=QQQ", 0, (1 << 64) - 1, 0))


def sync_filesystem(target: Path) -> None:
    descriptor = os.open(target, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if _LIBC.syncfs(descriptor) != 0:
            raise MountProblem(f"syncing {target} failed: {os.strerror(ctypes.get_errno())}")
    finally:
        os.close(descriptor)
