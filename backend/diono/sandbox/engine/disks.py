"""Workspaces on disk, each with a hard size. Best way first, probed once, told in health:
a preallocated ext4 image per workspace, or (weak) an engine volume with a cap per file."""

import contextlib
import hashlib
import json
import os
import secrets
import threading
import time
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from diono.sandbox.config import QuotaChoice
from diono.sandbox.engine import images, mounts
from diono.sandbox.errors import EngineMissing, StorageFull, VolumeBusy
from diono.sandbox.private_files import write_private

LOOP_MODE = "ext4 image per workspace: size and file count are hard limits"
_SMALL_BYTES = 256 * images.MIB
_HELD_SECONDS = 5.0
_HELD_POLL_SECONDS = 0.02
WEAK_MODE = (
    "weak: engine volume, 256 MB per file and a reserve on the disk, but no limit per workspace; "
    "run the service as root with loop devices for hard limits"
)


class DiskKind(StrEnum):
    OWN = "own"
    VOLUME = "volume"
    SNAPSHOT = "snapshot"


class Disk(BaseModel):
    """``key`` is made by us, a hash or an id: never a name from outside."""

    model_config = ConfigDict(frozen=True)

    kind: DiskKind
    key: str

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.key}"


class _Label(BaseModel):
    """Whose a named volume is; beside its image, so that no ledger can lose it."""

    owner: str
    name: str


def volume_disk(owner: str, name: str) -> Disk:
    key = hashlib.sha256(f"{len(owner)}:{owner}:{name}".encode()).hexdigest()[:32]
    return Disk(kind=DiskKind.VOLUME, key=key)


def _wait_until_free(image: Path) -> None:
    """Return when no mount uses the image any more. VolumeBusy if one does for long.

    An unmounted file system lives on while a container that is being started holds it, and writes
    its journal back when that lets go: a copy made meanwhile would miss what was written last.
    """
    ends_at = time.monotonic() + _HELD_SECONDS
    while mounts.is_held(image):
        if time.monotonic() > ends_at:
            raise VolumeBusy("the workspace is still in use by a sandbox that ended; try again")
        time.sleep(_HELD_POLL_SECONDS)


