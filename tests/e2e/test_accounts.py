"""Several people at one dashboard: added, invited, let into a project, and sent away again."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from e2e.visitor import Visitor
from playwright.async_api import Browser, Page, expect

from diono.kernel.ids import new_id

pytestmark = [pytest.mark.browser, pytest.mark.engine, pytest.mark.slow]

PASSWORD = "four plain words here"
Opened = Callable[[], Awaitable[Page]]


@pytest.fixture
async def other_browser(browser: Browser) -> AsyncIterator[Opened]:
    """Opens a page that shares nothing with the others; a script error on it fails the test."""
    problems: list[str] = []
    async with AsyncExitStack() as stack:

        async def open_page() -> Page:
            context = await browser.new_context(viewport={"width": 1200, "height": 900})
            stack.push_async_callback(context.close)
            page = await context.new_page()
            page.on("pageerror", lambda error: problems.append(str(error)))
            return page

        yield open_page
    assert problems == []


async def _sign_in(page: Page, url: str, name: str) -> None:
    await page.goto(url)
    await page.get_by_label("User name").fill(name)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("link", name=name)).to_be_visible()


async def _added(page: Page, url: str, name: str) -> str:
    """Add a user as an admin and return the link that is handed over."""
    await page.goto(f"{url}/admin")
    form = page.get_by_role("form", name="New user")
    await form.get_by_label("User name").fill(name)
    await form.get_by_role("button", name="Add").click()
    link = await page.get_by_test_id("one-time-link").text_content()
    await page.get_by_role("button", name="I have handed it over").click()
    return link or ""


async def _choose_password(page: Page, link: str) -> None:
    await page.goto(link)
    await page.get_by_role("textbox", name="New password").fill(PASSWORD)
    await page.get_by_label("Once more").fill(PASSWORD)
    await page.get_by_role("button", name="Set the password").click()
    await expect(page.get_by_text("Your new password is set")).to_be_visible()
    assert "#" not in page.url


async def test_a_user_is_added_shares_a_project_and_is_switched_off(
    visitor: Visitor, other_browser: Opened, tmp_path: Path
) -> None:
    url, name = visitor.server.url, new_id("ada")
    await visitor.sign_in()
    admin = visitor.page
    link = await _added(admin, url, name)
    guest = await other_browser()
    await _choose_password(guest, link)
    # An address that differs only behind its # would not be loaded again.
    guest = await other_browser()
    await guest.goto(link)
    await guest.get_by_role("textbox", name="New password").fill(PASSWORD)
    await guest.get_by_label("Once more").fill(PASSWORD)
    await guest.get_by_role("button", name="Set the password").click()
    await expect(guest.get_by_role("alert")).to_be_visible()
    await _sign_in(guest, url, name)

    await guest.goto(f"{url}/admin")
    await expect(guest.get_by_text("This page is for admins")).to_be_visible()

    project = await visitor.call("POST", "/api/projects", name="Shared garden")
    await admin.goto(f"{url}/projects/{project['project_id']}?tab=people")
    await admin.get_by_label("Share with").fill(name)
    await admin.get_by_role("button", name="Share").click()
    await expect(admin.get_by_test_id("member")).to_have_count(2)
    await guest.goto(f"{url}/projects")
    await guest.get_by_role("link", name=re.compile("Shared garden")).click()
    await guest.get_by_role("tab", name="People").click()
    await expect(guest.get_by_role("button", name="Leave the project")).to_be_visible()

    await admin.goto(f"{url}/admin")
    await admin.get_by_label("Find").fill(name)
    await admin.get_by_role("button", name=f"Switch off {name}").click()
    await admin.get_by_role("button", name="Switch off", exact=True).click()
    await expect(admin.get_by_text("Switched off")).to_be_visible()
    await guest.reload()
    await expect(guest.get_by_role("heading", name="Sign in")).to_be_visible()


async def test_an_invited_person_joins_sees_sessions_and_changes_the_password(
    visitor: Visitor, other_browser: Opened
) -> None:
    url, name = visitor.server.url, new_id("eve")
    await visitor.sign_in()
    admin = visitor.page
    await admin.goto(f"{url}/admin")
    await admin.get_by_label("Registration", exact=True).select_option("invite")
    await admin.get_by_role("button", name="Invite", exact=True).click()
    link = await admin.get_by_test_id("one-time-link").text_content()
    assert await visitor.accessibility_problems() == []

    guest = await other_browser()
    await guest.goto(f"{url}/join")
    await expect(guest.get_by_text("Accounts are made by invitation here")).to_be_visible()
    # The address stays the same up to its #: a new page, as from a mail.
    guest = await other_browser()
    await guest.goto(link or "")
    await guest.get_by_label("User name").fill(name)
    await guest.get_by_label("Password", exact=True).fill(PASSWORD)
    await guest.get_by_label("Once more").fill(PASSWORD)
    await guest.get_by_role("button", name="Make the account").click()
    await expect(guest.get_by_text("Nearly there")).to_be_visible()
    await _sign_in(guest, url, name)
    elsewhere = await other_browser()
    await _sign_in(elsewhere, url, name)

    await guest.goto(f"{url}/account")
    await expect(guest.get_by_test_id("session")).to_have_count(2)
    await guest.get_by_label("Present password").fill(PASSWORD)
    await guest.get_by_role("textbox", name="New password").fill(PASSWORD + " more")
    await guest.get_by_label("Once more").fill(PASSWORD + " more")
    await guest.get_by_role("button", name="Change the password").click()
    await expect(guest.get_by_text("The new password holds from now on.")).to_be_visible()
    await expect(guest.get_by_test_id("session")).to_have_count(1)
    await elsewhere.reload()
    await expect(elsewhere.get_by_role("heading", name="Sign in")).to_be_visible()
    await guest.get_by_role("button", name="Sign out everywhere").click()
    await guest.get_by_role("button", name="Sign out everywhere").last.click()
    await expect(guest.get_by_text("You were signed out everywhere.")).to_be_visible()
