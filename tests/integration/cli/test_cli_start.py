"""The launcher: bad input before any set-up, a first start from nothing, a quick second one."""

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from diono.settings import REPOSITORY
from tests.integration.cli.terminal import Terminal, kill_group, one_object, wait_until


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A checkout in which nothing was set up; package caches are shared."""
    root = tmp_path / "clone"
    root.mkdir()
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "diono", "backend", "workspace/images"],
        cwd=REPOSITORY, check=True, capture_output=True, text=True,
    )  # fmt: skip
    for name in names.stdout.splitlines():
        if (REPOSITORY / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, root / name)
    return root


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["build", " "], "empty_prompt"),
        (["build", "x" * 90_000], "prompt_too_large"),
        (["build", "x", "--budget-seconds", "soon"], "invalid_input"),
        (["fly"], "invalid_input"),
    ],
)
def test_bad_input_is_refused_before_anything_is_set_up(
    clone: Path, tmp_path: Path, arguments: list[str], code: str
) -> None:
    done = Terminal(tmp_path, "8630-8639").run(*arguments, "--json", root=clone)
    assert done.returncode == 2
    assert one_object(done.stdout)["error"] == code
    assert done.stderr.startswith(f"error: {code}: ")
    assert not (clone / ".venv").exists()
    assert not (clone / ".diono-setup").exists()


@pytest.mark.slow
def test_a_killed_set_up_is_taken_up_again_and_the_next_start_is_quick(
    clone: Path, tmp_path: Path
) -> None:
    terminal = Terminal(tmp_path, "8630-8639")
    first = terminal.start("models", "--json", root=clone)
    log = clone / ".diono-setup" / "setup.log"
    wait_until(lambda: log.is_file() and "$ " in log.read_text(), "a begun set-up", 60)
    kill_group(first)
    assert not (clone / ".diono-setup" / "python").exists()

    second = terminal.run("models", "--json", root=clone)
    assert second.returncode == 0, second.stderr
    assert "[set-up] Python environment: ready in" in second.stderr
    assert "models" in one_object(second.stdout)

    started = time.monotonic()
    third = terminal.run("--help", root=clone)
    assert third.returncode == 0
    assert time.monotonic() - started < 2
    assert "[set-up]" not in third.stderr


@pytest.mark.slow
def test_offline_takes_nothing_from_the_network_and_says_what_is_missing(
    clone: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "cache"
    done = subprocess.run(
        ["env", f"UV_CACHE_DIR={empty}", f"XDG_CACHE_HOME={empty}",
         str(clone / "diono"), "models", "--offline"],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 3
    assert "error: offline_missing: " in done.stderr
    assert "without --offline" in done.stderr


def test_a_checkout_that_moved_is_set_up_again(clone: Path) -> None:
    stamp = clone / ".diono-setup" / "python"
    stamp.parent.mkdir()
    lock = (clone / "backend" / "requirements.lock").read_text()
    stamp.write_text(f"/somewhere/else\n{lock}")
    python = clone / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\necho taken\n")
    python.chmod(0o755)
    assert "taken" not in subprocess.run(
        [str(clone / "diono"), "--help"], capture_output=True, text=True, check=True
    ).stdout  # fmt: skip
    stamp.write_text(f"{clone}\n{lock}")
    assert "taken" in subprocess.run(
        [str(clone / "diono"), "--help"], capture_output=True, text=True, check=True
    ).stdout  # fmt: skip


def test_a_machine_without_python_gets_the_command_to_type(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "dirname", "readlink", "cat", "cmp"):
        (programs / name).symlink_to(shutil.which(name) or "/bin/false")
    copy = tmp_path / "diono"
    text = (REPOSITORY / "diono").read_text().replace("/usr/bin/python3", "/nowhere/python3")
    copy.write_text(text)
    done = subprocess.run(
        ["/bin/sh", str(copy), "doctor"], env={"PATH": str(programs)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert "apt-get install -y python3" in done.stderr


def test_what_lies_in_the_callers_folder_is_never_imported(clone: Path, tmp_path: Path) -> None:
    (tmp_path / "diono").mkdir()
    for name in ("diono/__init__.py", "argparse.py", "json.py"):
        (tmp_path / name).write_text("raise SystemExit('imported')")
    done = subprocess.run(
        [str(clone / "diono"), "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert "build" in done.stdout
