"""Both of the SDK's faces against the real service. The SDKs are as they come from the index."""

from collections.abc import AsyncGenerator, Generator

import pytest
from contract.e2b.service_rig import Service, described, running_service
from contract.e2b.uniform import Uniform
from e2b import AsyncSandbox, Sandbox


@pytest.fixture(scope="session")
def service() -> Generator[Service]:
    known = described()
    if known is not None:
        yield known
        return
    with running_service() as started:
        yield started


@pytest.fixture(autouse=True)
def _environment(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("E2B_API_KEY", service.key)
    monkeypatch.setenv("E2B_API_URL", service.url)
    monkeypatch.setenv("E2B_SANDBOX_URL", service.url)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "*")


@pytest.fixture(params=["sync", "async"])
def is_async(request: pytest.FixtureRequest) -> bool:
    return request.param == "async"


@pytest.fixture
def sdk(is_async: bool) -> Uniform:
    """The SDK's Sandbox class; each of its calls is awaited."""
    return Uniform(AsyncSandbox if is_async else Sandbox)


@pytest.fixture
async def sandbox(sdk: Uniform) -> AsyncGenerator[Uniform]:
    created = await sdk.create(timeout=120)
    yield created
    await created.kill()
