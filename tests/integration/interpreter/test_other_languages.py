"""JavaScript, TypeScript and bash cells."""

import shutil
import subprocess

import pytest
from e2b import TimeoutException
from integration.interpreter.rig import Guest

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="there is no node here")


@needs_node
@pytest.mark.parametrize(
    ("cells", "text"),
    [
        (["const x = 5", "const x = 6; x * 2"], "12"),
        (["let {a, b: [c]} = {a: 1, b: [2]}", "a + c"], "3"),
        (["await new Promise(r => setTimeout(r, 5)); const y = 9", "y"], "9"),
        (["class A { f() { return 1 } }", "class A { f() { return 2 } }\nnew A().f()"], "2"),
        (["function g() { return 7 }\nawait 0", "g()"], "7"),
        (["import fs from 'fs'; import * as path from 'node:path'", "path.join('a', 'b')"], "a/b"),
        (["const {sep} = await import('path')", "sep"], "/"),
        (["Promise.resolve([1, {a: 2}])"], "[ 1, { a: 2 } ]"),
        (["require('os').platform()"], "linux"),
        (["undefined"], None),
    ],
)
def test_javascript(guest: Guest, cells: list[str], text: str | None) -> None:
    sandbox = guest.sandbox()
    executions = [sandbox.run_code(cell, language="javascript") for cell in cells]
    assert [each.error for each in executions] == [None] * len(cells)
    assert executions[-1].text == text


@needs_node
def test_javascript_output_and_errors(guest: Guest) -> None:
    sandbox = guest.sandbox()
    execution = sandbox.run_code("console.log('out'); console.error('err')", language="js")
    assert (execution.logs.stdout, execution.logs.stderr) == (["out\n"], ["err\n"])
    error = sandbox.run_code("const z = 1;\nnull.f()", language="js").error
    assert error is not None
    assert error.name == "TypeError"
    assert "Cell In" in error.traceback
    syntax = sandbox.run_code("let let = 1", language="js").error
    assert syntax is not None
    assert syntax.name == "SyntaxError"
    lent = sandbox.run_code("process.env.LENT", language="js", envs={"LENT": "yes"})
    assert lent.text == "yes"
    shown = sandbox.run_code("display({'text/html': '<i/>'}, true)", language="js")
    assert shown.results[0].html == "<i/>"


@needs_node
@pytest.mark.parametrize("code", ["while (true) {}", "await new Promise(() => {})"])
def test_javascript_interrupted(guest: Guest, code: str) -> None:
    sandbox = guest.sandbox()
    context = sandbox.create_code_context(language="javascript")
    sandbox.run_code("const kept = 'kept'", context=context)
    with pytest.raises(TimeoutException):
        sandbox.run_code(code, context=context, timeout=0.5)
    assert sandbox.run_code("kept", context=context, timeout=10).text == "kept"


@needs_node
def test_typescript_or_a_clear_error(guest: Guest) -> None:
    version = subprocess.run(["node", "--version"], capture_output=True, check=True).stdout.decode()
    execution = guest.sandbox().run_code("const n: number = 3; n + 1", language="typescript")
    major, minor, *_ = (int(part) for part in version.strip().lstrip("v").split("."))
    if (major, minor) >= (22, 13):
        assert execution.text == "4"
    elif execution.error is not None:
        assert "node-typescript" in execution.error.value


def test_bash(guest: Guest) -> None:
    sandbox = guest.sandbox()
    sandbox.run_code("kept='a b'; cd /usr; say() { echo \"said $1\"; }", language="bash")
    execution = sandbox.run_code('echo "$kept"; pwd; say it >&2', language="bash")
    assert (execution.logs.stdout, execution.logs.stderr) == (["a b\n", "/usr\n"], ["said it\n"])
    assert execution.error is None
    lent = sandbox.run_code('echo "$LENT"', language="bash", envs={"LENT": "it's"})
    assert lent.logs.stdout == ["it's\n"]
    assert sandbox.run_code('echo "[$LENT]"', language="bash").logs.stdout == ["[]\n"]
    failed = sandbox.run_code("false", language="bash").error
    assert failed is not None
    assert (failed.name, failed.value) == ("ExitCode", "1")
    ended = sandbox.run_code("exit 3", language="bash").error
    assert ended is not None
    assert ended.name == "ContextRestarting"
    assert sandbox.run_code("echo again", language="bash").logs.stdout == ["again\n"]


def test_bash_interrupted(guest: Guest) -> None:
    sandbox = guest.sandbox()
    with pytest.raises(TimeoutException):
        sandbox.run_code("sleep 60; echo went on > went-on", language="bash", timeout=0.5)
    assert sandbox.run_code("ls", language="bash", timeout=10).error is None
    assert not (guest.work / "went-on").exists()
