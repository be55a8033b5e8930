"""A real server, a real Chromium, and helpers to look at both."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from e2e.live_server import LiveServer
from e2e.visitor import Visitor
from playwright.async_api import Browser, async_playwright, expect

CHROMIUM = "/usr/bin/chromium"
WIDE = {"width": 1440, "height": 900}
PATIENCE_MILLISECONDS = 45_000
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="session")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    script = Path(__file__).with_name("script.yaml")
    # The servers that tests start are on this machine.
    allowed = {"DIONO_OUTBOUND_ALLOW": '["localhost"]'}
    server = LiveServer(tmp_path_factory.mktemp("live"), script, allowed)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        await browser.close()


async def _visit(browser: Browser, server: LiveServer, **options: Any) -> Visitor:
    context = await browser.new_context(accept_downloads=True, **options)
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    page = await context.new_page()
    visitor = Visitor(server, context, page, [])
    page.on("pageerror", lambda error: visitor.problems.append(str(error)))
    return visitor


@pytest.fixture
async def visitor(browser: Browser, live_server: LiveServer) -> AsyncIterator[Visitor]:
    visitor = await _visit(browser, live_server, viewport=WIDE)
    yield visitor
    await visitor.context.close()
    assert visitor.problems == []


@pytest.fixture(
    params=[
        pytest.param(("light", "wide"), id="light-wide"),
        pytest.param(("dark", "phone"), id="dark-phone"),
        pytest.param(("dark", "wide"), id="dark-wide", marks=pytest.mark.nightly),
        pytest.param(("light", "phone"), id="light-phone", marks=pytest.mark.nightly),
    ],
)
async def any_visitor(
    browser: Browser, live_server: LiveServer, request: pytest.FixtureRequest
) -> AsyncIterator[Visitor]:
    """A visitor with each theme on each size of screen."""
    theme, size = request.param
    viewport = WIDE if size == "wide" else PHONE
    visitor = await _visit(browser, live_server, viewport=viewport, color_scheme=theme)
    yield visitor
    await visitor.context.close()
    assert visitor.problems == []
