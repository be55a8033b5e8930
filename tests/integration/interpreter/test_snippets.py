"""``POST /diono/run``: snippets in single-use children of a warm Python."""

import asyncio
import base64
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from contract.waiting import until
from integration.interpreter.rig import Guest


def _commands() -> list[str]:
    found: list[str] = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(entry.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return found


def test_like_a_fresh_python(guest: Guest) -> None:
    code = (
        "import os, sys\n"
        "print(sys.argv, __name__, os.getcwd())\n"
        "print(sys.stdin.read(), end='')\n"
        "print(os.environ['LENT'], file=sys.stderr)\n"
        "print(sorted(os.listdir('/proc/self/fd'))[:4])"
    )
    reply = guest.run(code, args=["a b", "c"], stdin="said\n", env={"LENT": "yes"})
    lines = reply["stdout"].splitlines()
    assert lines[0] == f"['-c', 'a b', 'c'] __main__ {guest.work}"
    assert lines[1] == "said"
    assert reply["stderr"] == "yes\n"
    assert reply["exit_code"] == 0
    assert reply["error"] is None


@pytest.mark.parametrize(
    ("code", "exit_code", "stderr"),
    [
        ("", 0, ""),
        ("import sys; sys.exit()", 0, ""),
        ("import sys; sys.exit(7)", 7, ""),
        ("import sys; sys.exit(256 + 5)", 5, ""),
        ("import sys; sys.exit('why')", 1, "why\n"),
        ("raise SystemExit(2)", 2, ""),
        ("import os; os._exit(9)", 9, ""),
        ("import os; os.kill(os.getpid(), 9)", 137, ""),
        ("import os; os.kill(os.getpid(), 15)", 143, ""),
    ],
)
def test_exit_codes(guest: Guest, code: str, exit_code: int, stderr: str) -> None:
    reply = guest.run(code)
    assert (reply["exit_code"], reply["stderr"]) == (exit_code, stderr)


def test_uncaught_exception(guest: Guest) -> None:
    reply = guest.run("def f():\n    raise ValueError('bad')\nf()")
    assert reply["exit_code"] == 1
    assert reply["error"] == {"name": "ValueError", "value": "bad"}
    assert reply["stderr"].startswith("Traceback (most recent call last):\n")
    assert 'File "<string>", line 3, in <module>' in reply["stderr"]
    assert "interpreter/" not in reply["stderr"]
    syntax = guest.run("def f(:")
    assert syntax["exit_code"] == 1
    assert "SyntaxError" in syntax["stderr"]


def test_exit_handlers_and_threads(guest: Guest) -> None:
    code = (
        "import atexit, threading, time\n"
        "atexit.register(print, 'handler')\n"
        "threading.Thread(target=lambda: (time.sleep(0.1), print('thread'))).start()\n"
        "print('main')"
    )
    assert guest.run(code)["stdout"] == "main\nthread\nhandler\n"


def test_nothing_is_shared(guest: Guest) -> None:
    guest.run("import builtins; builtins.left = 1; import sys; sys.modules['json'] = None")
    assert (
        guest.run("import builtins, json; print(hasattr(builtins, 'left'))")["stdout"] == "False\n"
    )
    drawn = {guest.run("import random; print(random.random())")["stdout"] for _ in range(4)}
    assert len(drawn) == 4


def test_first_in_line_for_the_memory_killer(guest: Guest) -> None:
    code = "import os\nprint(open('/proc/self/oom_score_adj').read(), os.getsid(0) == os.getpid())"
    assert guest.run(code)["stdout"] == "1000\n True\n"


def test_output_is_cut_in_the_middle(guest: Guest) -> None:
    reply = guest.run("print('a' * 200_000 + 'z')")
    assert reply["truncated"] is True
    assert reply["stdout"].startswith("a" * 1000)
    assert reply["stdout"].endswith("az\n")
    assert len(reply["stdout"]) < 65_000
    assert "bytes cut" in reply["stdout"]


def test_bytes_on_stdin_and_bad_text(guest: Guest) -> None:
    sent = base64.b64encode(bytes(range(256)) * 4096).decode()
    code = "import sys; print(len(sys.stdin.buffer.read())); sys.stdout.buffer.write(b'\\xff\\x00')"
    reply = guest.run(code, stdin_base64=sent)
    assert reply["stdout"] == "1048576\n\ufffd\0"


@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        "import signal, time\nfor n in (2, 15): signal.signal(n, signal.SIG_IGN)\ntime.sleep(60)",
        "import subprocess; subprocess.run(['sleep', '61.5'])",
        "import os, subprocess\nsubprocess.Popen(['setsid', 'sleep', '61.5'])\nwhile True: pass",
    ],
)
async def test_deadline_ends_the_whole_tree(guest: Guest, code: str) -> None:
    started = time.monotonic()
    reply = guest.run("print('before', flush=True)\n" + code, timeout=0.4)
    assert time.monotonic() - started < 3
    assert (reply["deadline"], reply["exit_code"], reply["stdout"]) == (True, None, "before\n")
    await until(lambda: not any("sleep 61.5" in each for each in _commands()), "all are gone")


async def test_daemons_do_not_outlive_their_snippet(guest: Guest) -> None:
    code = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "        os.execvp('sleep', ['sleep', '62.5'])\n"
        "    os._exit(0)\n"
        "time.sleep(0.2)"
    )
    started = time.monotonic()
    assert guest.run(code)["exit_code"] == 0
    assert time.monotonic() - started < 2
    await until(lambda: not any("sleep 62.5" in each for each in _commands()), "it is gone")


async def test_caller_that_leaves_ends_the_snippet(guest: Guest) -> None:
    caller = await asyncio.create_subprocess_exec(sys.executable, "-c", _LEAVING, guest.socket)
    assert await caller.wait() == 0
    await until(lambda: not any("sleep 63.5" in each for each in _commands()), "it is gone")


_LEAVING = """
import json, socket, sys, time
stream = socket.socket(socket.AF_UNIX)
stream.connect(sys.argv[1])
body = json.dumps({"code": "import os; os.system('sleep 63.5')"}).encode()
stream.sendall(b"POST /diono/run HTTP/1.1\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body)
time.sleep(0.5)
"""


def test_killed_zygote_is_replaced(guest: Guest) -> None:
    code = "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)"
    guest.request("POST", "/diono/run", {"code": code})
    for _ in range(3):
        status, reply = guest.request("POST", "/diono/run", {"code": "print(1)"})
        if status == 200 and reply["stdout"] == "1\n":
            break
    else:
        raise AssertionError("no snippet runs any more")


def test_many_at_once(guest: Guest) -> None:
    replies: list[str] = []

    def run(number: int) -> None:
        replies.append(guest.run(f"print({number})")["stdout"])

    threads = [threading.Thread(target=run, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(replies) == sorted(f"{number}\n" for number in range(16))


def test_wrong_requests(guest: Guest) -> None:
    for fields in ({}, {"code": 1}, {"code": "", "timeout": 0}, {"code": "", "args": "a"}):
        assert guest.request("POST", "/diono/run", fields)[0] == 400
    assert guest.request("POST", "/diono/run", {"code": "", "stdin_base64": "?"})[0] == 400


def test_faster_than_a_process(guest: Guest) -> None:
    """Interleaved, so that a busy machine slows both."""
    ours: list[float] = []
    local: list[float] = []
    for _ in range(30):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True, env=dict(os.environ))
        local.append(time.perf_counter() - started)
        started = time.perf_counter()
        guest.run("pass")
        ours.append(time.perf_counter() - started)
    assert sorted(ours)[15] <= 0.6 * sorted(local)[15]
