"""WebDAV (RFC 4918), and Nextcloud's sign-in: a server that the user names.

Every request goes through Outbound, for the address is the user's. An item's id is its path below
the address; what a client sends as one cannot leave it. Changes come from a sync-collection
REPORT (RFC 6578) where the server has it; elsewhere all is compared by ETags.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import Any, BinaryIO
from urllib.parse import quote, unquote, urlsplit

import httpx

from diono.drives import errors, port
from diono.drives.dav import LIST, TOKEN, members, report, sync_token
from diono.drives.hashes import verified
from diono.drives.http import PIECE_BYTES, answering, body_of, check_answer, json_of
from diono.drives.oauth import broken
from diono.drives.paging import cut_page
from diono.drives.pool import in_pool
from diono.infra.outbound import target_of

TITLE = "The WebDAV server"
# Far more than one file may have: what is fetched is bounded by whoever fetches it.
_MOST_BYTES = 20 * 1024 * 1024 * 1024
_SECONDS = 60.0
_MOST_FOLDERS = 200
_MOST_NAMES = 50
_EXPIRED = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED})


class WebDavProvider:
    def __init__(self, setup: port.Setup) -> None:
        self._outbound = setup.outbound

    async def begin(self, request: port.ConnectRequest) -> port.Pending:
        address = request.address.rstrip("/")
        target_of(address)
        if request.mode is port.ConnectMode.LOGIN:
            return await self._begin_login(address)
        # A Nextcloud's own address is what people know; its files are further down.
        name = quote(request.username, safe="")
        for root in (address, f"{address}/remote.php/dav/files/{name}"):
            grant = _grant(root, request.username, request.password)
            drive = await self._open(grant)
            try:
                await drive.check()
            except (errors.DriveItemNotFound, errors.DriveItemRefused):
                continue
            except errors.AccessExpired as error:
                raise errors.ConnectRefused(
                    "The server does not take this name and app password. Make a new app password "
                    "in its settings."
                ) from error
            finally:
                await drive.close()
            return port.Pending(grant=grant)
        raise errors.ConnectRefused(
            f"There is no WebDAV at {address[:200]}. Give the address that its settings show."
        )

    async def _begin_login(self, address: str) -> port.Pending:
        """Start Nextcloud's login flow, version 2."""
        async with await self._outbound.client(_SECONDS) as web:
            with answering(TITLE):
                answer = await web.post(f"{address}/index.php/login/v2")
        if answer.is_error:
            raise errors.ConnectRefused(
                f"{address[:200]} is no Nextcloud: it has no sign-in for apps. Use an app password."
            )
        body = json_of(answer, TITLE)
        login, poll = str(body.get("login")), _strings(body.get("poll"))
        # It is shown as a link: nothing but a web address may come through.
        target_of(login)
        secret = {"token": poll.get("token", ""), "endpoint": poll.get("endpoint", "")}
        target_of(secret["endpoint"])
        return port.Pending(url=login, secret=secret, interval_seconds=2.0, expires_seconds=1200.0)

    async def finish(self, pending: port.Pending, code: str) -> port.Grant | None:
        secret = pending.secret
        async with await self._outbound.client(_SECONDS) as web:
            with answering(TITLE):
                answer = await web.post(secret["endpoint"], data={"token": secret["token"]})
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        check_answer(answer, TITLE)
        body = json_of(answer, TITLE)
        server, name = str(body.get("server")).rstrip("/"), str(body.get("loginName"))
        target_of(server)
        root = f"{server}/remote.php/dav/files/{quote(name, safe='')}"
        return _grant(root, name, str(body.get("appPassword")), server)

    async def refresh(self, grant: port.Grant) -> port.Grant:
        """An app password cannot be renewed."""
        raise broken(TITLE, "the app password is refused")

    async def revoke(self, grant: port.Grant) -> None:
        """Delete the app password that Nextcloud's sign-in made for us; others are the user's."""
        server = grant.details.get("server")
        if not server:
            return
        async with await self._outbound.client(_SECONDS) as web:
            web.auth = _auth(grant)
            with answering(TITLE):
                await web.delete(
                    f"{server}/ocs/v2.php/core/apppassword", headers={"OCS-APIRequest": "true"}
                )

    async def open(self, grant: port.Grant) -> port.Drive:
        return await self._open(grant)

    async def _open(self, grant: port.Grant) -> "WebDavDrive":
        web = await self._outbound.client(_SECONDS, most_bytes=_MOST_BYTES)
        web.auth = _auth(grant)
        return WebDavDrive(web, grant.details["root"], grant.details["username"])


def _grant(root: str, username: str, password: str, server: str = "") -> port.Grant:
    details = {"root": root, "username": username, "server": server}
    return port.Grant(access_token=password, details=details)


def _strings(found: Any) -> dict[str, str]:
    """Return what there is of text in what may be an object."""
    if not isinstance(found, dict):
        return {}
    items: list[tuple[object, object]] = list(found.items())  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    return {str(key): str(value) for key, value in items}


def _auth(grant: port.Grant) -> httpx.BasicAuth:
    return httpx.BasicAuth(grant.details["username"], grant.access_token)


