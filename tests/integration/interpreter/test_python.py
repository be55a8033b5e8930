"""Python cells through the unchanged SDK."""

import os
import threading
import time

import pytest
from contract.waiting import until
from e2b import NotFoundException, SandboxException, TimeoutException
from e2b_code_interpreter import Result
from integration.interpreter.rig import Guest


def test_cells_share_their_variables(guest: Guest) -> None:
    sandbox = guest.sandbox()
    first = sandbox.run_code("x = 20")
    assert sandbox.run_code("x - 10").text == "10"
    assert sandbox.run_code("_ + 1").text == "11"
    second = sandbox.run_code("x += 1; x")
    assert first.results == []
    assert second.text == "21"
    assert second.execution_count == (first.execution_count or 0) + 3


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("'a string'", "a string"),
        ("1;", None),
        ("None", None),
        ("    import os\n    os.sep", "/"),
        ("await __import__('asyncio').sleep(0.01, 'awaited')", "awaited"),
        ("async def f():\n    return 5\n\nawait f()", "5"),
        ("import asyncio\nasyncio.run(asyncio.sleep(0, 3))", "3"),
        ("lines = !printf 'a\\nb'\nlines", "['a', 'b']"),
        ("class Big:\n    def __repr__(self):\n        return 'mine'\nBig()", "mine"),
        ("get_ipython().user_ns is globals()", "True"),
        ("__name__", "__main__"),
    ],
)
def test_value_of_the_last_expression(guest: Guest, code: str, text: str | None) -> None:
    execution = guest.sandbox().run_code(code)
    assert execution.error is None
    assert execution.text == text


def test_output_comes_line_by_line_with_times(guest: Guest) -> None:
    seen: list[tuple[str, int, float]] = []
    code = "import time\nfor i in range(3):\n    print(i)\n    time.sleep(0.2)"
    guest.sandbox().run_code(
        code, on_stdout=lambda out: seen.append((out.line, out.timestamp, time.time()))
    )
    assert [line for line, _, _ in seen] == ["0\n", "1\n", "2\n"]
    assert seen[2][2] - seen[0][2] > 0.3
    assert all(abs(stamp / 1e9 - arrived) < 1 for _, stamp, arrived in seen)


def test_output_of_children_and_of_c_code(guest: Guest) -> None:
    code = (
        "import os, subprocess, sys\n"
        "os.system('echo from a shell')\n"
        "subprocess.run(['sh', '-c', 'echo on stderr >&2'])\n"
        "os.write(1, b'raw, no end')\n"
        "print('last', file=sys.stderr)\n"
        "!echo magic"
    )
    logs = guest.sandbox().run_code(code).logs
    assert "".join(logs.stdout) == "from a shell\nraw, no endmagic\n"
    assert "".join(logs.stderr) == "on stderr\nlast\n"


def test_error_points_into_the_cell(guest: Guest) -> None:
    code = "def divide():\n    return 1 / 0\n\ndivide()"
    error = guest.sandbox().run_code(code).error
    assert error is not None
    assert (error.name, error.value) == ("ZeroDivisionError", "division by zero")
    assert "line 4" in error.traceback
    assert "return 1 / 0" in error.traceback
    assert "interpreter/" not in error.traceback


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("def broken(:", "SyntaxError"),
        ("input('name? ')", "StdinNotImplementedError"),
        ("import sys; sys.exit(3)", "SystemExit"),
        ("exit()", "SystemExit"),
        ("%nosuchmagic", "UsageError"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    ],
)
def test_error_leaves_the_state(guest: Guest, code: str, name: str) -> None:
    sandbox = guest.sandbox()
    sandbox.run_code("kept = 'kept'")
    error = sandbox.run_code(code).error
    assert error is not None
    assert error.name == name
    assert sandbox.run_code("kept").text == "kept"


def test_display_without_ipython(guest: Guest) -> None:
    seen: list[Result] = []
    code = (
        "from IPython.display import HTML, Latex, Markdown, display\n"
        "display(HTML('<b>bold</b>'), Markdown('*it*'))\n"
        "display({'text/latex': 'x^2', 'other/kind': 1}, raw=True)\n"
        "class Thing:\n"
        "    def _repr_svg_(self): return '<svg/>'\n"
        "    def _repr_png_(self): return b'png'\n"
        "    def _repr_json_(self): return {'nan': float('nan'), 1: (2,)}\n"
        "    def _repr_html_(self): raise NotImplementedError\n"
        "Thing()"
    )
    execution = guest.sandbox().run_code(code, on_result=seen.append)
    assert execution.error is None
    html, markdown, raw, thing = execution.results
    assert (html.html, markdown.markdown, html.is_main_result) == ("<b>bold</b>", "*it*", False)
    assert (raw.latex, raw.extra, raw.text) == ("x^2", {"other/kind": 1}, None)
    assert (thing.svg, thing.png, thing.html) == ("<svg/>", "cG5n", None)
    assert thing.json == {"nan": None, "1": [2]}
    assert thing.is_main_result
    assert seen == execution.results


def test_magics(guest: Guest) -> None:
    sandbox = guest.sandbox()
    word = "spoken"
    assert sandbox.run_code(f"word = '{word}'\n!echo {{word}}").logs.stdout == ["spoken\n"]
    bash = sandbox.run_code("%%bash\nfor i in 1 2; do echo $i; done")
    assert "".join(bash.logs.stdout) == "1\n2\n"
    written = sandbox.run_code("%%writefile note.txt\nhello")
    assert "".join(written.logs.stdout) == "Writing note.txt\n"
    assert sandbox.run_code("open('note.txt').read()").text == "hello\\n"
    assert "Wall time" in "".join(sandbox.run_code("%time sum(range(10))").logs.stdout)
    failed = sandbox.run_code("%%bash\nexit 4").error
    assert failed is not None
    assert failed.name == "CalledProcessError"


