"""`diono projects` and `diono chat` against the real server and the real engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.cli.terminal import Terminal, one_object

pytestmark = pytest.mark.engine

SCRIPT = Path(__file__).parents[1] / "chat" / "script.yaml"
MODEL = ("--model", "scripted/script")


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A terminal with a server that runs in the background."""
    terminal = Terminal(tmp_path_factory.mktemp("talk"), "8650-8659", SCRIPT)
    started = terminal.run("up", "--daemon", "--no-setup")
    assert started.returncode == 0, started.stderr
    yield terminal
    assert terminal.run("down").returncode == 0


def test_a_project_is_talked_to_shown_and_put_back(terminal: Terminal) -> None:
    made = terminal.run("projects", "create", "Garden")
    assert made.returncode == 0, made.stderr
    said = terminal.run("chat", "Garden", "Write a note", *MODEL)
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith("Done")
    assert "> write_file" in said.stderr
    # Nobody is there to allow it, so it is refused and the turn goes on.
    refused = terminal.run("chat", "Garden", "Clear the folder", *MODEL, "--json")
    assert one_object(refused.stdout)["is_final"] is True
    assert "refused, for nobody is here to ask" in refused.stderr
    shown = one_object(terminal.run("projects", "show", "Garden", "--json").stdout)
    assert shown["state"]["active_files"] == ["notes/first.txt"]
    [checkpoint] = shown["checkpoints"]
    back = terminal.run("projects", "restore", "Garden", checkpoint["checkpoint_id"])
    assert back.returncode == 0, back.stderr
    assert back.stdout.startswith("back to write_file notes/first.txt")
