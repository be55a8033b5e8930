"""Runs in sandboxes of other servers, sent there as text: services as background processes.

Standard library only. Reads one call as JSON from stdin, writes one reply as JSON to stdout. State
is a folder per service.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]

HOME = os.path.expanduser("~/.diono-services")
LOG_BYTES = 32_000
POLL_SECONDS = 0.02
TERMINATE_SECONDS = 1.0
KILL_SECONDS = 5.0
SHELL = '"$@"; echo $? > "$0/code"'


def folder(name: str) -> str:
    return os.path.join(HOME, name)


def stored(name: str, file: str) -> str:
    try:
        with open(os.path.join(folder(name), file), encoding="utf-8", errors="replace") as source:
            return source.read()
    except OSError:
        return ""


def store(name: str, file: str, text: str) -> None:
    with open(os.path.join(folder(name), file), "w", encoding="utf-8") as sink:
        sink.write(text)


def is_listening(port: int) -> bool:
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError), open(table, encoding="ascii") as lines:
            fields = [line.split() for line in lines]
            if any(f[1].endswith(f":{port:04X}") and f[3] == "0A" for f in fields):
                return True
    return False


def process_of(name: str) -> int:
    return int(stored(name, "pid") or 0)


def standing(pid: int) -> tuple[str, int] | None:
    """Return the state and the group of a process; None if there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as source:
            fields = source.read().rpartition(")")[2].split()
    except OSError:
        return None
    return fields[0], int(fields[2])


def is_alive(pid: int) -> bool:
    found = standing(pid)
    return found is not None and found[0] != "Z"


def group_lives(group: int) -> bool:
    found = (standing(int(name)) for name in os.listdir("/proc") if name.isdigit())
    return any(each is not None and each[1] == group and each[0] != "Z" for each in found)


def status(name: str, log_bytes: int = LOG_BYTES) -> Json:
    spec = json.loads(stored(name, "spec") or "null")
    if spec is None:
        return {"missing": True}
    code = stored(name, "code").strip()
    is_running = not code and is_alive(process_of(name))
    port = spec.get("port")
    return {
        "name": name,
        "port": port,
        "running": is_running,
        "healthy": is_running and (port is None or is_listening(port)),
        "exit_code": int(code) if code else None if is_running else 137,
        "log": stored(name, "log")[-log_bytes:] if log_bytes else "",
    }


def send(pid: int, number: int) -> bool:
    try:
        os.killpg(pid, number)
    except OSError:
        return False
    return True


def is_within(seconds: float, holds: Callable[[], bool]) -> bool:
    """Wait until it holds; False if it does not in time."""
    stop_at = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > stop_at:
            return False
        time.sleep(POLL_SECONDS)
    return True


def end(name: str) -> bool:
    """End it with all of its group, asked first; False if nothing of it lived."""
    pid = process_of(name)
    if not pid or not send(pid, signal.SIGTERM):
        return False
    if not is_within(TERMINATE_SECONDS, lambda: not group_lives(pid)):
        send(pid, signal.SIGKILL)
        is_within(KILL_SECONDS, lambda: not group_lives(pid))
    return True


def start(spec: Json) -> Json:
    name, port = spec["name"], spec.get("port")
    # The other threads of a process that is gone hold its port for a moment longer.
    patience = KILL_SECONDS if end(name) else 0.0
    if port and not is_within(patience, lambda: not is_listening(port)):
        return {"taken": True}
    shutil.rmtree(folder(name), ignore_errors=True)
    os.makedirs(folder(name))
    store(name, "spec", json.dumps(spec))
    variables = [f"{key}={value}" for key, value in spec["env"].items()]
    argv = ["/bin/sh", "-c", SHELL, folder(name), "env", *variables, *spec["argv"]]
    with open(os.path.join(folder(name), "log"), "ab", 0) as log:
        child = subprocess.Popen(
            argv,
            cwd=spec["cwd"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    store(name, "pid", str(child.pid))
    stop_at = time.monotonic() + spec["start_timeout"]
    while time.monotonic() < stop_at:
        child.poll()
        found = status(name)
        if not found["running"] or found["healthy"]:
            return found
        time.sleep(POLL_SECONDS)
    return status(name)


def listing(_: Json) -> Json:
    names = sorted(os.listdir(HOME)) if os.path.isdir(HOME) else []
    return {"services": [status(name, 0) for name in names]}


def stop(call: Json) -> Json:
    end(call["name"])
    shutil.rmtree(folder(call["name"]), ignore_errors=True)
    return {}


def restart(call: Json) -> Json:
    spec = json.loads(stored(call["name"], "spec") or "null")
    return start(spec) if spec else {"missing": True}


def send_signal(call: Json) -> Json:
    found = status(call["name"], 0)
    if found.get("running"):
        send(process_of(call["name"]), getattr(signal, "SIG" + call["signal"]))
    return found


def logs(call: Json) -> Json:
    found = status(call["name"], 0)
    if found.get("missing"):
        return found
    page = stored(call["name"], "log").encode()[call["cursor"] :][: call["limit"]]
    return {"text": page.decode("utf-8", "replace"), "cursor": call["cursor"] + len(page)}


def told(call: Json) -> Json:
    return status(call["name"])


OPERATIONS = {
    "start": start,
    "stop": stop,
    "status": told,
    "list": listing,
    "restart": restart,
    "signal": send_signal,
    "logs": logs,
}

if __name__ == "__main__":
    request = json.load(sys.stdin)
    json.dump(OPERATIONS[request["op"]](request), sys.stdout)