def test_variables_of_one_cell(guest: Guest) -> None:
    sandbox = guest.sandbox()
    sandbox.run_code("import os; os.environ['KEPT'] = 'own'")
    assert sandbox.run_code("os.environ['KEPT']", envs={"KEPT": "lent"}).text == "lent"
    assert sandbox.run_code("os.environ['KEPT']").text == "own"
    assert sandbox.run_code("os.getenv('NEW')", envs={"NEW": "lent"}).text == "lent"
    assert sandbox.run_code("os.getenv('NEW') is None").text == "True"


def test_contexts(guest: Guest) -> None:
    sandbox = guest.sandbox()
    folder = str(guest.work / "own")
    context = sandbox.create_code_context(cwd=folder)
    assert (context.language, context.cwd) == ("python", folder)
    assert sandbox.run_code("import os; os.getcwd()", context=context).text == folder
    sandbox.run_code("mine = 1", context=context)
    assert sandbox.run_code("mine").error is not None
    listed = sandbox.list_code_contexts()
    assert listed[-1].id == context.id
    assert {"python", "javascript"} <= {each.language for each in listed}
    sandbox.restart_code_context(context)
    assert sandbox.run_code("mine", context=context).error is not None
    sandbox.remove_code_context(context)
    with pytest.raises(NotFoundException):
        sandbox.run_code("1", context=context)
    with pytest.raises(NotFoundException):
        sandbox.remove_code_context("nosuch")


def test_language_that_is_not_there(guest: Guest) -> None:
    with pytest.raises(SandboxException, match="no language 'klingon'"):
        guest.sandbox().run_code("1", language="klingon")


@pytest.mark.parametrize("code", ["import os; os._exit(4)", "import os; os.kill(os.getpid(), 9)"])
def test_lost_process_is_said_and_replaced(guest: Guest, code: str) -> None:
    sandbox = guest.sandbox()
    error = sandbox.run_code(code).error
    assert error is not None
    assert error.name == "ContextRestarting"
    assert sandbox.run_code("1 + 1").text == "2"


def test_forked_child_does_not_become_a_second_kernel(guest: Guest) -> None:
    sandbox = guest.sandbox()
    assert sandbox.run_code("import os\npid = os.fork()\npid > 0").text == "True"
    assert sandbox.run_code("os.waitpid(pid, 0)[1]").text == "0"


@pytest.mark.parametrize(
    "code",
    [
        "import time; time.sleep(60)",
        "while True: pass",
        "import subprocess; subprocess.run(['sleep', '60'])",
        "await __import__('asyncio').sleep(60)",
    ],
)
def test_client_that_leaves_interrupts_and_keeps_the_state(guest: Guest, code: str) -> None:
    sandbox = guest.sandbox()
    context = sandbox.create_code_context()
    sandbox.run_code("kept = 5", context=context)
    with pytest.raises(TimeoutException):
        sandbox.run_code(code, context=context, timeout=0.5)
    assert sandbox.run_code("kept", context=context, timeout=10).text == "5"
    sandbox.remove_code_context(context)


def test_cell_that_ignores_the_interrupt_is_ended(guest: Guest) -> None:
    sandbox = guest.sandbox()
    code = "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\ntime.sleep(60)"
    with pytest.raises(TimeoutException):
        sandbox.run_code(code, timeout=0.5)
    assert sandbox.run_code("'fresh'", timeout=20).text == "fresh"


def test_restart_ends_a_running_cell(guest: Guest) -> None:
    sandbox = guest.sandbox()
    context = sandbox.create_code_context()
    started = threading.Event()

    def restart() -> None:
        started.wait(10)
        guest.sandbox().restart_code_context(context)

    thread = threading.Thread(target=restart)
    thread.start()
    code = "import time\nprint('up')\ntime.sleep(60)"
    execution = sandbox.run_code(code, context=context, on_stdout=lambda _: started.set())
    thread.join()
    assert execution.error is not None
    assert execution.error.name == "ContextRestarting"


def test_flood_of_output(guest: Guest) -> None:
    execution = guest.sandbox().run_code("for i in range(20000): print(i)")
    assert "".join(execution.logs.stdout) == "".join(f"{i}\n" for i in range(20000))


async def test_async_sdk(guest: Guest) -> None:
    sandbox = guest.async_sandbox()
    context = await sandbox.create_code_context(language="python")
    execution = await sandbox.run_code("print('hi'); 6 * 7", context=context)
    assert (execution.text, execution.logs.stdout) == ("42", ["hi\n"])
    with pytest.raises(TimeoutException):
        await sandbox.run_code("while True: pass", context=context, timeout=0.5)
    assert (await sandbox.run_code("1", context=context)).text == "1"
    await sandbox.remove_code_context(context)


async def test_background_output_blocks_nothing(guest: Guest) -> None:
    sandbox = guest.sandbox()
    done = guest.work / "done"
    sandbox.run_code(
        "import subprocess\n"
        f"subprocess.Popen('head -c 300000 /dev/zero; touch {done}', shell=True); None"
    )
    await until(lambda: os.path.exists(done), "the child has written all", 10)


def test_wrong_requests(guest: Guest) -> None:
    for body in (
        {},
        {"code": 5},
        {"code": "1", "env_vars": {"A": 1}},
        {"code": "1", "language": 7},
    ):
        assert guest.request("POST", "/execute", body)[0] == 400
    both = {"code": "1", "language": "python", "context_id": "x"}
    assert guest.request("POST", "/execute", both)[0] == 400
    assert guest.request("POST", "/contexts", {"cwd": "/proc/nosuch"})[0] == 400
    assert guest.request("GET", "/execute")[0] == 405
