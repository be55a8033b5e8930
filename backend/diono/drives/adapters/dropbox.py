"""Dropbox, by its SDK (API v2).

A path in lower case is the id of an item: deletions are told by path only. A rename is therefore
a deletion and a new item.
"""

import importlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC
from typing import Any, TypeVar

from diono.drives import errors, port
from diono.drives.hashes import verified
from diono.drives.http import PIECE_BYTES, TIMEOUT_SECONDS, TRIES, refusal
from diono.drives.oauth import CodeFlow, TokenEndpoint
from diono.drives.pool import each_in_pool, in_pool
from diono.kernel.errors import DionoError

TITLE = "Dropbox"
T = TypeVar("T")
ENDPOINTS = {
    "authorize": "https://www.dropbox.com/oauth2/authorize",
    "token": "https://api.dropboxapi.com/oauth2/token",
}
SCOPES = "account_info.read files.metadata.read files.content.read files.content.write"
_WHOLE_BYTES = 8 * 1024 * 1024
_PAGE = 500


class DropboxProvider:
    def __init__(self, setup: port.Setup) -> None:
        if setup.client is None:
            raise errors.DriveClientMissing(f"{TITLE} needs an app key.")
        self._setup = setup
        ends = {**ENDPOINTS, **setup.endpoints}
        tokens = TokenEndpoint(TITLE, ends["token"], setup.client, setup.ca_file)
        self._flow = CodeFlow(tokens, ends["authorize"])

    async def begin(self, request: port.ConnectRequest) -> port.Pending:
        # Without an address to come back to, Dropbox shows the code for the user to copy.
        back = request.redirect_uri if request.mode is port.ConnectMode.REDIRECT else ""
        fields = {"token_access_type": "offline", "scope": SCOPES}
        return self._flow.begin(request.state, back, fields)

    async def finish(self, pending: port.Pending, code: str) -> port.Grant | None:
        return await self._flow.finish(pending, code)

    async def refresh(self, grant: port.Grant) -> port.Grant:
        return await self._flow.tokens.refresh(grant)

    async def revoke(self, grant: port.Grant) -> None:
        drive = await in_pool(DropboxDrive, grant, self._setup)
        try:
            await drive.revoke()
        finally:
            await drive.close()

    async def open(self, grant: port.Grant) -> port.Drive:
        return await in_pool(DropboxDrive, grant, self._setup)


