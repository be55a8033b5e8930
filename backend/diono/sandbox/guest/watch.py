"""The watching half of ``filesystem.Filesystem``: polled watchers and the stream."""

from __future__ import annotations

import os
import stat
import threading
import time

from .http import Request, Response
from .messages import STREAM_TYPE, deadline_of, first_message, keepalive_of, streaming
from .server import Handler
from .tenant import Tenant, user_of
from .watcher import Watcher, Watchers
from .wire import Json, RpcError, decode, encode, end_frame, frame, rpc_error_of, text_of

WATCHERS_LIMIT = 64
_NETWORK_KINDS = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse", "fuse.sshfs", "9p")
_TURN_SECONDS = 0.5


def _is_on_network(path: str) -> bool:
    """Return whether the mount that holds ``path`` is one whose events cannot be relied on."""
    best, kind = "", ""
    try:
        with open("/proc/self/mounts", encoding="utf-8", errors="replace") as lines:
            for line in lines:
                _, point, its_kind = line.split(" ")[:3]
                holds = path == point or path.startswith(point.rstrip("/") + "/")
                if holds and len(point) >= len(best):
                    best, kind = point, its_kind
    except (OSError, ValueError):
        return False
    return kind in _NETWORK_KINDS


class WatchService:
    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._watchers = Watchers()
        self._lock = threading.Lock()
        self._by_id: dict[str, Watcher] = {}

    def handlers(self) -> dict[str, Handler]:
        return {
            "CreateWatcher": self.create,
            "GetWatcherEvents": self.events,
            "RemoveWatcher": self.remove,
            "WatchDir": streaming(self.watch),
        }

    def _open(self, message: Json) -> Watcher:
        path = self._tenant.path(text_of(message.get("path"), "path"))
        try:
            mode = os.stat(path).st_mode
        except OSError as error:
            raise rpc_error_of(error, f"path {path} not found") from error
        if not stat.S_ISDIR(mode):
            raise RpcError("invalid_argument", f"path {path} not a directory")
        path = os.path.realpath(path)
        if not message.get("allowNetworkMounts") and _is_on_network(path):
            message_text = f"cannot watch path on network filesystem: {path}"
            raise RpcError("invalid_argument", message_text)
        is_recursive, has_entries = (
            bool(message.get("recursive")),
            bool(message.get("includeEntry")),
        )
        try:
            watcher = Watcher(self._tenant, path, is_recursive, has_entries)
        except OSError as error:
            raise rpc_error_of(error, f"error watching {path}") from error
        self._watchers.add(watcher)
        return watcher

    def create(self, request: Request, response: Response) -> None:
        self._tenant.check_user(user_of(request))
        message = decode(request.body())
        with self._lock:
            if len(self._by_id) >= WATCHERS_LIMIT:
                raise RpcError("resource_exhausted", "too many watchers; stop one first")
        watcher = self._open(message)
        watcher_id = f"w{os.urandom(8).hex()}"
        with self._lock:
            self._by_id[watcher_id] = watcher
        response.json(200, {"watcherId": watcher_id})

    def _find(self, message: Json, is_removed: bool = False) -> Watcher:
        watcher_id = text_of(message.get("watcherId"), "watcherId")
        with self._lock:
            found = self._by_id.get(watcher_id)
            if is_removed:
                self._by_id.pop(watcher_id, None)
        if found is None:
            raise RpcError("not_found", f"watcher with id {watcher_id[:100]} not found")
        return found

    def events(self, request: Request, response: Response) -> None:
        watcher = self._find(decode(request.body()))
        self._watchers.collect(watcher)
        response.json(200, {"events": watcher.take()})

    def remove(self, request: Request, response: Response) -> None:
        self._watchers.remove(self._find(decode(request.body()), is_removed=True))
        response.json(200, {})

    def watch(self, request: Request, response: Response) -> None:
        self._tenant.check_user(user_of(request))
        deadline, keepalive = deadline_of(request), keepalive_of(request)
        watcher = self._open(first_message(request))
        try:
            head = response.start_bytes(200, STREAM_TYPE)
            response.send_raw(head + response.chunk(frame(encode({"start": {}}))))
            ping_at = time.monotonic() + keepalive
            while deadline is None or time.monotonic() < deadline:
                messages: list[Json] = [
                    {"filesystem": event} for event in watcher.take(_TURN_SECONDS)
                ]
                if not messages and time.monotonic() >= ping_at:
                    messages = [{"keepalive": {}}]
                if messages:
                    response.write(b"".join(frame(encode(message)) for message in messages))
                    ping_at = time.monotonic() + keepalive
                response.check_client()
            error = RpcError("deadline_exceeded", "context deadline exceeded")
            response.write(end_frame(error))
            response.end()
        finally:
            self._watchers.remove(watcher)
