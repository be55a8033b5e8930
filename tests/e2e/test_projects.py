"""A build that asks first, then its project: chat, approval, a proven change, the way back."""

import re

import pytest
from e2e.visitor import SCRIPTED, Visitor
from playwright.async_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.engine, pytest.mark.slow]

BOOKS = "A web app with an API that keeps the books I own, stored in SQLite"
BUILD_MILLISECONDS = 120_000


async def _plan_is_edited_and_approved(page: Page) -> None:
    question = page.get_by_test_id("question")
    await expect(question).to_be_visible(timeout=BUILD_MILLISECONDS)
    await question.get_by_role("button", name="Add a field").click()
    await question.get_by_label("Name of field 5").fill("rating")
    await question.get_by_label("Type of field 5").select_option("integer")
    await question.get_by_role("button", name="Approve with your changes").click()
    status = page.get_by_test_id("task-status")
    await expect(status).to_have_text("Succeeded", timeout=BUILD_MILLISECONDS)
    await page.get_by_role("tab", name="Team").click()
    items = page.get_by_test_id("schedule-item")
    await expect(items).to_have_count(4)
    await expect(page.locator('[data-testid="schedule-item"][data-state="done"]')).to_have_count(4)


async def _says(page: Page, text: str) -> None:
    message = page.get_by_label("Message to the agent")
    await message.fill(text)
    await message.press("Enter")


async def test_a_plan_is_approved_the_app_changed_and_taken_back(visitor: Visitor) -> None:
    await visitor.sign_in()
    page = visitor.page
    await page.goto(visitor.server.url)
    await page.get_by_label("Show me the plan first").check()
    await page.get_by_label("What should be built?").fill(BOOKS)
    await page.get_by_label("Model").select_option(SCRIPTED)
    await page.get_by_role("button", name="Build it").click()
    await _plan_is_edited_and_approved(page)

    await page.get_by_role("link", name="Chat and change").click()
    await page.get_by_label("Model").select_option(SCRIPTED)
    await _says(page, "How many notes are there?")
    turn = page.get_by_test_id("turn").last
    await expect(turn).to_contain_text("There are two notes.")
    await expect(page.get_by_role("button", name="Send")).to_be_visible()
    await _says(page, "Clear the notes")
    question = page.get_by_test_id("question")
    await expect(question).to_contain_text("rm -rf notes")
    assert await visitor.accessibility_problems() == []
    await question.get_by_role("button", name="Allow", exact=True).click()
    await expect(turn).to_contain_text("The notes are gone.")

    await expect(page.get_by_role("button", name="Send")).to_be_visible()
    await page.get_by_text("Change the app").click()
    await _says(page, "Add a due date to the books")
    await expect(turn.get_by_test_id("proof")).to_contain_text(
        re.compile(r"(\d+) of \1 checks green"), timeout=BUILD_MILLISECONDS
    )

    await page.get_by_role("tab", name="History").click()
    checkpoints = page.get_by_test_id("checkpoint")
    before = checkpoints.filter(has_text="write_file notes/second.txt")
    await before.get_by_role("button", name=re.compile("Compare")).click()
    await expect(page.get_by_test_id("diff")).to_contain_text("due_date")
    await before.get_by_role("button", name=re.compile("Restore")).click()
    await page.get_by_role("button", name="Restore", exact=True).last.click()
    await expect(page.get_by_text("What was there is kept in")).to_be_visible()
    await page.reload()
    await expect(page.get_by_test_id("mark")).to_have_count(1)
    await expect(page.get_by_test_id("turn")).to_have_count(4)
    assert await visitor.accessibility_problems() == []