class DropboxDrive:
    """The SDK blocks: every request runs in the drives' threads."""

    def __init__(self, grant: port.Grant, setup: port.Setup) -> None:
        """Blocks for the import."""
        sdk: Any = importlib.import_module("dropbox")
        requests: Any = importlib.import_module("requests")
        self._files: Any = sdk.files
        self._errors: Any = sdk.exceptions
        self._broken: Any = (requests.exceptions.RequestException, OSError)
        certificates = str(setup.ca_file) if setup.ca_file else None
        self._session: Any = sdk.create_session(ca_certs=certificates)
        self._api: Any = sdk.Dropbox(
            oauth2_access_token=grant.access_token,
            session=self._session,
            timeout=TIMEOUT_SECONDS,
            # Waiting is done by whoever called: in a thread it would hold up others.
            max_retries_on_error=0,
            max_retries_on_rate_limit=0,
        )

    async def _do(self, call: Callable[..., T], *args: Any, **options: Any) -> T:
        try:
            return await in_pool(call, *args, **options)
        except self._errors.DropboxException as error:
            raise self._meaning(error) from error
        except self._broken as error:
            raise errors.TransferBroken(f"The connection to {TITLE} broke off.") from error
        except (AssertionError, ValueError, KeyError) as error:
            # What the SDK says to an answer that is not as described.
            raise errors.DriveBusy(f"{TITLE} gave an answer that cannot be read.") from error

    def _meaning(self, error: Any) -> DionoError:
        known = self._errors
        if isinstance(error, known.AuthError):
            return errors.AccessExpired(f"{TITLE} takes the access token no more.")
        if isinstance(error, known.RateLimitError):
            return errors.DriveBusy(f"{TITLE} asks to wait.", error.backoff)
        if isinstance(error, known.HttpError):
            return refusal(error.status_code, TITLE)
        said = str(getattr(error, "error", ""))
        if "not_found" in said:
            return errors.DriveItemNotFound(f"{TITLE} has no such file or folder. List it anew.")
        if "insufficient_space" in said:
            return errors.DriveFull(f"There is no room left on {TITLE}. Make some there.")
        if "'reset'" in said:
            return errors.CursorExpired(f"{TITLE} no longer knows where the last look ended.")
        return errors.DriveItemRefused(f"{TITLE} refuses this: {said[:200]}")

    async def revoke(self) -> None:
        try:
            await self._do(self._api.auth_token_revoke)
        except errors.AccessExpired:
            # It is dead already.
            return

    async def account(self) -> port.DriveAccount:
        found = await self._do(self._api.users_get_current_account)
        return port.DriveAccount(str(found.account_id), str(found.email or found.name.display_name))

    async def list(self, folder_id: str | None, cursor: str | None, limit: int) -> port.DrivePage:
        if cursor:
            page = await self._do(self._api.files_list_folder_continue, cursor)
        else:
            page = await self._do(self._api.files_list_folder, folder_id or "", limit=limit)
        items = [self._item(each) for each in page.entries if not self._is_gone(each)]
        return port.DrivePage(items, page.cursor if page.has_more else None)

    async def search(self, text: str, cursor: str | None, limit: int) -> port.DrivePage:
        if cursor:
            page = await self._do(self._api.files_search_continue_v2, cursor)
        else:
            options = self._files.SearchOptions(max_results=limit)
            page = await self._do(self._api.files_search_v2, text, options=options)
        found = (match.metadata.get_metadata() for match in page.matches)
        items = [self._item(each) for each in found if not self._is_gone(each)]
        return port.DrivePage(items, page.cursor if page.has_more else None)

    async def item(self, item_id: str) -> port.DriveItem:
        return self._item(await self._do(self._api.files_get_metadata, item_id))

    @asynccontextmanager
    async def download(self, item: port.DriveItem) -> AsyncGenerator[AsyncIterator[bytes]]:
        _, answer = await self._do(self._api.files_download, item.item_id)
        try:
            yield verified(self._pieces(answer), item)
        finally:
            await in_pool(answer.close)

    async def _pieces(self, answer: Any) -> AsyncIterator[bytes]:
        try:
            async for piece in each_in_pool(answer.iter_content(PIECE_BYTES)):
                yield piece
        except self._broken as error:
            raise errors.TransferBroken(f"The connection to {TITLE} broke off.") from error

    async def upload(self, upload: port.Upload) -> port.DriveItem:
        path = f"{upload.folder_id or ''}/{upload.name}"
        if upload.size <= _WHOLE_BYTES:
            body = await in_pool(upload.source.read)
            stored = await self._do(self._api.files_upload, body, path, autorename=True)
        else:
            stored = await self._upload_pieces(upload, path)
        upload.on_progress(upload.size)
        return self._item(stored)

    async def _upload_pieces(self, upload: port.Upload, path: str) -> Any:
        session = await self._do(self._api.files_upload_session_start, b"")
        cursor = self._files.UploadSessionCursor(session.session_id, 0)
        failures = 0
        while cursor.offset < upload.size:
            upload.source.seek(cursor.offset)
            piece = await in_pool(upload.source.read, _WHOLE_BYTES)
            try:
                await self._do(self._append, piece, cursor)
            except errors.DriveBusy as error:
                failures += 1
                if failures >= TRIES or error.retry_after:
                    raise
                continue
            failures = 0
            upload.on_progress(cursor.offset)
        commit = self._files.CommitInfo(path, autorename=True)
        return await self._do(self._api.files_upload_session_finish, b"", cursor, commit)

    def _append(self, piece: bytes, cursor: Any) -> None:
        """Send a piece and move the cursor on; to where Dropbox says if it had come further."""
        try:
            self._api.files_upload_session_append_v2(piece, cursor)
        except self._errors.ApiError as error:
            if not error.error.is_incorrect_offset():
                raise
            cursor.offset = error.error.get_incorrect_offset().correct_offset
            return
        cursor.offset += len(piece)

    async def start_cursor(self, folder_id: str | None) -> str:
        call = self._api.files_list_folder_get_latest_cursor
        return str((await self._do(call, folder_id or "", recursive=True)).cursor)

    async def changes(self, folder_id: str | None, cursor: str) -> port.ChangePage:
        page = await self._do(self._api.files_list_folder_continue, cursor)
        changes = [
            port.Change(str(each.path_lower), None if self._is_gone(each) else self._item(each))
            for each in page.entries
        ]
        return port.ChangePage(changes, str(page.cursor), bool(page.has_more))

    async def close(self) -> None:
        await in_pool(self._session.close)

    def _is_gone(self, found: Any) -> bool:
        return isinstance(found, self._files.DeletedMetadata)

    def _item(self, found: Any) -> port.DriveItem:
        path = str(found.path_lower)
        parent = path.rpartition("/")[0] or None
        if not isinstance(found, self._files.FileMetadata):
            return port.DriveItem(path, str(found.name), is_folder=True, parent_id=parent)
        checksum = found.content_hash
        return port.DriveItem(
            item_id=path,
            name=str(found.name),
            is_folder=False,
            version=str(found.rev),
            size=int(found.size),
            modified_at=found.server_modified.replace(tzinfo=UTC),
            parent_id=parent,
            checksum=port.Checksum("dropbox", str(checksum)) if checksum else None,
        )


SPEC = port.ProviderSpec(
    name="dropbox",
    title=TITLE,
    modes=(port.ConnectMode.REDIRECT, port.ConnectMode.PASTE),
    needs_client=True,
    scopes="See and fetch your files, and add files (files.content.read, files.content.write).",
    make=DropboxProvider,
)
