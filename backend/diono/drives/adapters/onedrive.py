"""OneDrive: msal for the sign-in, Microsoft Graph over httpx for the files.

Changes are followed for the whole drive: business accounts tell them of its root only. Microsoft
has no way to revoke one app's tokens, so an unlink forgets them.
"""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx

from diono.drives import errors, port
from diono.drives.hashes import verified
from diono.drives.http import TRIES, answering, body_of, check_answer, json_of, open_client
from diono.drives.microsoft import Msal
from diono.drives.oauth import WAITING, GrantRefused, grant_of, not_renewed, refused
from diono.drives.pool import in_pool

TITLE = "OneDrive"
GRAPH = "https://graph.microsoft.com/v1.0"
# msal adds offline_access, which brings the refresh token.
SCOPES = ["Files.ReadWrite"]
_WHOLE_BYTES = 4 * 1024 * 1024
# Pieces are multiples of 320 KiB.
_PIECE_BYTES = 32 * 320 * 1024
_FIELDS = "id,name,size,cTag,lastModifiedDateTime,folder,file,parentReference,deleted,root"


class OneDriveProvider:
    def __init__(self, setup: port.Setup) -> None:
        if setup.client is None:
            raise errors.DriveClientMissing(f"{TITLE} needs a client id.")
        self._setup = setup
        self._msal = Msal(setup, setup.client, TITLE)
        self._graph = setup.endpoints.get("graph", GRAPH)

    async def begin(self, request: port.ConnectRequest) -> port.Pending:
        try:
            if request.mode is port.ConnectMode.DEVICE:
                flow = await self._msal.ask(
                    lambda app: app.initiate_device_flow(SCOPES), is_public=True
                )
                return port.Pending(
                    url=str(flow["verification_uri"]),
                    user_code=str(flow["user_code"]),
                    interval_seconds=float(flow.get("interval", 5)),
                    expires_seconds=float(flow.get("expires_in", 900)),
                    secret={"flow": json.dumps(flow), "is_public": "yes"},
                )
            back, state = request.redirect_uri, request.state
            flow = await self._msal.ask(
                lambda app: app.initiate_auth_code_flow(SCOPES, redirect_uri=back, state=state)
            )
        except GrantRefused as error:
            raise refused(TITLE, error) from error
        return port.Pending(url=str(flow["auth_uri"]), secret={"flow": json.dumps(flow)})

    async def finish(self, pending: port.Pending, code: str) -> port.Grant | None:
        flow = json.loads(pending.secret["flow"])
        is_public = "is_public" in pending.secret
        back = {"code": code, "state": flow.get("state", "")}

        def ask(app: Any) -> dict[str, Any]:
            if is_public:
                return app.acquire_token_by_device_flow(flow, exit_condition=_once)
            return app.acquire_token_by_auth_code_flow(flow, back)

        try:
            tokens = await self._msal.ask(ask, is_public=is_public)
        except GrantRefused as error:
            if error.error in WAITING:
                return None
            raise refused(TITLE, error) from error
        details = {"is_public": "yes"} if is_public else {}
        return grant_of(tokens, port.Grant(details=details))

    async def refresh(self, grant: port.Grant) -> port.Grant:
        token, is_public = grant.refresh_token, "is_public" in grant.details
        try:
            tokens = await self._msal.ask(
                lambda app: app.acquire_token_by_refresh_token(token, SCOPES), is_public=is_public
            )
        except GrantRefused as error:
            raise not_renewed(TITLE, error) from error
        return grant_of(tokens, grant)

    async def revoke(self, grant: port.Grant) -> None:
        """There is nothing to ask Microsoft for; the access token ends within the hour."""

    async def open(self, grant: port.Grant) -> port.Drive:
        return OneDrive(await open_client(self._setup.ca_file), self._graph, grant.access_token)