class Disks:
    """Blocking; call from a thread. One caller at a time per disk."""

    def __init__(self, state_dir: Path, choice: QuotaChoice) -> None:
        self._live = state_dir / "disks"
        self._archive = state_dir / "archive"
        self._blanks = state_dir / "blanks"
        self._seeding = threading.Lock()
        for folder in (self._live, self._archive, self._blanks):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
            self._tidy(folder)
        self.is_loop = choice != "volume" and self._can_loop(is_required=choice == "loop")

    def _tidy(self, folder: Path) -> None:
        """Take away what a crash left half made."""
        for point in mounts.mounted_below(folder):
            mounts.unmount(point)
        for leftover in folder.glob("*.new"):
            leftover.unlink()
        for leftover in folder.glob("*.mnt"):
            leftover.rmdir()

    def _can_loop(self, is_required: bool) -> bool:
        if os.geteuid() != 0 and not is_required:
            return False
        probe = self._blanks / "probe.ext4"
        try:
            images.make(probe, 4)
        except StorageFull:
            return True  # it says so when somebody wants a workspace
        except (EngineMissing, OSError) as error:
            if is_required:
                raise EngineMissing(f"loop-mounted workspaces do not work here: {error}") from error
            return False
        finally:
            probe.unlink(missing_ok=True)
        return True

    @property
    def mode(self) -> str:
        return LOOP_MODE if self.is_loop else WEAK_MODE

    def image(self, disk: Disk) -> Path:
        return self._live / f"{disk.name}.ext4"

    def _archived(self, disk: Disk) -> Path:
        return self._archive / f"{disk.name}.ext4"

    def has(self, disk: Disk) -> bool:
        return self.image(disk).exists() or self._archived(disk).exists()

    def blanks(self, size_mb: int) -> list[Path]:
        return list(self._blanks.glob(f"{size_mb}-*.ext4"))

    def add_blank(self, size_mb: int) -> None:
        """Make one empty workspace for later; it takes its blocks when it is claimed."""
        image = self._blanks / f"{size_mb}-{secrets.token_hex(6)}.ext4"
        self._make(image, size_mb, is_reserved=False)

    def _make(self, image: Path, size_mb: int, is_reserved: bool = True) -> None:
        """Copy the few blocks of an empty file system: ten times as fast as making one."""
        seed = self._blanks / f"seed-{size_mb}.ext4"
        with self._seeding:
            if not seed.exists():
                images.make(seed, size_mb)
                images.shrink(seed)
                _wait_until_free(seed)
        images.copy(seed, image, is_reserved, is_durable=False)

    def ensure(self, disk: Disk, size_mb: int) -> None:
        """Have the disk in its place: as it is, out of the archive, from a blank, or made; with
        all of its blocks, and at least as large as wanted."""
        image = self.image(disk)
        archived = self._archived(disk)
        for existing in (image, archived):
            if existing.exists():
                images.reserve(existing)
                self._grow(existing, size_mb)
                existing.replace(image)
                return
        for blank in self.blanks(size_mb):
            with contextlib.suppress(FileNotFoundError):  # another thread was faster
                blank.rename(image)
                images.reserve(image)
                return
        self._make(image, size_mb)

    def _grow(self, image: Path, size_mb: int) -> None:
        if image.stat().st_size >= size_mb * images.MIB:
            return
        _wait_until_free(image)
        images.grow(image, size_mb)

    def give_back(self, point: Path) -> None:
        """Give the host the free blocks of a large disk on which nothing runs any more."""
        known = os.statvfs(point)
        if known.f_blocks * known.f_frsize > _SMALL_BYTES:
            mounts.sync_filesystem(point)  # blocks of removed files are free once that is written
            mounts.trim_filesystem(point)

    def label(self, disk: Disk, owner: str, name: str) -> None:
        """Note whose volume this is, before it is first used."""
        path = self._live / f"{disk.name}.json"
        if not path.exists():
            label = json.dumps({"owner": owner, "name": name}).encode()
            write_private(path, label, is_durable=False)

    def volumes(self, owner: str) -> Sequence[str]:
        found: list[str] = []
        for path in self._live.glob(f"{DiskKind.VOLUME}-*.json"):
            with contextlib.suppress(ValidationError, FileNotFoundError):
                label = _Label.model_validate_json(path.read_bytes())
                if label.owner == owner:
                    found.append(label.name)
        return sorted(found)

    def attach(self, disk: Disk, point: Path) -> int:
        """Mount at ``point``; return the device number the guest must see there."""
        try:
            mounts.mount_image(self.image(disk), point)
        except mounts.MountProblem as error:
            raise images.DiskProblem(f"{error}; run: ./diono doctor") from error
        return point.stat().st_dev

    def delete(self, disk: Disk) -> bool:
        """Remove an unmounted disk; False if there is none."""
        label = self._live / f"{disk.name}.json"
        is_there = self.has(disk) or label.exists()
        for path in (self.image(disk), self._archived(disk), label):
            path.unlink(missing_ok=True)
        return is_there

    def copy(
        self, source: Disk, target: Disk, to_archive: bool = False, is_frozen: bool = False
    ) -> None:
        """Copy a disk that nobody writes to meanwhile; ``is_frozen``: mounted, and frozen."""
        image = self.image(source)
        if not image.exists():
            image = self._archived(source)
        if not is_frozen:
            _wait_until_free(image)
        place = self._archived(target) if to_archive else self.image(target)
        images.copy(image, place, is_reserved=not to_archive)

    def archive(self, disk: Disk) -> None:
        """Move an unmounted disk away from the live ones, without its empty blocks."""
        image = self.image(disk)
        if image.exists():
            images.shrink(image)
            image.replace(self._archived(disk))

    def drop_unknown(self, known: set[str]) -> int:
        """Remove the sandboxes' own disks and snapshots that nothing names. Volumes stay."""
        count = 0
        for folder in (self._live, self._archive):
            for image in folder.glob("*.ext4"):
                if image.stem not in known and not image.stem.startswith(DiskKind.VOLUME):
                    image.unlink(missing_ok=True)
                    count += 1
        return count
