"""Drives over HTTP: connect, import, follow, export, unlink; and what other users see of it."""

import httpx
import pytest
from contract.drives_fake.rigs import NAMES, approve
from sqlalchemy import text

from .conftest import People, ended, items_of, link_of, project_of

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def library(people: People, project: str) -> dict[str, bytes]:
    reply = await people.user.get(f"{project}/library")
    assert reply.status_code == 200, reply.text
    found: dict[str, bytes] = {}
    for item in reply.json()["items"]:
        file = await people.user.get(f"{project}/library/{item['file_id']}/content")
        found[item["name"]] = file.content
    return found


async def imported(people: People, project: str, link: str, *item_ids: str) -> dict[str, object]:
    body = {"link_id": link, "item_ids": list(item_ids)}
    reply = await people.user.post(f"{project}/drive-imports", json=body)
    assert reply.status_code == 202, reply.text
    return await ended(people.user, f"{project}/drive-imports/{reply.json()['job_id']}")


async def run_sync(people: People, project: str, sync_id: str) -> dict[str, object]:
    reply = await people.user.post(f"{project}/drive-syncs/{sync_id}/run")
    assert reply.status_code == 202, reply.text
    return await ended(people.user, f"{project}/drive-syncs/{sync_id}")


@pytest.mark.parametrize("name", NAMES)
async def test_whole_life(people: People, name: str) -> None:
    cloud = people.cloud(name)
    folder = cloud.put("Reports", None)
    first = cloud.put("first.csv", b"region,sum\nnorth,1\n", folder.node_id)
    inner = cloud.put("Inner", None, folder.node_id)
    cloud.put("second.csv", b"region,sum\nsouth,2\n", inner.node_id)
    link = await link_of(people, name)
    project = await project_of(people.user)

    found = await people.user.get(f"/api/drives/links/{link}/search", params={"text": "second"})
    assert [item["name"] for item in found.json()["items"]] == ["second.csv"]
    reports = (await items_of(people, link))["Reports"]
    job = await imported(people, project, link, reports)
    assert (job["state"], job["items_done"], job["items_failed"]) == ("SUCCEEDED", 2, 0)
    assert job["bytes_done"] == job["bytes_total"] == 38
    assert await library(people, project) == {
        "first.csv": b"region,sum\nnorth,1\n",
        "second.csv": b"region,sum\nsouth,2\n",
    }

    followed = await project_of(people.user)
    body = {"link_id": link, "folder_id": reports}
    sync = (await people.user.post(f"{followed}/drive-syncs", json=body)).json()
    path = f"{followed}/drive-syncs/{sync['sync_id']}"
    assert (await ended(people.user, path))["state"] == "SUCCEEDED"
    assert set(await library(people, followed)) == {"first.csv", "second.csv"}
    cloud.write(first, b"changed")
    cloud.put("third.csv", b"3", inner.node_id)
    cloud.remove(cloud.named("second.csv"))
    job = await run_sync(people, followed, sync["sync_id"])
    assert (job["state"], job["items_done"]) == ("SUCCEEDED", 2)
    assert await library(people, followed) == {"first.csv": b"changed", "third.csv": b"3"}
    cloud.remove(inner)
    await run_sync(people, followed, sync["sync_id"])
    assert set(await library(people, followed)) == {"first.csv"}
    shown = (await people.user.get(path)).json()
    assert (shown["file_count"], shown["is_own"]) == (1, True)

    files = (await people.user.get(f"{followed}/library")).json()["items"]
    body = {"link_id": link, "file_ids": [files[0]["file_id"]]}
    reply = await people.user.post(f"{followed}/drive-exports", json=body)
    job = await ended(people.user, f"{followed}/drive-exports/{reply.json()['job_id']}")
    assert job["state"] == "SUCCEEDED", job
    assert b"changed" in [node.content for node in cloud.children("root-id")]

    report = (await people.user.delete(f"/api/drives/links/{link}")).json()
    assert report["is_revoked"] is True, report
    assert (await people.user.get(f"/api/drives/links/{link}")).status_code == 404
    assert (await people.user.get(path)).status_code == 404
    assert set(await library(people, followed)) == {"first.csv"}


async def test_users_do_not_see_each_others_links(people: People) -> None:
    people.cloud("google").put("mine.csv", b"1")
    link = await link_of(people, "google")
    project, theirs = await project_of(people.user), await project_of(people.stranger)
    item = (await items_of(people, link))["mine.csv"]
    started = await people.user.post(
        f"{project}/drive-imports", json={"link_id": link, "item_ids": [item]}
    )
    await ended(people.user, f"{project}/drive-imports/{started.json()['job_id']}")
    assert (await people.stranger.get("/api/drives")).json()["links"] == []
    use = {"link_id": link, "item_ids": [item]}
    file = {"link_id": link, "file_ids": ["fil_1"]}
    tries: list[tuple[str, str, dict[str, object] | None]] = [
        ("GET", f"/api/drives/links/{link}", None),
        ("DELETE", f"/api/drives/links/{link}", None),
        ("GET", f"/api/drives/links/{link}/items", None),
        ("GET", f"/api/drives/links/{link}/search?text=a", None),
        ("POST", f"{theirs}/drive-imports", use),
        ("POST", f"{theirs}/drive-exports", file),
        ("POST", f"{theirs}/drive-syncs", {"link_id": link}),
    ]
    for method, path, body in tries:
        foreign = await people.stranger.request(method, path, json=body)
        fields = None if body is None else {**body, "link_id": "drv_0"}
        missing = await people.stranger.request(method, path.replace(link, "drv_0"), json=fields)
        assert (foreign.status_code, missing.status_code) == (404, 404), (method, path)
        assert foreign.json()["detail"] == missing.json()["detail"].replace("drv_0", link)
    assert (await people.stranger.get(f"{project}/drive-imports")).status_code == 404
    assert (await people.user.get(f"/api/drives/links/{link}")).status_code == 200


