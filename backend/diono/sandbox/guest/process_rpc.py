"""``process.Process`` as envd speaks it."""

from __future__ import annotations

import os
import select
import signal
import time
from typing import Any

from .events import KEEPALIVE, start_event
from .http import Request, Response
from .listeners import Listener
from .messages import (
    MESSAGE_LIMIT_BYTES,
    STREAM_TYPE,
    bytes_of,
    deadline_of,
    environment_of,
    first_message,
    header_number,
    keepalive_of,
    messages,
    size_of,
    streaming,
    texts_of,
)
from .process import Process, Table, Wanted
from .run import Options, Run
from .server import Handler
from .tenant import Tenant, as_root, user_of
from .wire import (
    Json,
    RpcError,
    decode,
    encode,
    end_frame,
    frame,
    number_of,
    object_of,
    rpc_error_of,
    text_of,
)

_SIGNALS = {"SIGNAL_SIGTERM": signal.SIGTERM, "SIGNAL_SIGKILL": signal.SIGKILL}
_SIGNALS_BY_NUMBER = {15: signal.SIGTERM, 9: signal.SIGKILL}
_UNARY_SECONDS = 60.0
_STREAM_SECONDS = 3600.0


class ProcessService:
    """The methods; each takes a request and answers it."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self.table = Table()

    def handlers(self) -> dict[str, Handler]:
        return {
            "Start": streaming(self.start),
            "Connect": streaming(self.connect),
            "StreamInput": streaming(self.stream_input),
            "List": self.list,
            "SendInput": self.send_input,
            "SendSignal": self.send_signal,
            "CloseStdin": self.close_stdin,
            "Update": self.update,
        }

    def _wanted(self, message: Json, user: str, is_tree: bool, has_stdin: bool) -> Wanted:
        config = object_of(message.get("process"), "process")
        argv = [text_of(config.get("cmd"), "cmd"), *texts_of(config.get("args"), "args")]
        if not argv[0]:
            raise RpcError("invalid_argument", "cmd must not be empty")
        pty = object_of(message.get("pty"), "pty")
        cwd = self._tenant.path(text_of(config.get("cwd"), "cwd"))
        if not os.path.exists(cwd):
            raise RpcError("invalid_argument", f"cwd '{cwd}' does not exist")
        env = self._tenant.environment(user)
        env["PWD"] = cwd
        if pty:
            env["TERM"] = "xterm-256color"
        given = environment_of(config.get("envs"))
        env.update(given)
        shown: Json = {"cmd": argv[0], "args": argv[1:], "envs": given}
        if "cwd" in config:
            shown["cwd"] = config["cwd"]
        return Wanted(
            argv=as_root(argv) if user == "root" else argv,
            cwd=cwd,
            env=env,
            config=shown,
            tag=text_of(message.get("tag"), "tag") if message.get("tag") is not None else None,
            size=size_of(pty) if pty else None,
            has_stdin=has_stdin,
            is_tree=is_tree and not pty,
        )

    def _options(self, request: Request, message: Json) -> Options:
        limit = header_number(request, "diono-output-limit", 64 * 1024 * 1024)
        extension = object_of(message.get("diono"), "diono")
        return Options(
            deadline=deadline_of(request),
            keepalive=keepalive_of(request),
            output_limit=limit,
            stdin=bytes_of(extension.get("stdin"), "diono.stdin"),
            closes_stdin=message.get("stdin") is False and "stdin" in extension,
            is_extended=limit is not None or "diono-kill-tree" in request.headers,
        )

    def start(self, request: Request, response: Response) -> None:
        user = self._tenant.check_user(user_of(request))
        message = first_message(request)
        options = self._options(request, message)
        is_tree = request.headers.get("diono-kill-tree") == "1"
        has_stdin = message.get("stdin") is not False or options.closes_stdin
        wanted = self._wanted(message, user, is_tree, has_stdin)
        try:
            process = Process(wanted)
        except OSError as error:
            refused = rpc_error_of(error, f"error starting process '{wanted.argv[0][:200]}'")
            if refused.code in ("not_found", "permission_denied"):
                refused = RpcError("invalid_argument", refused.message)
            raise refused from error
        except ValueError as error:
            raise RpcError("invalid_argument", f"error starting process: {error}") from error
        self.table.add(process)
        try:
            Run(process, response, options, self.table.discard).serve()
        finally:
            self.table.discard(process)

    def _selected(self, message: Json) -> Process:
        selector = object_of(message.get("process"), "process")
        if selector.get("pid") is not None:
            pid = number_of(selector["pid"], "pid", highest=2**32 - 1)
            found, what = self.table.find(pid, None), f"pid {pid}"
        elif selector.get("tag") is not None:
            tag = text_of(selector["tag"], "tag")
            found, what = self.table.find(None, tag), f"tag {tag[:100]}"
        else:
            raise RpcError("invalid_argument", "a process must be named by pid or tag")
        if found is None:
            raise RpcError("not_found", f"process with {what} not found")
        return found

    def connect(self, request: Request, response: Response) -> None:
        """Follow a program that runs, from now on. Its end does not depend on this stream."""
        deadline, keepalive = deadline_of(request), keepalive_of(request)
        process = self._selected(first_message(request))
        listener = Listener()
        process.add_listener(listener)
        try:
            response.start(200, STREAM_TYPE)
            response.write(frame(start_event(process.pid)))
            error = self._follow(listener, response, deadline, keepalive)
            response.write(end_frame(error))
            response.end()
        finally:
            process.remove_listener(listener)
            listener.close()

    @staticmethod
    def _follow(
        listener: Listener, response: Response, deadline: float | None, keepalive: float
    ) -> RpcError | None:
        poll = select.poll()
        poll.register(listener, select.POLLIN)
        poll.register(response.stream, select.POLLRDHUP)
        ping_at = time.monotonic() + keepalive
        while True:
            wake_at = ping_at if deadline is None else min(ping_at, deadline)
            poll.poll(max(0.0, wake_at - time.monotonic()) * 1000 + 1)
            is_over = listener.is_over
            events = listener.take()
            now = time.monotonic()
            if not events and now >= ping_at:
                events = [KEEPALIVE]
            if events:
                response.write(b"".join(frame(event) for event in events))
                ping_at = now + keepalive
            if is_over:
                return None
            if deadline is not None and now >= deadline:
                return RpcError("deadline_exceeded", "context deadline exceeded")
            response.check_client()

    def list(self, _request: Request, response: Response) -> None:
        processes: list[Json] = []
        for process in self.table.all():
            entry: Json = {"pid": process.pid, "config": process.wanted.config}
            if process.wanted.tag is not None:
                entry["tag"] = process.wanted.tag
            processes.append(entry)
        response.json(200, {"processes": processes})

    @staticmethod
    def _feed(process: Process, given: Any, deadline: float) -> None:
        source = object_of(given, "input")
        is_terminal = "pty" in source
        if not is_terminal and "stdin" not in source:
            raise RpcError("unimplemented", "the input must be stdin or pty")
        if is_terminal and process.terminal is None:
            raise RpcError("failed_precondition", "tty not assigned to process")
        if not is_terminal and process.stdin is None:
            raise RpcError("failed_precondition", "stdin not enabled or closed")
        data = bytes_of(source["pty" if is_terminal else "stdin"], "input")
        try:
            process.write(data, is_terminal, deadline)
        except TimeoutError as error:
            raise RpcError("deadline_exceeded", str(error)) from error
        except OSError as error:
            raise RpcError("failed_precondition", f"error writing to the input: {error}") from error

    def send_input(self, request: Request, response: Response) -> None:
        message = decode(request.body(MESSAGE_LIMIT_BYTES))
        deadline = deadline_of(request) or time.monotonic() + _UNARY_SECONDS
        self._feed(self._selected(message), message.get("input"), deadline)
        response.json(200, {})

    def send_signal(self, request: Request, response: Response) -> None:
        message = decode(request.body())
        process = self._selected(message)
        name = message.get("signal")
        number = _SIGNALS.get(name) if isinstance(name, str) else _SIGNALS_BY_NUMBER.get(name or 0)
        if number is None:
            raise RpcError("unimplemented", "the signal must be SIGNAL_SIGTERM or SIGNAL_SIGKILL")
        if not process.signal(number):
            raise RpcError("not_found", f"process with pid {process.pid} not found")
        response.json(200, {})

    def close_stdin(self, request: Request, response: Response) -> None:
        process = self._selected(decode(request.body()))
        if process.terminal is not None:
            raise RpcError("failed_precondition", "a terminal's input cannot be closed")
        process.close_stdin()
        response.json(200, {})

    def update(self, request: Request, response: Response) -> None:
        message = decode(request.body())
        process = self._selected(message)
        pty = object_of(message.get("pty"), "pty")
        if pty and not process.resize(*size_of(pty)):
            raise RpcError("failed_precondition", "tty not assigned to process")
        response.json(200, {})

    def stream_input(self, request: Request, response: Response) -> None:
        """Take input frame by frame; the first names the program."""
        deadline = deadline_of(request)
        response.stream.settimeout(_STREAM_SECONDS)
        process: Process | None = None
        for message in messages(request):
            event = object_of(message.get("event") or message, "event")
            if "start" in event:
                process = self._selected(object_of(event["start"], "start"))
            elif "data" in event:
                if process is None:
                    raise RpcError("invalid_argument", "the first message must be start")
                given = object_of(event["data"], "data").get("input")
                self._feed(process, given, deadline or time.monotonic() + _STREAM_SECONDS)
        head = response.start_bytes(200, STREAM_TYPE)
        frames = frame(encode({})) + end_frame()
        response.send_raw(head + response.chunk(frames) + response.last_chunk)
