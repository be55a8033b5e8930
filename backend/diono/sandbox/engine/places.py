"""The folders of each machine on the host: where its guest listens, where its workspace is
mounted, where its way out listens. Blocking."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from diono.sandbox.config import TENANT_ID
from diono.sandbox.engine import mounts

SOCKET_NAME = "guest.sock"
EGRESS_SOCKET_NAME = "proxy.sock"
TOKEN_NAME = "guest.token"  # noqa: S105 - a file's name
_RUN_OPTIONS = f"size=64k,nr_inodes=8,mode=0700,uid={TENANT_ID},gid={TENANT_ID}"


@dataclass(frozen=True)
class Place:
    run: Path
    slot: Path
    egress: Path

    @property
    def egress_socket(self) -> str:
        return str(self.egress / EGRESS_SOCKET_NAME)


def _remove_empty(folder: Path) -> None:
    """Never recursive: if an unmount failed, the folder is full of a tenant's files."""
    with contextlib.suppress(OSError):
        folder.rmdir()


class Places:
    def __init__(self, state_dir: Path) -> None:
        self._runs = state_dir / "run"
        self._slots = state_dir / "slots"
        self._egress = state_dir / "egress"
        self._is_root = os.geteuid() == 0
        for folder in (self._runs, self._slots, self._egress):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)
        self.can_follow = self._share_slots()

    def _share_slots(self) -> bool:
        """Whether a mount made on a slot shows in a container that runs already."""
        if not self._is_root:
            return False
        try:
            if not self._slots.is_mount():
                mounts.mount_tmpfs(self._slots, "size=1m,mode=0700")
            mounts.make_shared(self._slots)
        except mounts.MountProblem:
            return False
        return True

    def of(self, machine_id: str) -> Place:
        return Place(self._runs / machine_id, self._slots / machine_id, self._egress / machine_id)

    def make(self, machine_id: str) -> Place:
        """Make the folders. The guest's is tenant-writable, so tiny and not on our disk."""
        place = self.of(machine_id)
        for folder in (place.run, place.slot, place.egress):
            folder.mkdir(mode=0o755)
        if self._is_root:
            mounts.mount_tmpfs(place.run, _RUN_OPTIONS)
        else:
            place.run.chmod(0o777)
        return place

    def drop(self, machine_id: str) -> None:
        place = self.of(machine_id)
        for folder in (place.run, place.slot):
            if folder.is_mount():
                with contextlib.suppress(OSError):
                    mounts.sync_filesystem(folder)
                mounts.unmount(folder)
        with contextlib.suppress(OSError):
            (place.run / SOCKET_NAME).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            (place.egress / TOKEN_NAME).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            (place.egress / EGRESS_SOCKET_NAME).unlink(missing_ok=True)
        for folder in (place.run, place.slot, place.egress):
            _remove_empty(folder)

    def known(self) -> set[str]:
        """Return the ids of all machines that have a folder here."""
        folders = (self._runs, self._slots, self._egress)
        return {entry.name for folder in folders for entry in folder.iterdir()}

    def drop_all_but(self, kept: set[str]) -> int:
        dropped = self.known() - kept
        for machine_id in dropped:
            self.drop(machine_id)
        return len(dropped)

    def close(self) -> None:
        """Let go of the shared folder once no machine is left."""
        if self._is_root and not self.known() and self._slots.is_mount():
            with contextlib.suppress(mounts.MountProblem):
                mounts.unmount(self._slots)