class WebDavDrive:
    def __init__(self, web: httpx.AsyncClient, root: str, username: str) -> None:
        self._web = web
        self._root = root
        self._username = username
        self._base = PurePosixPath(unquote(urlsplit(root).path) or "/")

    def _url(self, item_id: str | None) -> str:
        """Return the address of an item. Raises DriveItemNotFound for what would leave the root."""
        parts = [part for part in (item_id or "").split("/") if part]
        if any(part in {".", ".."} or "\x00" in part for part in parts):
            raise errors.DriveItemNotFound("There is no such file or folder. List the folder anew.")
        return "/".join([self._root, *(quote(part, safe="") for part in parts)])

    async def _ask(self, method: str, item_id: str | None, depth: str, body: str) -> httpx.Response:
        headers = {"Depth": depth, "Content-Type": "application/xml; charset=utf-8"}
        url = self._url(item_id)
        with answering(TITLE):
            # A folder's address ends in a slash, at some servers by force.
            answer = await self._web.request(method, f"{url}/", headers=headers, content=body)
            if answer.status_code == HTTPStatus.NOT_FOUND and depth == "0":
                answer = await self._web.request(method, url, headers=headers, content=body)
        return answer

    async def _found(self, item_id: str | None, depth: str) -> list[port.DriveItem]:
        answer = await self._ask("PROPFIND", item_id, depth, LIST)
        check_answer(answer, TITLE)
        found = await asyncio.to_thread(members, answer.content, self._base)
        return [member.item for member in found]

    async def check(self) -> None:
        await self._found(None, "0")

    async def account(self) -> port.DriveAccount:
        host = target_of(self._root).host
        return port.DriveAccount(f"{self._username}@{self._root}", f"{self._username} at {host}")

    async def list(self, folder_id: str | None, cursor: str | None, limit: int) -> port.DrivePage:
        me = (folder_id or "").strip("/")
        found = [item for item in await self._found(folder_id, "1") if item.item_id != me]
        return cut_page(found, cursor, limit)

    async def search(self, text: str, cursor: str | None, limit: int) -> port.DrivePage:
        """Search the names in up to 200 folders: plain WebDAV has no search."""
        found: list[port.DriveItem] = []
        waiting: list[str | None] = [None]
        for _ in range(_MOST_FOLDERS):
            if not waiting:
                break
            for item in (await self.list(waiting.pop(0), None, _MOST_BYTES)).items:
                if item.is_folder:
                    waiting.append(item.item_id)
                elif text.casefold() in item.name.casefold():
                    found.append(item)
        return cut_page(found, cursor, limit)

    async def item(self, item_id: str) -> port.DriveItem:
        found = await self._found(item_id, "0")
        if not found:
            raise errors.DriveItemNotFound("There is no such file or folder. List the folder anew.")
        return found[0]

    @asynccontextmanager
    async def download(self, item: port.DriveItem) -> AsyncGenerator[AsyncIterator[bytes]]:
        with answering(TITLE):
            request = self._web.build_request("GET", self._url(item.item_id))
            answer = await self._web.send(request, stream=True)
        try:
            check_answer(answer, TITLE)
            yield verified(body_of(answer, TITLE), item)
        finally:
            await answer.aclose()

    async def upload(self, upload: port.Upload) -> port.DriveItem:
        folder = (upload.folder_id or "").strip("/")
        name = PurePosixPath(upload.name)
        for number in range(1, _MOST_NAMES):
            tried = upload.name if number == 1 else f"{name.stem} ({number}){name.suffix}"
            item_id = f"{folder}/{tried}" if folder else tried
            upload.source.seek(0)
            headers = {"If-None-Match": "*", "Content-Type": upload.media_type}
            headers["Content-Length"] = str(upload.size)
            with answering(TITLE):
                answer = await self._web.put(
                    self._url(item_id), headers=headers, content=_read(upload)
                )
            if answer.status_code == HTTPStatus.PRECONDITION_FAILED:
                continue
            if answer.status_code == HTTPStatus.CONFLICT:
                raise errors.DriveItemNotFound(f"{TITLE} has no such folder. List it anew.")
            check_answer(answer, TITLE)
            return await self.item(item_id)
        raise errors.DriveItemRefused(f"{TITLE} has too many files named {upload.name!r}.")

    async def start_cursor(self, folder_id: str | None) -> str:
        answer = await self._ask("PROPFIND", folder_id, "0", TOKEN)
        check_answer(answer, TITLE)
        return sync_token(answer.content)

    async def changes(self, folder_id: str | None, cursor: str) -> port.ChangePage:
        if not cursor:
            raise errors.CursorExpired(f"{TITLE} does not tell changes: all is compared.")
        answer = await self._ask("REPORT", folder_id, "0", report(cursor))
        if answer.status_code in _EXPIRED:
            raise errors.CursorExpired(f"{TITLE} no longer knows where the last look ended.")
        check_answer(answer, TITLE)
        token = sync_token(answer.content)
        found = await asyncio.to_thread(members, answer.content, self._base)
        me = (folder_id or "").strip("/")
        changes = [
            port.Change(each.item.item_id, None if each.is_gone else each.item)
            for each in found
            if each.item.item_id != me
        ]
        is_cut = any(each.is_cut for each in found)
        return port.ChangePage(changes, token, is_cut and token != cursor)

    async def close(self) -> None:
        await self._web.aclose()


async def _read(upload: port.Upload) -> AsyncIterator[bytes]:
    source: BinaryIO = upload.source
    sent = 0
    while piece := await in_pool(source.read, PIECE_BYTES):
        yield piece
        sent += len(piece)
        upload.on_progress(sent)


SPEC = port.ProviderSpec(
    name="webdav",
    title="WebDAV or Nextcloud",
    modes=(port.ConnectMode.LOGIN, port.ConnectMode.PASSWORD),
    needs_client=False,
    scopes="Everything that the app password opens.",
    make=WebDavProvider,
)