class OneDrive:
    def __init__(self, web: httpx.AsyncClient, graph: str, token: str) -> None:
        self._web = web
        self._root = f"{graph}/me/drive"
        # Not a default of the client: uploads and downloads go to addresses that need none.
        self._headers = {"Authorization": f"Bearer {token}"}

    async def _get(self, url: str, **query: str | int) -> dict[str, Any]:
        return await self._send("GET", url, params=query or None, headers=self._headers)

    async def _send(self, method: str, url: str, **options: Any) -> dict[str, Any]:
        with answering(TITLE):
            answer = await self._web.request(method, url, **options)
        check_answer(answer, TITLE, _said(answer))
        return json_of(answer, TITLE)

    def _place(self, item_id: str | None) -> str:
        return f"{self._root}/items/{quote(item_id, safe='')}" if item_id else f"{self._root}/root"

    async def account(self) -> port.DriveAccount:
        found = await self._get(self._root)
        user: dict[str, Any] = found.get("owner", {}).get("user", {})
        title = user.get("email") or user.get("displayName") or TITLE
        return port.DriveAccount(str(found["id"]), str(title))

    async def list(self, folder_id: str | None, cursor: str | None, limit: int) -> port.DrivePage:
        return await self._page(f"{self._place(folder_id)}/children", cursor, limit)

    async def search(self, text: str, cursor: str | None, limit: int) -> port.DrivePage:
        words = quote(text.replace("'", "''"), safe="")
        return await self._page(f"{self._root}/root/search(q='{words}')", cursor, limit)

    async def _page(self, url: str, cursor: str | None, limit: int) -> port.DrivePage:
        query: dict[str, str | int] = {"$top": limit, "$select": _FIELDS}
        if cursor:
            query["$skiptoken"] = cursor
        answer = await self._get(url, **query)
        # Of the next address only the token is shown: a client must not choose where we go.
        found = parse_qs(urlsplit(str(answer.get("@odata.nextLink", ""))).query)
        tokens = found.get("$skiptoken") or found.get("$skipToken") or []
        return port.DrivePage([_item(each) for each in answer["value"]], next(iter(tokens), None))

    async def item(self, item_id: str) -> port.DriveItem:
        return _item(await self._get(self._place(item_id), **{"$select": _FIELDS}))

    @asynccontextmanager
    async def download(self, item: port.DriveItem) -> AsyncGenerator[AsyncIterator[bytes]]:
        url = f"{self._place(item.item_id)}/content"
        # Its redirect has a ticket in the address; httpx leaves our token out at another host.
        with answering(TITLE):
            request = self._web.build_request("GET", url, headers=self._headers)
            answer = await self._web.send(request, stream=True, follow_redirects=True)
        try:
            check_answer(answer, TITLE)
            yield verified(body_of(answer, TITLE), item)
        finally:
            await answer.aclose()

    async def upload(self, upload: port.Upload) -> port.DriveItem:
        place = f"{self._place(upload.folder_id)}:/{quote(upload.name, safe='')}:"
        if upload.size > _WHOLE_BYTES:
            stored = await self._upload_pieces(upload, place)
        else:
            content = await in_pool(upload.source.read)
            stored = await self._send(
                "PUT",
                f"{place}/content",
                params={"@microsoft.graph.conflictBehavior": "rename"},
                headers={**self._headers, "Content-Type": upload.media_type},
                content=content,
            )
        upload.on_progress(upload.size)
        return _item(stored)

    async def _upload_pieces(self, upload: port.Upload, place: str) -> dict[str, Any]:
        body = {"item": {"@microsoft.graph.conflictBehavior": "rename", "name": upload.name}}
        session = f"{place}/createUploadSession"
        url = str(
            (await self._send("POST", session, json=body, headers=self._headers))["uploadUrl"]
        )
        start, failures = 0, 0
        while True:
            try:
                stored = await self._send_piece(upload, url, start)
            except errors.DriveBusy as error:
                failures += 1
                if failures >= TRIES or error.retry_after:
                    raise
            else:
                failures = 0
                if "id" in stored:
                    return stored
            start = await self._reached(url)
            upload.on_progress(start)

    async def _send_piece(self, upload: port.Upload, url: str, start: int) -> dict[str, Any]:
        upload.source.seek(start)
        piece = await in_pool(upload.source.read, _PIECE_BYTES)
        span = f"bytes {start}-{start + len(piece) - 1}/{upload.size}"
        return await self._send("PUT", url, content=piece, headers={"Content-Range": span})

    async def _reached(self, url: str) -> int:
        """Return where an upload goes on."""
        ranges = (await self._send("GET", url))["nextExpectedRanges"]
        return int(str(ranges[0]).partition("-")[0])

    async def start_cursor(self, folder_id: str | None) -> str:
        found = await self._get(f"{self._root}/root/delta", token="latest")  # noqa: S106 - a word
        return str(found["@odata.deltaLink"])

    async def changes(self, folder_id: str | None, cursor: str) -> port.ChangePage:
        if not cursor.startswith(f"{self._root}/"):
            raise errors.CursorExpired(f"The last look was at another {TITLE}.")
        try:
            found = await self._get(cursor)
        except errors.DriveItemNotFound as error:
            raise errors.CursorExpired(f"{TITLE} no longer knows where it ended.") from error
        more = found.get("@odata.nextLink")
        changes = [
            port.Change(str(each["id"]), None if "deleted" in each else _item(each))
            for each in found["value"]
            if "root" not in each
        ]
        return port.ChangePage(changes, str(more or found["@odata.deltaLink"]), bool(more))

    async def close(self) -> None:
        await self._web.aclose()


def _once(_flow: object) -> bool:
    """Tell msal not to wait: whoever waits asks again."""
    return True


def _said(answer: httpx.Response) -> str:
    """Return Graph's code for an error."""
    if not answer.is_error:
        return ""
    try:
        return str(answer.json()["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return ""


def _item(found: dict[str, Any]) -> port.DriveItem:
    modified = found.get("lastModifiedDateTime")
    file: dict[str, Any] = found.get("file") or {}
    return port.DriveItem(
        item_id=str(found["id"]),
        name=str(found.get("name", "")),
        is_folder="folder" in found,
        version=str(found.get("cTag") or modified or ""),
        size=int(found["size"]) if file and "size" in found else None,
        modified_at=datetime.fromisoformat(modified) if modified else None,
        media_type=str(file.get("mimeType", "")),
        parent_id=found.get("parentReference", {}).get("id"),
        checksum=_checksum(file.get("hashes") or {}),
    )


def _checksum(hashes: dict[str, Any]) -> port.Checksum | None:
    for key, kind in (("sha256Hash", "sha256"), ("sha1Hash", "sha1")):
        if hashes.get(key):
            return port.Checksum(kind, str(hashes[key]).lower())
    found = hashes.get("quickXorHash")
    return port.Checksum("quickxor", str(found)) if found else None


SPEC = port.ProviderSpec(
    name="onedrive",
    title=TITLE,
    modes=(port.ConnectMode.REDIRECT, port.ConnectMode.DEVICE),
    needs_client=True,
    scopes="See, fetch and add files of your own drive (Files.ReadWrite).",
    make=OneDriveProvider,
)
