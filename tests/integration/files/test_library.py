"""One list of what a project has: search, tags, origins, pages, and the stored files as a zip."""

import io
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI

from diono.features.files.service import Files
from diono.features.tasks.tables import Artifact, Task
from diono.kernel.ids import new_id

from .conftest import Desk

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def finished_task(app: FastAPI, desk: Desk, path: str) -> str:
    """A finished task with one file, as a run leaves it."""
    files: Files = app.state.files
    now, task_id = datetime.now(UTC), new_id("tsk")
    project = (await desk.client.get(desk.path)).json()
    async with files._database.write() as session:
        session.add(
            Task(
                task_id=task_id, owner_id=project["owner_id"], project_id=desk.project_id,
                prompt="p", budget_seconds=60, created_at=now, started_at=now,
                finished_at=now - timedelta(days=1), status="SUCCEEDED",
            )
        )  # fmt: skip
        await session.flush()
        session.add(Artifact(task_id=task_id, path=path, size=3, sha256="0" * 64))
    return task_id


async def names(desk: Desk, **query: str) -> list[str]:
    reply = await desk.client.get(f"{desk.path}/library", params=query)
    assert reply.status_code == 200, reply.text
    return [item["name"] for item in reply.json()["items"]]


async def test_files_and_artifacts_are_one_list(desk: Desk, app: FastAPI) -> None:
    sales = await desk.upload("Umsätze_2026.csv", b"a,b\n")
    await desk.upload("notes 100%.md", b"# Notes")
    await finished_task(app, desk, "src/main.py")
    await desk.client.patch(f"{desk.path}/library/{sales['file_id']}", json={"tags": ["Sales"]})
    assert await names(desk) == ["notes 100%.md", "Umsätze_2026.csv", "src/main.py"]
    assert await names(desk, query="umsätze_") == ["Umsätze_2026.csv"]
    assert await names(desk, query="%") == ["notes 100%.md"]
    assert await names(desk, query="MAIN") == ["src/main.py"]
    assert await names(desk, query="\\") == []
    assert await names(desk, tag="sales") == ["Umsätze_2026.csv"]
    assert await names(desk, origin="task") == ["src/main.py"]
    page = (await desk.client.get(f"{desk.path}/library")).json()
    assert page["tags"] == [{"tag": "sales", "count": 1}]
    assert [item["media_type"] for item in page["items"]] == [
        "text/markdown", "text/csv", "text/x-python",
    ]  # fmt: skip


async def test_pages_follow_each_other_without_gaps(desk: Desk, app: FastAPI) -> None:
    await finished_task(app, desk, "z.py")
    for number in range(5):
        await desk.upload(f"{number}.txt", b"x")
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"limit": "2", **({"cursor": cursor} if cursor else {})}
        page = (await desk.client.get(f"{desk.path}/library", params=query)).json()
        found += [item["name"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert found == ["4.txt", "3.txt", "2.txt", "1.txt", "0.txt", "z.py"]
    broken = await desk.client.get(f"{desk.path}/library", params={"cursor": "bm9uc2Vuc2U="})
    assert (broken.status_code, broken.json()["error"]) == (422, "cursor_refused")


async def test_stored_files_come_as_a_zip(desk: Desk) -> None:
    path, query = f"{desk.path}/export", {"form": "files"}
    empty = await desk.client.get(path, params=query)
    assert (empty.status_code, empty.json()["error"]) == (422, "nothing_to_export")
    contents = {"a.txt": b"a" * 3_000_000, "ü.csv": b"x,y"}
    for name, content in contents.items():
        await desk.upload(name, content)
    reply = await desk.client.get(path, params=query)
    with zipfile.ZipFile(io.BytesIO(reply.content)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == contents
