"""`diono run FILE` against the real server and the real engine."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.cli.terminal import Terminal, one_object

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A terminal with a server that runs in the background."""
    terminal = Terminal(tmp_path_factory.mktemp("run"), "8640-8649")
    started = terminal.run("up", "--daemon", "--no-setup")
    assert started.returncode == 0, started.stderr
    yield terminal
    assert terminal.run("down").returncode == 0


def _written(folder: Path, name: str, code: str) -> str:
    (folder / name).write_text(code, encoding="utf-8")
    return str(folder / name)


def test_a_program_gets_input_and_arguments_and_gives_its_status(
    terminal: Terminal, tmp_path: Path
) -> None:
    code = """
import sys
print(sys.argv[1:], sys.stdin.read().upper())
print("wrong", file=sys.stderr)
sys.exit(7)
"""
    file = _written(tmp_path, "program.py", code)
    arguments = ("run", file, "plain", "--timeout", "10", "--", "--json", "-x")
    done = terminal.run(*arguments, stdin="piped ä")
    assert done.returncode == 7
    assert done.stdout == "['plain', '--json', '-x'] PIPED Ä\n"
    assert done.stderr == "wrong\n"
    told = terminal.run("run", file, "--json")
    assert told.returncode == 7
    result = one_object(told.stdout)
    assert (result["status"], result["exit_code"]) == ("failed", 7)
    assert (result["stdout"], result["stderr"]) == ("[] \n", "wrong\n")


def test_output_comes_while_the_program_runs(terminal: Terminal, tmp_path: Path) -> None:
    file = _written(tmp_path, "slow.sh", "echo first; sleep 600; echo never\n")
    process = terminal.start("run", file, "--timeout", "2")
    assert process.stdout is not None
    assert process.stdout.readline() == "first\n"
    assert process.poll() is None
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 124
    assert "ended at its time limit (--timeout SECONDS sets it)" in rest
    assert "never" not in rest


def test_the_language_is_said_or_seen_and_grammar_is_told(
    terminal: Terminal, tmp_path: Path
) -> None:
    said = _written(tmp_path, "note.txt", "echo from bash: $BASH_VERSION\n")
    done = terminal.run("run", said, "--language", "bash")
    assert (done.returncode, done.stdout[:11]) == (0, "from bash: "), done.stderr
    unknown = terminal.run("run", said)
    assert unknown.returncode == 2
    assert "error: language_unknown: " in unknown.stderr
    broken = _written(tmp_path, "broken.py", "def f(:\n")
    told = terminal.run("run", broken, "--json")
    assert told.returncode == 1
    result = one_object(told.stdout)
    assert result["status"] == "compile_error"
    assert "SyntaxError" in result["stderr"]


def test_ctrl_c_ends_the_program(terminal: Terminal, tmp_path: Path) -> None:
    file = _written(tmp_path, "endless.sh", "echo on; sleep 600\n")
    # A shell's background job ignores Ctrl-C, and so would all that it starts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = terminal.start("run", file)
    signal.signal(signal.SIGINT, before)
    assert process.stdout is not None
    assert process.stdout.readline() == "on\n"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130


@pytest.mark.slow
@pytest.mark.nightly
def test_a_language_that_is_not_there_is_built_and_then_runs(
    terminal: Terminal, tmp_path: Path
) -> None:
    listed = subprocess.run(
        ["docker", "images", "--format", "{{.Repository}}:{{.Tag}}", "diono/ruby"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    for tag in listed.stdout.split():
        subprocess.run(["docker", "rmi", tag], check=False, capture_output=True)
    file = _written(tmp_path, "hello.rb", "puts 'hello ' + gets\n")
    done = terminal.run("run", file, stdin="you\n")
    assert (done.returncode, done.stdout) == (0, "hello you\n"), done.stderr
    if "ruby" in listed.stdout:
        assert "is being built for its first use" in done.stderr
        assert "packages" in done.stderr
