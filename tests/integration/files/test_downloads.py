"""Stored files: types by content, ranges, inert downloads, links, tags, and the sweep."""

import os

import pytest
from fastapi import FastAPI
from integration.files.conftest import Desk, client_of

from diono.features.files.service import Files, Sweep

pytestmark = pytest.mark.asyncio(loop_scope="package")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"<html><script>alert(1)</script>", "text/html"),
        (b'<?xml version="1.0"?><svg onload="alert(1)"/>', "image/svg+xml"),
    ],
)
async def test_markup_under_another_name_stays_inert(desk: Desk, content: bytes, kind: str) -> None:
    """A09; the types themselves are in tests/unit/files."""
    file = await desk.upload("picture.png", content)
    assert file["media_type"] == kind
    reply = await desk.client.get(f"{desk.path}/library/{file['file_id']}/content")
    assert reply.headers["Content-Disposition"].startswith("attachment")
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in reply.headers["Content-Security-Policy"]
    assert reply.headers["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize(
    ("wanted", "status", "start", "end"),
    [
        ("bytes=0-9", 206, 0, 10),
        ("bytes=10-", 206, 10, 1_000),
        ("bytes=-5", 206, 995, 1_000),
        ("bytes=990-2000", 206, 990, 1_000),
        ("bytes=0-1,5-6", 200, 0, 1_000),
        ("lines=1-2", 200, 0, 1_000),
        ("bytes=1000-", 416, 0, 0),
        ("bytes=9-3", 416, 0, 0),
    ],
)
async def test_a_range_is_answered(
    desk: Desk, wanted: str, status: int, start: int, end: int
) -> None:
    content = os.urandom(1_000)
    file = await desk.upload("ranges.bin", content)
    path = f"{desk.path}/library/{file['file_id']}/content"
    reply = await desk.client.get(path, headers={"Range": wanted})
    assert reply.status_code == status
    if status != 416:
        assert reply.content == content[start:end]
    same = await desk.client.get(path, headers={"If-None-Match": reply.headers.get("ETag", "")})
    assert same.status_code == (200 if status == 416 else 304)


async def test_a_link_works_without_a_session_until_it_is_revoked(desk: Desk, app: FastAPI) -> None:
    file = await desk.upload("übersicht.csv", b"a,b\n")
    path = f"{desk.path}/library/{file['file_id']}/links"
    link = (await desk.client.post(path, json={"expires_seconds": 60})).json()
    async with client_of(app) as anybody:
        reply = await anybody.get(link["url"])
        assert (reply.status_code, reply.content) == (200, b"a,b\n")
        assert "%C3%BCbersicht.csv" in reply.headers["Content-Disposition"]
        part = await anybody.get(link["url"], headers={"Range": "bytes=0-0"})
        assert part.content == b"a"
        for broken in (link["url"][:-3] + "abc", link["url"] + "x", "/api/downloads/x.y.z"):
            refused = await anybody.get(broken)
            assert (refused.status_code, refused.json()["error"]) == (404, "link_refused")
        (listed,) = (await desk.client.get(path)).json()["items"]
        assert (listed["is_live"], listed["url"]) == (True, "")
        gone = await desk.client.delete(f"{path}/{link['link_id']}")
        assert gone.status_code == 204
        assert (await anybody.get(link["url"])).status_code == 404


async def test_a_link_is_for_one_content_only(desk: Desk, app: FastAPI) -> None:
    file = await desk.upload("changing.txt", b"old")
    path = f"{desk.path}/library/{file['file_id']}"
    link = (await desk.client.post(f"{path}/links", json={})).json()
    await desk.upload("x", b"new", replaces=file["file_id"])
    async with client_of(app) as anybody:
        assert (await anybody.get(link["url"])).status_code == 404
        link = (await desk.client.post(f"{path}/links", json={})).json()
        assert (await anybody.get(link["url"])).content == b"new"
        assert (await desk.client.delete(path)).status_code == 204
        assert (await anybody.get(link["url"])).status_code == 404


async def test_a_link_expires(desk: Desk, app: FastAPI) -> None:
    file = await desk.upload("short.txt", b"x")
    path = f"{desk.path}/library/{file['file_id']}/links"
    signer = app.state.links._signer
    link = (await desk.client.post(path, json={"expires_seconds": 1})).json()
    expired = signer.sign(
        link["link_id"], "download", -10, file=file["file_id"], digest=file["sha256"]
    )
    other = signer.sign(link["link_id"], "api", 60, file=file["file_id"], digest=file["sha256"])
    async with client_of(app) as anybody:
        for token in (expired, other):
            assert (await anybody.get(f"/api/downloads/{token}")).status_code == 404


async def test_a_file_is_renamed_and_tagged(desk: Desk) -> None:
    file = await desk.upload("old.csv", b"x")
    await desk.upload("taken.csv", b"y")
    path = f"{desk.path}/library/{file['file_id']}"
    body = {"name": "new.csv", "tags": ["Sales", " 2026 ", "sales"]}
    changed = (await desk.client.patch(path, json=body)).json()
    assert (changed["name"], changed["tags"]) == ("new.csv", ["2026", "sales"])
    taken = await desk.client.patch(path, json={"name": "TAKEN.csv"})
    assert (taken.status_code, taken.json()["error"]) == (409, "file_name_taken")
    assert (await desk.client.patch(path, json={"tags": ["x" * 61]})).status_code == 422
    assert (await desk.client.patch(path, json={"name": "../x"})).status_code == 422
    assert (await desk.client.get(path)).json()["name"] == "new.csv"


async def test_the_sweep_removes_what_nobody_names(desk: Desk, app: FastAPI) -> None:
    kept = await desk.upload("kept.bin", os.urandom(500))
    gone = await desk.upload("gone.bin", os.urandom(500))
    unfinished = (await desk.begin("unfinished.bin", 1_000)).json()["upload_id"]
    await desk.send(unfinished, 0, os.urandom(500))
    await desk.client.delete(f"{desk.path}/library/{gone['file_id']}")
    files: Files = app.state.files
    sweep = Sweep(files._database, files._blobs, grace_seconds=-10)
    count = await sweep.run()
    assert count.removed >= 1
    reply = await desk.client.get(f"{desk.path}/library/{kept['file_id']}/content")
    assert len(reply.content) == 500
    done = await desk.send(unfinished, 500, os.urandom(500))
    assert done.json()["is_complete"]
    again = await sweep.run()
    assert again.named >= 2


async def test_a_removed_project_takes_its_files_with_it(desk: Desk) -> None:
    file = await desk.upload("a.csv", b"x")
    await desk.client.patch(f"{desk.path}/library/{file['file_id']}", json={"tags": ["t"]})
    await desk.client.post(f"{desk.path}/library/{file['file_id']}/links", json={})
    upload_id = (await desk.begin("b.csv", 100)).json()["upload_id"]
    await desk.send(upload_id, 0, b"x")
    await desk.client.request("DELETE", desk.path, json={"name": "Desk"})
    assert (await desk.client.get(f"{desk.path}/uploads")).status_code == 404
