import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.sandbox_guest.rig import Forwarder, Guest


@pytest.fixture
def guest() -> Iterator[Guest]:
    with tempfile.TemporaryDirectory() as folder:
        started = Guest(Path(folder))
        yield started
        started.close()


@pytest.fixture
def url(guest: Guest) -> Iterator[str]:
    forwarder = Forwarder(guest.socket)
    yield forwarder.url
    forwarder.close()
