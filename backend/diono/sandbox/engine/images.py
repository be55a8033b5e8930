"""Ext4 images in files: made, copied sparsely, shrunk. Blocking; paths are all ours."""

import errno
import os
import shutil
import subprocess
from pathlib import Path

from diono.sandbox.config import TENANT_ID
from diono.sandbox.engine import mounts
from diono.sandbox.errors import EngineMissing, StorageFull

RESERVE_BYTES = 1024 * 1024 * 1024
MIB = 1024 * 1024
_BYTES_PER_INODE = 8192
_MKFS = ("mkfs.ext4", "-q", "-F", "-m", "0", "-O", "^resize_inode", "-E", "nodiscard")
_COPY_CHUNK_BYTES = 64 * MIB


class DiskProblem(EngineMissing):
    """A tool of the host refused; the text is its own."""


def check_room(folder: Path, size_bytes: int) -> None:
    """StorageFull unless the disk keeps a reserve after ``size_bytes`` more."""
    if shutil.disk_usage(folder).free < size_bytes + RESERVE_BYTES:
        raise StorageFull(
            f"this machine has too little free disk for a {size_bytes // MIB} MB workspace; "
            "free some space or lower the limit"
        )


def _reserve(descriptor: int, size_bytes: int) -> None:
    """Take every block now, so that a full host cannot break a filesystem later."""
    try:
        os.posix_fallocate(descriptor, 0, size_bytes)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull("this machine's disk is full; free some space") from error
        raise DiskProblem(f"the disk cannot reserve space: {error.strerror}") from error


def reserve(image: Path) -> None:
    """Give a shrunken image its blocks back."""
    missing_bytes = image.stat().st_size - image.stat().st_blocks * 512
    if missing_bytes <= 0:
        return
    check_room(image.parent, missing_bytes)
    descriptor = os.open(image, os.O_RDWR | os.O_CLOEXEC)
    try:
        _reserve(descriptor, os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)


def grow(image: Path, size_mb: int) -> None:
    """Make an unmounted image larger; nothing happens if it is as large already."""
    if image.stat().st_size >= size_mb * MIB:
        return
    check_room(image.parent, size_mb * MIB - image.stat().st_blocks * 512)
    descriptor = os.open(image, os.O_RDWR | os.O_CLOEXEC)
    try:
        _reserve(descriptor, size_mb * MIB)
    finally:
        os.close(descriptor)
    argv = ("resize2fs", "-f", str(image))
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise DiskProblem(f"{error.filename} is missing; install e2fsprogs") from error
    if done.returncode != 0:
        raise DiskProblem(f"{argv[0]} failed: {done.stderr.strip()[-300:]}")


def _give_to_tenant(image: Path, point: Path) -> None:
    """The image's own root is the workspace: the tenant's, and empty."""
    point.mkdir(mode=0o700, exist_ok=True)
    mounts.mount_image(image, point)
    try:
        (point / "lost+found").rmdir()
        os.chown(point, TENANT_ID, TENANT_ID)
        point.chmod(0o755)
        mounts.sync_filesystem(point)
    finally:
        mounts.unmount(point)
        point.rmdir()
    descriptor = os.open(image, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make(image: Path, size_mb: int) -> None:
    """Make an empty workspace; the file appears when it is whole."""
    check_room(image.parent, size_mb * MIB)
    temporary = image.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        descriptor = os.open(temporary, flags, 0o600)
        try:
            _reserve(descriptor, size_mb * MIB)
        finally:
            os.close(descriptor)
        argv = (*_MKFS, "-i", str(_BYTES_PER_INODE), str(temporary))
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise DiskProblem(f"{argv[0]} failed: {done.stderr.strip()[-300:]}")
        _give_to_tenant(temporary, image.with_suffix(".mnt"))
        temporary.replace(image)
    except FileNotFoundError as error:
        raise DiskProblem(f"{error.filename} is missing; install e2fsprogs") from error
    except mounts.MountProblem as error:
        raise DiskProblem(str(error)) from error
    finally:
        temporary.unlink(missing_ok=True)


def _copy_data(source: int, target: int, size_bytes: int) -> None:
    """Copy what is written and leave the holes; the kernel shares blocks where it can."""
    offset = 0
    while offset < size_bytes:
        try:
            start = os.lseek(source, offset, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return
            raise
        offset = os.lseek(source, start, os.SEEK_HOLE)
        while start < offset:
            count = min(offset - start, _COPY_CHUNK_BYTES)
            moved = os.copy_file_range(source, target, count, start, start)
            if moved == 0:
                raise DiskProblem("the copy of a workspace ended early; try again")
            start += moved


def copy(source: Path, target: Path, is_reserved: bool = True, is_durable: bool = True) -> None:
    """Copy an image nobody writes to; the file appears when it is whole."""
    size_bytes = source.stat().st_size
    check_room(target.parent, size_bytes if is_reserved else source.stat().st_blocks * 512)
    temporary = target.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    reading = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        writing = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            if is_durable:
                os.fsync(reading)  # what is only in memory may look like a hole
            os.ftruncate(writing, size_bytes)
            _copy_data(reading, writing, size_bytes)
            if is_reserved:
                _reserve(writing, size_bytes)
            os.fsync(writing)
        finally:
            os.close(writing)
        temporary.replace(target)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull("this machine's disk is full; free some space") from error
        raise
    finally:
        os.close(reading)
        temporary.unlink(missing_ok=True)


def shrink(image: Path) -> None:
    """Give the host back every block of an unmounted image that holds no file."""
    point = image.with_suffix(".mnt")
    point.mkdir(mode=0o700, exist_ok=True)
    try:
        mounts.mount_image(image, point)
        try:
            mounts.trim_filesystem(point)
            mounts.sync_filesystem(point)
        finally:
            mounts.unmount(point)
    except mounts.MountProblem as error:
        raise DiskProblem(str(error)) from error
    finally:
        point.rmdir()
