"""Sandboxes, runs and shared previews, through the page and from outside it."""

import asyncio
import os
import sys

import pytest
from e2e.visitor import Visitor
from playwright.async_api import Browser, expect

pytestmark = [pytest.mark.browser, pytest.mark.engine, pytest.mark.slow]

BOOKS = "A web app with an API that keeps the books I own, stored in SQLite"
BUILD_MILLISECONDS = 120_000
PROGRAM = """import sys
print("hello", input(), sys.argv[1])
print("careful", file=sys.stderr)
sys.exit(3)
"""


def _values(lines: str) -> dict[str, str]:
    pairs = (line.removeprefix("export ").partition("=") for line in lines.splitlines())
    return {name: value for name, _, value in pairs}


async def _run_python(code: str, environment: dict[str, str]) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        code,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


async def test_a_key_from_the_page_opens_sandboxes_until_it_is_revoked(visitor: Visitor) -> None:
    await visitor.sign_in()
    page = visitor.page
    await page.goto(visitor.server.url)
    await page.get_by_role("link", name="Sandboxes").click()
    await page.get_by_role("button", name="New key").click()
    await page.get_by_label("Name").fill("from a test")
    await page.get_by_role("button", name="Create key").click()
    environment = _values(await page.get_by_test_id("key-environment").inner_text())
    example = await page.get_by_test_id("key-example").inner_text()
    assert await visitor.accessibility_problems() == []
    assert await _run_python(example, environment) == (0, "hello 42\n\n")

    await page.get_by_role("button", name="I have copied it").click()
    await expect(page.get_by_text(environment["E2B_API_KEY"])).to_have_count(0)
    await page.get_by_role("button", name="Revoke from a test").click()
    await page.get_by_role("button", name="Revoke key").click()
    await expect(page.get_by_role("button", name="Revoke from a test")).to_have_count(0)
    status, output = await _run_python(example, environment)
    assert status != 0
    assert "AuthenticationException" in output


async def test_a_program_is_run_with_input_and_told_how_it_ended(visitor: Visitor) -> None:
    await visitor.sign_in()
    page = visitor.page
    await page.goto(f"{visitor.server.url}/run")
    await page.get_by_label("Code").fill(PROGRAM)
    await page.get_by_label("Input").fill("reader")
    await page.get_by_label("Arguments").fill('"two words"')
    await page.get_by_role("button", name="Run", exact=True).click()
    await expect(page.get_by_test_id("run-status")).to_contain_text("Exit code 3")
    output = page.get_by_test_id("run-output")
    await expect(output.locator('[data-stream="stdout"]')).to_have_text("hello reader two words\n")
    await expect(output.locator('[data-stream="stderr"]')).to_have_text("careful\n")
    assert await visitor.accessibility_problems() == []

    await page.get_by_label("Code").fill("import time\nprint('begun', flush=True)\ntime.sleep(60)")
    await page.get_by_role("button", name="Run", exact=True).click()
    await expect(output).to_contain_text("begun")
    await page.get_by_role("button", name="Stop").click()
    await expect(page.get_by_test_id("run-status")).to_contain_text("Stopped by you")


async def test_a_preview_is_shared_with_a_stranger_until_revoked(
    visitor: Visitor, browser: Browser
) -> None:
    await visitor.sign_in()
    page = visitor.page
    await visitor.build(BOOKS)
    await expect(page.get_by_test_id("task-status")).to_have_text(
        "Succeeded", timeout=BUILD_MILLISECONDS
    )
    await page.get_by_role("tab", name="Project").click()
    await page.get_by_role("button", name="Run the FastAPI web program", exact=True).click()
    await expect(page.get_by_text("The FastAPI web program is running")).to_be_visible()
    service = page.get_by_test_id("service")
    await expect(service).to_contain_text("Running")
    await page.get_by_role("button", name="Log of app").click()
    await expect(page.get_by_role("region", name="Log of app")).to_contain_text("startup complete")
    await page.get_by_label("Works for").select_option("1 hour")
    await page.get_by_role("button", name="Share link").click()
    link = await page.get_by_test_id("shared-link").get_attribute("href") or ""
    assert await visitor.accessibility_problems() == []

    stranger = await browser.new_context()
    other = await stranger.new_page()
    await other.goto(link)
    await expect(other.locator("h1")).to_be_visible()
    await page.get_by_role("button", name="Revoke links").click()
    await page.get_by_role("button", name="End links").click()
    await expect(page.get_by_text("Every shared link of this project has ended")).to_be_visible()
    refused = await other.goto(link)
    assert refused is not None
    assert refused.status == 403
    await stranger.close()

    await page.get_by_role("button", name="Stop app").click()
    await expect(page.get_by_text("Nothing is running")).to_be_visible()
