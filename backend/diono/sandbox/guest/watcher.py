"""Watches folders through inotify, in one thread for all watchers."""

from __future__ import annotations

import contextlib
import os
import select
import struct
import threading

from . import libc
from .entries import REPLACING, TEMPORARY_PREFIX, entry_of, readable
from .tenant import Tenant
from .wire import Json

EVENTS_LIMIT = 10_000
FOLDERS_LIMIT = 8_000
_MODIFY, _ATTRIB, _MOVED_FROM, _MOVED_TO = 0x2, 0x4, 0x40, 0x80
_CREATE, _DELETE, _DELETE_SELF, _MOVE_SELF = 0x100, 0x200, 0x400, 0x800
_IGNORED, _IS_FOLDER = 0x8000, 0x40000000
_ONLY_FOLDER, _DONT_FOLLOW = 0x01000000, 0x02000000
_MASK = _MODIFY | _ATTRIB | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _DELETE_SELF | _MOVE_SELF
_KINDS = (
    (_CREATE, "CREATE"),
    (_MOVED_TO, "CREATE"),
    (_MODIFY, "WRITE"),
    (_DELETE | _DELETE_SELF, "REMOVE"),
    (_MOVED_FROM | _MOVE_SELF, "RENAME"),
    (_ATTRIB, "CHMOD"),
)
_HEAD = struct.Struct("iIII")


class Watcher:
    """Collects the events of one folder, below it too if it is recursive. OSError."""

    def __init__(self, tenant: Tenant, root: str, is_recursive: bool, has_entries: bool) -> None:
        self._tenant = tenant
        self._root = root
        self._is_recursive = is_recursive
        self._has_entries = has_entries
        self._folders: dict[int, str] = {}
        self._uploads: dict[int, str] = {}
        self._events: list[Json] = []
        self._changed = threading.Condition()
        self.is_closed = False
        self._descriptor = libc.inotify_open()
        try:
            self._add("", _ONLY_FOLDER)
            if is_recursive:
                self._add_below("", is_new=False)
        except OSError:
            os.close(self._descriptor)
            raise

    def fileno(self) -> int:
        return self._descriptor

    def _add(self, relative: str, flags: int = _ONLY_FOLDER | _DONT_FOLLOW) -> None:
        path = os.path.join(self._root, relative) if relative else self._root
        watch = libc.inotify_add(self._descriptor, os.fsencode(path), _MASK | flags)
        self._folders[watch] = relative

    def _add_below(self, relative: str, is_new: bool) -> None:
        """Watch every folder below; tell of what a new folder already holds."""
        pending = [relative]
        while pending and len(self._folders) < FOLDERS_LIMIT:
            folder = pending.pop()
            with contextlib.suppress(OSError), os.scandir(os.path.join(self._root, folder)) as all_:
                for item in all_:
                    name = os.path.join(folder, item.name)
                    if is_new:
                        self._put(name, "CREATE")
                    if item.is_dir(follow_symlinks=False):
                        with contextlib.suppress(OSError):
                            self._add(name)
                            pending.append(name)

    def _put(self, name: str, kind: str) -> None:
        event: Json = {"name": readable(name), "type": f"EVENT_TYPE_{kind}"}
        if self._has_entries and kind not in ("REMOVE", "RENAME"):
            with contextlib.suppress(OSError):
                event["entry"] = entry_of(self._tenant, os.path.join(self._root, name))
        with self._changed:
            if len(self._events) < EVENTS_LIMIT:
                self._events.append(event)
            self._changed.notify_all()

    def collect(self) -> None:
        """Take what the kernel has to tell."""
        try:
            data = os.read(self._descriptor, 1 << 16)
        except (BlockingIOError, OSError):
            return
        position = 0
        while position + _HEAD.size <= len(data):
            watch, mask, cookie, length = _HEAD.unpack_from(data, position)
            position += _HEAD.size
            name = os.fsdecode(data[position : position + length].rstrip(b"\0"))
            position += length
            self._on_event(watch, mask, cookie, name)

    def _on_event(self, watch: int, mask: int, cookie: int, name: str) -> None:
        folder = self._folders.get(watch)
        if folder is None:
            return
        if mask & _IGNORED:
            del self._folders[watch]
            return
        if name.startswith(TEMPORARY_PREFIX):
            if mask & _MOVED_FROM:
                self._uploads[cookie] = name[len(TEMPORARY_PREFIX) :][:1]
            return
        if not name and folder:
            return
        relative = os.path.join(folder, name)
        for kind in self._kinds_of(mask, cookie):
            self._put(relative, kind)
        if self._is_recursive and mask & _IS_FOLDER and mask & (_CREATE | _MOVED_TO):
            with contextlib.suppress(OSError):
                self._add(relative)
                self._add_below(relative, is_new=True)

    def _kinds_of(self, mask: int, cookie: int) -> list[str]:
        """Name what has happened; an upload's rename is told as the write that it is."""
        upload = self._uploads.pop(cookie, None) if mask & _MOVED_TO else None
        if upload is None:
            return [kind for bits, kind in _KINDS if mask & bits]
        return ["WRITE"] if upload == REPLACING else ["CREATE", "WRITE"]

    def take(self, wait_seconds: float = 0.0) -> list[Json]:
        """Return the events since the last call; waits while there are none."""
        with self._changed:
            if wait_seconds > 0 and not self._events and not self.is_closed:
                self._changed.wait(wait_seconds)
            events, self._events = self._events, []
        return events

    def close(self) -> None:
        with self._changed:
            self.is_closed = True
            self._changed.notify_all()
        os.close(self._descriptor)


class Watchers:
    """The thread that reads all watchers' descriptors, started with the first of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._poll: select.epoll | None = None
        self._by_descriptor: dict[int, Watcher] = {}

    def add(self, watcher: Watcher) -> None:
        with self._lock:
            if self._poll is None:
                self._poll = select.epoll()
                threading.Thread(target=self._run, args=(self._poll,), daemon=True).start()
            self._by_descriptor[watcher.fileno()] = watcher
            self._poll.register(watcher.fileno(), select.EPOLLIN)

    def remove(self, watcher: Watcher) -> None:
        with self._lock:
            if self._poll is not None and self._by_descriptor.pop(watcher.fileno(), None):
                self._poll.unregister(watcher.fileno())
                watcher.close()

    def collect(self, watcher: Watcher) -> None:
        """Take what has happened until now, without waiting for the thread."""
        with self._lock:
            if not watcher.is_closed:
                watcher.collect()

    def _run(self, poll: select.epoll) -> None:
        while True:
            for descriptor, _ in poll.poll():
                with self._lock:
                    watcher = self._by_descriptor.get(descriptor)
                    if watcher is not None:
                        watcher.collect()
