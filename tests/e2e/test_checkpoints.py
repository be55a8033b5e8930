"""Points of a project to return to: named, marked, compared, gone back to, copied."""

import pytest
from e2e.visitor import SCRIPTED, Visitor
from playwright.async_api import Locator, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.engine, pytest.mark.slow]

FIRST, SECOND = "notes/first.txt", "notes/second.txt"
NAMED = "Two notes"


def _checkpoint(page: Page, title: str) -> Locator:
    return page.get_by_test_id("checkpoint").filter(has_text=title)


async def _press(row: Locator, verb: str) -> None:
    await row.get_by_role("button", name=verb).click()


async def _files(visitor: Visitor, path: str) -> list[str]:
    listed = await visitor.call("GET", f"{path}/files?live=true")
    return sorted(file["path"] for file in listed["files"] if file["path"].startswith("notes/"))


async def _titles(visitor: Visitor, path: str, query: str = "") -> list[str]:
    listed = await visitor.call("GET", f"{path}/checkpoints{query}")
    return [item["title"] for item in listed["items"]]


async def _two_notes_are_written(visitor: Visitor) -> str:
    """Chat in a new project; returns where the API has it."""
    page = visitor.page
    await page.goto(f"{visitor.server.url}/projects")
    await page.get_by_label("Name of the new project").fill("Garden")
    await page.get_by_role("button", name="New empty project").click()
    await page.get_by_label("Model").select_option(SCRIPTED)
    message = page.get_by_label("Message to the agent")
    await message.fill("Write two notes")
    await message.press("Enter")
    await expect(page.get_by_test_id("turn").last).to_contain_text("Both are written.")
    await expect(page.get_by_role("button", name="Send")).to_be_visible()
    return f"/api/projects/{page.url.rsplit('/', 1)[-1].split('?')[0]}"


async def _one_is_named_and_one_marked(visitor: Visitor, path: str) -> None:
    page = visitor.page
    await page.get_by_role("tab", name="History").click()
    rows = page.get_by_test_id("checkpoint")
    await expect(rows).to_have_count(2)
    await page.get_by_label("Name of the checkpoint").fill(NAMED)
    await page.get_by_role("button", name="Keep as it is").click()
    await expect(rows).to_have_count(3)
    await expect(rows.first).to_contain_text(NAMED)

    await _press(_checkpoint(page, FIRST), "Bookmark")
    await page.get_by_label("Bookmarked only").check()
    await expect(rows).to_have_count(1)
    await expect(rows.get_by_role("button", name="Bookmark")).to_have_attribute(
        "aria-pressed", "true"
    )
    titles = await _titles(visitor, path)
    assert titles[0] == NAMED
    assert await _titles(visitor, path, "?is_bookmarked=true") == [titles[2]]
    await page.get_by_label("Bookmarked only").uncheck()
    await expect(rows).to_have_count(3)


async def _the_older_is_restored(visitor: Visitor, path: str) -> None:
    page = visitor.page
    # The newest comes first, and going back is named after where it goes.
    older = _checkpoint(page, f"write_file {FIRST}").last
    await _press(older, "Compare")
    changed = older.get_by_role("list", name="Changed files")
    await expect(changed).to_contain_text(SECOND)
    await expect(changed).not_to_contain_text(FIRST)
    await expect(older.get_by_label("Difference")).to_contain_text("+Write more.")
    await _press(older, "Restore")
    await page.get_by_role("button", name="Restore", exact=True).last.click()
    await expect(page.get_by_text(f"What was there is kept in “{NAMED}”.")).to_be_visible()
    # The open comparison follows.
    await expect(older).to_contain_text("The files are as they were then.")
    await expect(page.get_by_test_id("mark")).to_contain_text("put back to the checkpoint")
    assert await _files(visitor, path) == [FIRST]
    back, *others = await _titles(visitor, path)
    assert back.startswith(f"Back to “write_file {FIRST}")
    assert len(others) == 3


async def _the_newer_is_copied(visitor: Visitor, path: str) -> str:
    page = visitor.page
    origin = page.url.split("?")[0]
    await _press(_checkpoint(page, NAMED), "Fork")
    await expect(page.get_by_role("heading", name="Garden (copy)")).to_be_visible()
    fork = f"/api/projects/{page.url.rsplit('/', 1)[-1]}"
    assert fork != path
    await expect(page.get_by_label("Conversation", exact=True)).to_contain_text("Both are written.")
    await page.get_by_role("tab", name="History").click()
    await expect(page.get_by_test_id("checkpoint")).to_have_count(3)
    await _press(_checkpoint(page, f"write_file {FIRST}"), "Compare")
    await expect(page.get_by_test_id("diff")).to_contain_text(SECOND)
    info = await visitor.call("GET", fork)
    assert f"/projects/{info['forked_from']}" in origin
    assert await _files(visitor, fork) == [FIRST, SECOND]
    assert await _files(visitor, path) == [FIRST]
    await page.get_by_role("link", name="a copy").click()
    await page.wait_for_url(origin)
    await expect(page.get_by_role("heading", name="Garden", exact=True)).to_be_visible()
    return fork


async def test_a_project_is_compared_put_back_and_copied(visitor: Visitor) -> None:
    await visitor.sign_in()
    path = await _two_notes_are_written(visitor)
    await _one_is_named_and_one_marked(visitor, path)
    await _the_older_is_restored(visitor, path)
    fork = await _the_newer_is_copied(visitor, path)
    await visitor.call("DELETE", fork, name="Garden (copy)")
    await visitor.call("DELETE", path, name="Garden")
