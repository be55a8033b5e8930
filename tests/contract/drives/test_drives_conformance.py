"""One suite over every provider: the real SDKs against servers that speak their wires over TLS."""

import hashlib
import io
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
import pytest_asyncio
from contract.drives_fake.cloud import Cloud
from contract.drives_fake.rigs import NAMES, approve, connected, password_request, provider_of
from contract.drives_fake.server import FakeDrives

from diono.drives.errors import (
    AccessExpired,
    ConnectRefused,
    CursorExpired,
    DriveBusy,
    DriveItemNotFound,
    LinkBroken,
    TransferBroken,
)
from diono.drives.port import ConnectMode, ConnectRequest, Drive, DriveProvider, Grant, Upload

BUSY = {"headers": {"retry-after": "7", "content-type": "text/plain"}, "body": "wait"}


@dataclass
class Rig:
    name: str
    cloud: Cloud
    provider: DriveProvider
    grant: Grant
    drive: Drive


@asynccontextmanager
async def rig_of(drives: FakeDrives, name: str) -> AsyncIterator[Rig]:
    provider, grant = await connected(drives, name)
    drive = await provider.open(grant)
    yield Rig(name, drives.clouds[name], provider, grant, drive)
    await drive.close()


@pytest_asyncio.fixture(params=NAMES)
async def rig(request: pytest.FixtureRequest, fake_drives: FakeDrives) -> AsyncIterator[Rig]:
    async with rig_of(fake_drives, request.param) as found:
        yield found


async def content_of(drive: Drive, item_id: str) -> bytes:
    async with drive.download(await drive.item(item_id)) as chunks:
        return b"".join([chunk async for chunk in chunks])


def upload_of(content: bytes, name: str, folder_id: str | None = None) -> Upload:
    return Upload(folder_id, name, io.BytesIO(content), len(content), "text/plain")


async def ids(drive: Drive, folder_id: str | None = None) -> dict[str, str]:
    page = await drive.list(folder_id, None, 100)
    return {item.name: item.item_id for item in page.items}


async def test_account_says_whose_it_is(rig: Rig) -> None:
    account = await rig.drive.account()
    assert account.account_id
    assert "me" in account.title


async def test_listing_comes_in_pages(rig: Rig) -> None:
    folder = rig.cloud.put("Reports", None)
    for number in range(5):
        rig.cloud.put(f"r{number}.csv", b"a,b", folder.node_id)
    (top,) = (await rig.drive.list(None, None, 100)).items
    assert (top.name, top.is_folder) == ("Reports", True)
    names: list[str] = []
    cursor: str | None = None
    for _ in range(9):
        page = await rig.drive.list(top.item_id, cursor, 2)
        assert len(page.items) <= 2
        names += [item.name for item in page.items]
        cursor = page.cursor
        if cursor is None:
            break
    assert sorted(names) == [f"r{number}.csv" for number in range(5)]


async def test_search_finds_by_name(rig: Rig) -> None:
    folder = rig.cloud.put("Deep", None)
    rig.cloud.put("It's a budget.csv", b"1", folder.node_id)
    rig.cloud.put("other.csv", b"2")
    found = (await rig.drive.search("budget", None, 50)).items
    assert [item.name for item in found] == ["It's a budget.csv"]