async def test_another_browser_cannot_come_back(people: People) -> None:
    """A link that somebody is lured to open must not give their drive away (login CSRF)."""
    started = await people.user.post("/api/drives/dropbox/connect", json={"mode": "redirect"})
    back = people.cloud("dropbox").allow(started.json()["url"])
    lured = await people.stranger.get("/api/drives/dropbox/callback", params=back)
    assert "drive_error=connect_unknown" in lured.headers["location"]
    other = await people.user.get("/api/drives/google/callback", params=back)
    assert "drive_error=connect_unknown" in other.headers["location"]
    assert (await people.stranger.get("/api/drives")).json()["links"] == []


async def test_state_is_used_once(people: People) -> None:
    started = await people.user.post("/api/drives/google/connect", json={"mode": "redirect"})
    cookie = people.user.cookies.get("diono_drive")
    back = people.cloud("google").allow(started.json()["url"])
    first = await people.user.get("/api/drives/google/callback", params=back)
    assert "linked=" in first.headers["location"]
    same = {"Cookie": f"diono_drive={cookie}"}
    again = await people.user.get("/api/drives/google/callback", params=back, headers=same)
    assert "drive_error=connect_unknown" in again.headers["location"]


async def test_user_who_says_no(people: People) -> None:
    started = await people.user.post("/api/drives/google/connect", json={"mode": "redirect"})
    state = people.cloud("google").allow(started.json()["url"])["state"]
    back = {"state": state, "error": "access_denied"}
    came = await people.user.get("/api/drives/google/callback", params=back)
    assert came.headers["location"].endswith("/drives?drive_error=connect_refused")


async def test_device_code_without_a_public_address(people: People) -> None:
    await people.reopen(public_url="")
    try:
        offered = {p["name"]: p for p in (await people.user.get("/api/drives")).json()["providers"]}
        assert offered["onedrive"]["modes"] == ["device"]
        assert offered["dropbox"]["modes"] == ["paste"]
        started = (await people.user.post("/api/drives/onedrive/connect", json={})).json()
        finish = f"/api/drives/connects/{started['connect_id']}/finish"
        assert started["user_code"] == "ABCD-EFGH"
        foreign = await people.stranger.post(finish, json={})
        assert (foreign.status_code, foreign.json()["error"]) == (404, "connect_unknown")
        assert (await people.user.post(finish, json={})).json() == {"link": None}
        approve(people.cloud("onedrive"))
        assert (await people.user.post(finish, json={})).json()["link"]["provider"] == "onedrive"
        started = (await people.user.post("/api/drives/dropbox/connect", json={})).json()
        code = people.cloud("dropbox").allow(started["url"])["code"]
        finish = f"/api/drives/connects/{started['connect_id']}/finish"
        done = await people.user.post(finish, json={"code": code})
        assert done.json()["link"]["state"] == "ok"
        assert (await people.user.post(finish, json={"code": code})).status_code == 404
    finally:
        await people.reopen()


async def test_withdrawn_access_is_a_broken_link_with_a_way_out(people: People) -> None:
    link = await link_of(people, "google")
    people.cloud("google").end_grants()
    reply = await people.user.get(f"/api/drives/links/{link}/items")
    assert (reply.status_code, reply.json()["error"]) == (409, "drive_link_broken")
    shown = (await people.user.get(f"/api/drives/links/{link}")).json()
    assert (shown["state"], "Connect the drive again" in shown["problem"]) == ("broken", True)
    again = await link_of(people, "google")
    assert again == link
    assert (await people.user.get(f"/api/drives/links/{link}")).json()["state"] == "ok"
    assert (await people.user.get(f"/api/drives/links/{link}/items")).status_code == 200


async def test_secrets_are_nowhere_to_be_read(
    people: People, capsys: pytest.CaptureFixture[str]
) -> None:
    link = await link_of(people, "dropbox")
    cloud = people.cloud("dropbox")
    secrets = {*cloud.access_tokens, *cloud.refresh_tokens, "client-secret-1"}
    answers: list[httpx.Response] = [
        await people.user.get("/api/drives"),
        await people.admin.get("/api/drives"),
        await people.user.get(f"/api/drives/links/{link}"),
        await people.admin.get("/api/admin/audit"),
    ]
    shown = "".join(answer.text for answer in answers) + "".join(capsys.readouterr())
    async with people.app.state.files._database.read() as session:
        for table in ("drive_links", "drive_clients", "drive_connects", "audit_events"):
            shown += str((await session.execute(text(f"SELECT * FROM {table}"))).all())
    assert not [secret for secret in secrets if secret in shown]
    assert "drive.linked" in shown


async def test_only_admins_enter_clients(people: People) -> None:
    body = {"client_id": "x", "client_secret": "y"}
    refused = await people.user.put("/api/drives/google/client", json=body)
    assert (refused.status_code, refused.json()["error"]) == (403, "admin_only")
    unknown = await people.admin.put("/api/drives/elsewhere/client", json=body)
    assert unknown.status_code == 404
