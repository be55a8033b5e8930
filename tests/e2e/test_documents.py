"""A workbook of one's own: uploaded, read, searched, asked, tagged, handed on and taken away."""

import re
from pathlib import Path

import httpx
import openpyxl
import pytest
from e2e.visitor import Visitor
from playwright.async_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.engine, pytest.mark.slow]

# The first upload may build the image of the parsers.
READ_MILLISECONDS = 240_000
SALES = {"North": (410, 450), "South": (380, 520), "East": (290, 300), "West": (505, 515)}


def _workbook(folder: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Sales"
    sheet.append(["Region", "2024", "2025"])
    for region, amounts in SALES.items():
        sheet.append([region, *amounts])
    path = folder / "regions.xlsx"
    book.save(path)
    return path


async def _document(page: Page, name: str) -> None:
    row = page.locator('[data-testid="document"][data-status="ready"]').filter(has_text=name)
    await expect(row).to_be_visible(timeout=READ_MILLISECONDS)


async def test_a_workbook_is_uploaded_asked_found_and_shared(
    visitor: Visitor, tmp_path: Path
) -> None:
    await visitor.sign_in()
    page, url = visitor.page, visitor.server.url
    project = await visitor.call("POST", "/api/projects", name="Quarterly figures")
    await page.goto(f"{url}/projects/{project['project_id']}/files")
    notes = tmp_path / "notes.md"
    notes.write_text("# Harvest\n\nThe southern orchards were pruned late this year.\n")
    await page.get_by_label("Files to upload").set_input_files([_workbook(tmp_path), notes])
    await _document(page, "regions.xlsx")
    await _document(page, "notes.md")

    await page.get_by_label("A question about the tables").fill("Which region grew the most?")
    await page.get_by_role("button", name="Ask").click()
    answer = page.get_by_test_id("answer")
    await expect(answer).to_contain_text("South", timeout=READ_MILLISECONDS)
    await expect(answer).to_contain_text("140")
    await expect(answer).to_contain_text("Sales!A2:C5")
    await expect(answer.get_by_role("img")).to_be_visible()
    assert await visitor.accessibility_problems() == []

    await page.get_by_label("Search the documents").fill("orchards pruned")
    await page.get_by_role("button", name="Search").click()
    hit = page.get_by_test_id("hit").first
    await expect(hit).to_contain_text("notes.md")
    await hit.get_by_role("link", name="notes.md").click()
    await expect(page.get_by_test_id("section").first).to_contain_text("pruned late")
    assert await visitor.accessibility_problems() == []
    await page.go_back()

    await page.get_by_role("button", name="Tag regions.xlsx").click()
    await page.get_by_label("Tags, with commas between").fill("sales, 2025")
    await page.get_by_role("button", name="Save tags").click()
    await page.get_by_role("button", name=re.compile("^sales")).click()
    await expect(page.get_by_test_id("library-item")).to_have_count(1)
    await page.get_by_role("button", name="Link to regions.xlsx").click()
    link = await page.get_by_test_id("one-time-link").text_content()
    async with httpx.AsyncClient(trust_env=False) as stranger:
        fetched = await stranger.get(link or "")
    assert fetched.content == (tmp_path / "regions.xlsx").read_bytes()
    assert fetched.headers["content-disposition"].startswith("attachment")
