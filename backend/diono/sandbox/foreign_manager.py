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
from typing import Any

Json = dict[str, Any]

HOME = os.path.expanduser("~/.diono-services")
LOG_BYTES = 32_000
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


def is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as source:
            return source.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


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


def end(name: str) -> None:
    pid = process_of(name)
    if pid and send(pid, signal.SIGTERM):
        stop_at = time.monotonic() + 1
        while is_alive(pid) and time.monotonic() < stop_at:
            time.sleep(0.02)
        send(pid, signal.SIGKILL)


def start(spec: Json) -> Json:
    name, port = spec["name"], spec.get("port")
    end(name)
    if port and is_listening(port):
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
        time.sleep(0.02)
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
