"""Jobs over drives under faults: waits, broken bodies, expired cursors, cancelling, restarts."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from contract.drives_fake.cloud import Cloud
from contract.drives_fake.rigs import NAMES

from .conftest import People, ended, items_of, link_of, project_of
from .test_drives_life import imported, library, run_sync

pytestmark = pytest.mark.asyncio(loop_scope="module")
WORKER = Path(__file__).with_name("sync_worker.py")


@pytest.mark.parametrize("name", NAMES)
async def test_import_survives_what_providers_do(people: People, name: str) -> None:
    cloud = people.cloud(name)
    for number in range(3):
        cloud.put(f"f{number}.csv", b"x" * 5_000 + bytes([number]))
    link = await link_of(people, name)
    found = await items_of(people, link)
    cloud.rotates = True
    cloud.fail("download", status=429, headers={"retry-after": "0"}, body="wait")
    cloud.fail("download", status=503, body="oh")
    cloud.fail("download", times=2, cut=True)
    if name != "webdav":
        cloud.end_access()
    project = await project_of(people.user)
    job = await imported(people, project, link, *found.values())
    assert (job["state"], job["items_done"]) == ("SUCCEEDED", 3), job
    stored = await library(people, project)
    assert stored == {f"f{n}.csv": b"x" * 5_000 + bytes([n]) for n in range(3)}


async def test_one_refresh_for_many_who_need_it(people: People) -> None:
    cloud = people.cloud("google")
    cloud.rotates = True
    link = await link_of(people, "google")
    before = cloud.seen["token"]
    cloud.end_access()
    path = f"/api/drives/links/{link}/items"
    replies = await asyncio.gather(*(people.user.get(path) for _ in range(8)))
    assert {reply.status_code for reply in replies} == {200}
    assert cloud.seen["token"] == before + 1


async def test_file_that_never_arrives_whole_fails_with_a_reason(people: People) -> None:
    cloud = people.cloud("dropbox")
    cloud.put("bad.bin", b"0123456789" * 100)
    cloud.put("good.bin", b"1")
    link = await link_of(people, "dropbox")
    found = await items_of(people, link)
    cloud.fail("download", times=99, spoilt=True)
    project = await project_of(people.user)
    job = await imported(people, project, link, found["bad.bin"])
    assert (job["state"], job["error"]) == ("FAILED", "drive_transfer_broken")
    assert await library(people, project) == {}


async def test_missing_item_does_not_hold_up_the_others(people: People) -> None:
    cloud = people.cloud("onedrive")
    cloud.put("good.csv", b"1")
    link = await link_of(people, "onedrive")
    found = await items_of(people, link)
    project = await project_of(people.user)
    job = await imported(people, project, link, "gone", found["good.csv"])
    assert (job["state"], job["items_done"], job["items_failed"]) == ("SUCCEEDED", 1, 1)
    detail = (await people.user.get(f"{project}/drive-imports/{job['job_id']}")).json()
    assert {item["item_id"]: item["error"] for item in detail["items"]} == {
        "gone": "drive_item_not_found",
        found["good.csv"]: "",
    }


async def test_google_documents_become_office_files(people: People) -> None:
    cloud = people.cloud("google")
    cloud.put("Plan", b"rows", kind="application/vnd.google-apps.spreadsheet")
    link = await link_of(people, "google")
    project = await project_of(people.user)
    await imported(people, project, link, *(await items_of(people, link)).values())
    assert await library(people, project) == {"Plan.xlsx": b"exported rows"}


@pytest.mark.parametrize("name", NAMES)
async def test_expired_cursor_is_a_full_comparison(people: People, name: str) -> None:
    cloud = people.cloud(name)
    folder = cloud.put("Sync", None)
    same = cloud.put("same.csv", b"1", folder.node_id)
    doomed = cloud.put("doomed.csv", b"2", folder.node_id)
    link = await link_of(people, name)
    project = await project_of(people.user)
    body = {"link_id": link, "folder_id": (await items_of(people, link))["Sync"]}
    sync = (await people.user.post(f"{project}/drive-syncs", json=body)).json()["sync_id"]
    await ended(people.user, f"{project}/drive-syncs/{sync}")
    again = await people.user.post(f"{project}/drive-syncs", json=body)
    assert (again.status_code, again.json()["error"]) == (409, "drive_sync_exists")
    cloud.remove(doomed)
    cloud.put("new.csv", b"3", folder.node_id)
    cloud.expire_cursors()
    downloads = cloud.seen["download"]
    job = await run_sync(people, project, sync)
    assert (job["state"], job["items_done"]) == ("SUCCEEDED", 1), job
    # OneDrive sends on to another address: two requests for one file.
    assert cloud.seen["download"] - downloads <= 2
    assert await library(people, project) == {"same.csv": b"1", "new.csv": b"3"}
    assert same.content == b"1"


async def test_cancelled_import_stops_and_keeps_what_it_has(people: People) -> None:
    cloud = people.cloud("webdav")
    cloud.put("a.csv", b"1")
    link = await link_of(people, "webdav")
    found = await items_of(people, link)
    cloud.fail("download", times=999, status=503)
    project = await project_of(people.user)
    body = {"link_id": link, "item_ids": list(found.values())}
    started = (await people.user.post(f"{project}/drive-imports", json=body)).json()
    path = f"{project}/drive-imports/{started['job_id']}"
    await people.user.post(f"{path}/cancel")
    job = await ended(people.user, path)
    assert job["state"] == "CANCELLED"
    assert await library(people, project) == {}


async def test_killed_in_the_middle_of_a_sync_nothing_is_lost_or_doubled(people: People) -> None:
    """Another process runs the job and is killed with SIGKILL in the middle of it."""
    cloud = people.cloud("onedrive")
    folder = cloud.put("Sync", None)
    for number in range(12):
        cloud.put(f"n{number}.csv", f"{number}".encode(), folder.node_id)
    link = await link_of(people, "onedrive")
    project = await project_of(people.user)
    folder_id = (await items_of(people, link))["Sync"]
    for keeper in people.keepers:
        await keeper.close()
    body = {"link_id": link, "folder_id": folder_id}
    sync = (await people.user.post(f"{project}/drive-syncs", json=body)).json()["sync_id"]
    try:
        await killed_worker(people, cloud)
    finally:
        await people.reopen()
    job = await ended(people.user, f"{project}/drive-syncs/{sync}")
    assert job["state"] == "SUCCEEDED", job
    assert await library(people, project) == {f"n{n}.csv": f"{n}".encode() for n in range(12)}
    cloud.put("late.csv", b"late", folder.node_id)
    await run_sync(people, project, sync)
    assert len(await library(people, project)) == 13


async def killed_worker(people: People, cloud: Cloud) -> None:
    """Let another process do the first few of a dozen files."""
    drives, data = people.drives, str(people.settings.data_dir)
    command = [sys.executable, str(WORKER), data, str(drives.certificates), str(drives.port)]
    paths = f"{WORKER.parents[2]}:{WORKER.parents[3] / 'backend'}"
    environment = {"PATH": os.environ["PATH"], "HOME": data, "PYTHONPATH": paths}
    worker = await asyncio.to_thread(subprocess.Popen, command, env=environment)
    async with asyncio.timeout(60):
        while cloud.seen["download"] < 5:
            assert worker.poll() is None
            await asyncio.sleep(0.002)
    worker.kill()
    assert await asyncio.to_thread(worker.wait) == -signal.SIGKILL
