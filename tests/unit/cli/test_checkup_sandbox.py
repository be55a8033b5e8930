"""What the doctor says of the walls between sandboxes and this machine."""

import socket
from pathlib import Path

import pytest

from diono.cli import checkup_sandbox
from diono.settings import Settings


@pytest.mark.parametrize(
    ("version", "is_patched"),
    [
        ("1.1.5+ds1-1+deb12u1", False),
        ("1.2.7", False),
        ("1.2.8", True),
        ("1.3.2", False),
        ("1.3.3", True),
        ("1.4.0-rc.1", True),
        ("2.0.0", True),
        ("", False),
        ("unknown", False),
    ],
)
def test_known_holes_of_runc_are_told(version: str, is_patched: bool) -> None:
    assert checkup_sandbox.is_patched(version) is is_patched


def test_an_engine_that_is_silent_gives_no_verdict(tmp_path: Path) -> None:
    settings = Settings()
    settings.docker_host = f"unix://{tmp_path}/no.sock"
    finding = checkup_sandbox.runtime(settings)
    assert not finding.is_ok
    assert "does not answer" in finding.detail


def test_a_taken_door_is_found(tmp_path: Path) -> None:
    settings = Settings()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings.sandbox_listen = f"127.0.0.1:{taken.getsockname()[1]}"
        finding = checkup_sandbox.door(settings)
    assert not finding.is_ok
    assert "DIONO_SANDBOX_LISTEN" in finding.fix


async def test_registries_that_are_away_are_named() -> None:
    settings = Settings()
    settings.sandbox_registries = ["registry.invalid"]
    finding = await checkup_sandbox.registries(settings)
    assert not finding.is_ok
    assert "registry.invalid" in finding.detail


async def test_a_service_that_does_not_run_is_no_fault(tmp_path: Path) -> None:
    settings = Settings()
    settings.data_dir = tmp_path
    finding = await checkup_sandbox.service(settings)
    assert finding.is_ok
    assert "starts with the server" in finding.detail