@pytest.mark.parametrize("size", [0, 5, 4_300_000])
async def test_content_arrives_whole(rig: Rig, size: int) -> None:
    content = hashlib.sha256(b"x").digest() * (size // 32) + b"x" * (size % 32)
    rig.cloud.put("data.bin", content)
    item_id = (await ids(rig.drive))["data.bin"]
    item = await rig.drive.item(item_id)
    assert item.size == size
    assert await content_of(rig.drive, item_id) == content


@pytest.mark.parametrize("how", ["cut", "spoilt"])
async def test_broken_body_is_noticed(rig: Rig, how: str) -> None:
    if rig.name == "webdav" and how == "spoilt":
        pytest.skip("plain WebDAV tells no checksum")
    rig.cloud.put("data.bin", random.Random(1).randbytes(50_000))
    item_id = (await ids(rig.drive))["data.bin"]
    rig.cloud.fail("download", times=9, **{how: True})
    with pytest.raises(TransferBroken):
        await content_of(rig.drive, item_id)


@pytest.mark.parametrize("size", [0, 11, 11_000_000])
async def test_upload_is_stored(rig: Rig, size: int) -> None:
    content = (b"0123456789" * (size // 10 + 1))[:size]
    seen: list[int] = []
    upload = Upload(None, "out.txt", io.BytesIO(content), size, "text/plain", seen.append)
    stored = await rig.drive.upload(upload)
    assert (stored.name, stored.size) == ("out.txt", size)
    assert rig.cloud.named("out.txt").content == content
    assert seen[-1:] == [size] or (size == 0 and seen in ([], [0]))
    assert seen == sorted(seen)


async def test_large_upload_goes_on_after_a_failure(rig: Rig) -> None:
    if rig.name == "webdav":
        pytest.skip("plain WebDAV sends a file at once")
    content = b"0123456789" * 2_100_000
    rig.cloud.faults["upload"] = []
    sent = rig.cloud.seen["upload"]
    # The second piece of several meets a server that fails.
    original = rig.cloud.fault

    def later(kind: str) -> object:
        if kind == "upload" and rig.cloud.seen["upload"] == sent + 2:
            rig.cloud.fail("upload", status=503)
        return original(kind)

    rig.cloud.fault = later  # type: ignore[assignment,method-assign]
    stored = await rig.drive.upload(upload_of(content, "large.bin"))
    assert stored.size == len(content)
    assert rig.cloud.named("large.bin").content == content


async def test_nothing_is_overwritten(rig: Rig) -> None:
    first = rig.cloud.put("out.txt", b"theirs")
    await rig.drive.upload(upload_of(b"ours", "out.txt"))
    assert first.content == b"theirs"
    assert sorted(node.content or b"" for node in rig.cloud.children("root-id")) == [
        b"ours",
        b"theirs",
    ]


async def test_missing_things_are_said_to_be_missing(rig: Rig) -> None:
    folder = rig.cloud.put("Gone", None)
    item_id = (await ids(rig.drive))["Gone"]
    rig.cloud.remove(folder)
    with pytest.raises(DriveItemNotFound):
        await rig.drive.list(item_id, None, 10)
    with pytest.raises(DriveItemNotFound):
        await rig.drive.item(item_id)


async def test_changes_since_a_cursor(rig: Rig) -> None:
    folder = rig.cloud.put("Sync", None)
    kept = rig.cloud.put("kept.csv", b"1", folder.node_id)
    doomed = rig.cloud.put("doomed.csv", b"2", folder.node_id)
    folder_id = (await ids(rig.drive))["Sync"]
    before = await ids(rig.drive, folder_id)
    cursor = await rig.drive.start_cursor(folder_id)
    assert cursor
    rig.cloud.write(kept, b"11")
    rig.cloud.put("new.csv", b"3", folder.node_id)
    rig.cloud.remove(doomed)
    page = await rig.drive.changes(folder_id, cursor)
    told = {change.item_id: change.item for change in page.changes}
    assert told[before["doomed.csv"]] is None
    changed = {item.name: item for item in told.values() if item is not None}
    assert set(changed) == {"kept.csv", "new.csv"}
    assert (changed["kept.csv"].size, changed["kept.csv"].parent_id) == (2, folder_id)
    assert not page.has_more
    again = await rig.drive.changes(folder_id, page.cursor)
    assert list(again.changes) == []


async def test_cursor_that_is_too_old(rig: Rig) -> None:
    folder = rig.cloud.put("Sync", None)
    folder_id = (await ids(rig.drive))["Sync"]
    cursor = await rig.drive.start_cursor(folder_id)
    rig.cloud.put("new.csv", b"3", folder.node_id)
    rig.cloud.expire_cursors()
    with pytest.raises(CursorExpired):
        await rig.drive.changes(folder_id, cursor)


async def test_wait_that_the_provider_asks_for(rig: Rig) -> None:
    rig.cloud.fail("list", status=429, **BUSY)
    with pytest.raises(DriveBusy) as caught:
        await rig.drive.list(None, None, 10)
    assert caught.value.retry_after == 7


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_provider_that_fails(rig: Rig, status: int) -> None:
    rig.cloud.fail("list", status=status, body="<html>oh</html>")
    with pytest.raises(DriveBusy):
        await rig.drive.list(None, None, 10)
    assert (await rig.drive.list(None, None, 10)).items == []


async def test_access_that_has_ended_is_renewed(rig: Rig) -> None:
    if rig.name == "webdav":
        pytest.skip("an app password does not end")
    rig.cloud.rotates = True
    rig.cloud.end_access()
    with pytest.raises(AccessExpired):
        await rig.drive.list(None, None, 10)
    renewed = await rig.provider.refresh(rig.grant)
    assert renewed.access_token != rig.grant.access_token
    assert renewed.refresh_token != rig.grant.refresh_token
    assert renewed.expires_at is not None
    drive = await rig.provider.open(renewed)
    assert (await drive.list(None, None, 10)).items == []
    await drive.close()


async def test_grant_that_was_withdrawn_is_broken(rig: Rig) -> None:
    rig.cloud.end_grants()
    with pytest.raises(AccessExpired):
        await rig.drive.list(None, None, 10)
    with pytest.raises(LinkBroken, match="Connect the drive again"):
        await rig.provider.refresh(rig.grant)


async def test_failing_token_endpoint_breaks_nothing(rig: Rig) -> None:
    if rig.name == "webdav":
        pytest.skip("an app password does not end")
    rig.cloud.fail("token", times=3, status=503)
    with pytest.raises(DriveBusy):
        await rig.provider.refresh(rig.grant)
    rig.cloud.faults.clear()
    assert (await rig.provider.refresh(rig.grant)).access_token


async def test_secrets_do_not_show(rig: Rig) -> None:
    shown = f"{rig.grant!r} {rig.grant} {rig.provider!r} {rig.drive!r}"
    assert rig.grant.access_token not in shown
    assert not rig.grant.refresh_token or rig.grant.refresh_token not in shown


async def test_revoke_ends_the_grant(rig: Rig) -> None:
    await rig.provider.revoke(rig.grant)
    if rig.name in {"google", "dropbox"}:
        assert rig.cloud.revoked
        with pytest.raises(LinkBroken):
            await rig.provider.refresh(rig.grant)


@pytest.mark.parametrize("name", ["google", "dropbox", "onedrive"])
async def test_wrong_code_is_refused(fake_drives: FakeDrives, name: str) -> None:
    provider = await provider_of(fake_drives, name)
    wanted = ConnectRequest(mode=ConnectMode.REDIRECT, state="s", redirect_uri="https://d.example")
    pending = await provider.begin(wanted)
    fake_drives.clouds[name].allow(pending.url)
    stolen = pending.model_copy(update={"secret": {**pending.secret, "verifier": "another"}})
    code = next(iter(fake_drives.clouds[name].codes))
    if name == "onedrive":
        code = "guessed"
        fake_drives.clouds[name].codes["guessed"] = {"code_challenge": "no"}
    with pytest.raises(ConnectRefused):
        await provider.finish(stolen, code)


@pytest.mark.parametrize("name", ["google", "onedrive"])
async def test_device_code_waits_for_the_user(fake_drives: FakeDrives, name: str) -> None:
    provider = await provider_of(fake_drives, name)
    pending = await provider.begin(ConnectRequest(mode=ConnectMode.DEVICE))
    assert (pending.user_code, pending.interval_seconds) == ("ABCD-EFGH", 1)
    assert await provider.finish(pending, "") is None
    approve(fake_drives.clouds[name])
    grant = await provider.finish(pending, "")
    assert grant is not None
    assert grant.refresh_token


@pytest.mark.parametrize("name", ["google", "dropbox"])
async def test_pasted_code_needs_no_public_address(fake_drives: FakeDrives, name: str) -> None:
    provider = await provider_of(fake_drives, name)
    pending = await provider.begin(ConnectRequest(mode=ConnectMode.PASTE, state="s"))
    found = fake_drives.clouds[name].allow(pending.url)
    pasted = f"http://127.0.0.1:1/?state=s&code={found['code']}" if name == "google" else None
    assert await provider.finish(pending, pasted or f" {found['code']}\n") is not None


async def test_nextcloud_sign_in(fake_drives: FakeDrives) -> None:
    provider = await provider_of(fake_drives, "webdav")
    wanted = ConnectRequest(mode=ConnectMode.LOGIN, address=fake_drives.url)
    pending = await provider.begin(wanted)
    assert pending.url.startswith(f"{fake_drives.url}/index.php/login/v2/flow/")
    assert await provider.finish(pending, "") is None
    approve(fake_drives.clouds["webdav"])
    grant = await provider.finish(pending, "")
    assert grant is not None
    drive = await provider.open(grant)
    assert (await drive.list(None, None, 10)).items == []
    await drive.close()
    await provider.revoke(grant)
    assert fake_drives.clouds["webdav"].revoked == ["app-password-from-login"]


async def test_wrong_app_password_is_refused(fake_drives: FakeDrives) -> None:
    provider = await provider_of(fake_drives, "webdav")
    with pytest.raises(ConnectRefused):
        await provider.begin(password_request(fake_drives, "wrong"))


async def test_webdav_item_cannot_leave_its_root(fake_drives: FakeDrives) -> None:
    async with rig_of(fake_drives, "webdav") as rig:
        for item_id in ("../you", "a/../../you", "a/./b", "x\x00y"):
            with pytest.raises(DriveItemNotFound):
                await rig.drive.item(item_id)


async def test_webdav_without_sync_tokens_has_no_cursor(fake_drives: FakeDrives) -> None:
    async with rig_of(fake_drives, "webdav") as rig:
        rig.cloud.has_sync_tokens = False
        assert await rig.drive.start_cursor(None) == ""
        with pytest.raises(CursorExpired):
            await rig.drive.changes(None, "")


async def test_google_documents_are_exported(fake_drives: FakeDrives) -> None:
    async with rig_of(fake_drives, "google") as rig:
        rig.cloud.put("Plan", b"rows", kind="application/vnd.google-apps.spreadsheet")
        rig.cloud.put("Survey", b"", kind="application/vnd.google-apps.form")
        found = await ids(rig.drive)
        assert await content_of(rig.drive, found["Plan.xlsx"]) == b"exported rows"
