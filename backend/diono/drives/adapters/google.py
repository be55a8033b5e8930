"""Google Drive, by google-api-python-client (Drive API v3).

Asked for are drive.readonly, to list, fetch and follow what the user has, and drive.file, to put
results there. A device code may ask for drive.file at most: what Diono made itself is all that is
seen then.
"""

import importlib
import io
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from http.client import HTTPException
from typing import Any, TypeVar

from diono.drives import errors, port
from diono.drives.hashes import verified
from diono.drives.http import TRIES, refusal, retry_after
from diono.drives.oauth import CodeFlow, TokenEndpoint
from diono.drives.pool import in_pool
from diono.kernel.errors import DionoError

TITLE = "Google Drive"
T = TypeVar("T")
ENDPOINTS = {
    "api": "https://www.googleapis.com",
    "authorize": "https://accounts.google.com/o/oauth2/v2/auth",
    "token": "https://oauth2.googleapis.com/token",
    "device": "https://oauth2.googleapis.com/device/code",
    "revoke": "https://oauth2.googleapis.com/revoke",
}
_SCOPE = "https://www.googleapis.com/auth/"
SCOPES = f"{_SCOPE}drive.readonly {_SCOPE}drive.file"
DEVICE_SCOPES = f"{_SCOPE}drive.file"
# A desktop client may come back to any port of the user's own machine; nobody listens there, and
# the address is pasted here.
LOOPBACK = "http://127.0.0.1:1"

_NATIVE = "application/vnd.google-apps."
_FOLDER = f"{_NATIVE}folder"
_OFFICE = "application/vnd.openxmlformats-officedocument."
EXPORTS = {
    f"{_NATIVE}document": (f"{_OFFICE}wordprocessingml.document", ".docx"),
    f"{_NATIVE}spreadsheet": (f"{_OFFICE}spreadsheetml.sheet", ".xlsx"),
    f"{_NATIVE}presentation": ("application/pdf", ".pdf"),
    f"{_NATIVE}drawing": ("application/pdf", ".pdf"),
}
_FIELDS = "id,name,mimeType,size,md5Checksum,modifiedTime,parents,trashed"
_BUSY_REASONS = ("rateLimitExceeded", "userRateLimitExceeded", "backendError")
_PIECE_BYTES = 4 * 1024 * 1024
_WHOLE_BYTES = 5 * 1024 * 1024
_SECONDS = 60


class GoogleProvider:
    def __init__(self, setup: port.Setup) -> None:
        if setup.client is None:
            raise errors.DriveClientMissing(f"{TITLE} needs a client id.")
        self._setup = setup
        self._ends = {**ENDPOINTS, **setup.endpoints}
        tokens = TokenEndpoint(TITLE, self._ends["token"], setup.client, setup.ca_file)
        self._flow = CodeFlow(tokens, self._ends["authorize"], self._ends["device"])

    async def begin(self, request: port.ConnectRequest) -> port.Pending:
        if request.mode is port.ConnectMode.DEVICE:
            return await self._flow.begin_device(DEVICE_SCOPES)
        back = request.redirect_uri if request.mode is port.ConnectMode.REDIRECT else LOOPBACK
        # Without the consent asked for anew, Google gives no refresh token the second time.
        fields = {"scope": SCOPES, "access_type": "offline", "prompt": "consent"}
        return self._flow.begin(request.state, back, fields)

    async def finish(self, pending: port.Pending, code: str) -> port.Grant | None:
        return await self._flow.finish(pending, code)

    async def refresh(self, grant: port.Grant) -> port.Grant:
        return await self._flow.tokens.refresh(grant)

    async def revoke(self, grant: port.Grant) -> None:
        await self._flow.tokens.forget(grant, self._ends["revoke"])

    async def open(self, grant: port.Grant) -> port.Drive:
        return await in_pool(GoogleDrive, grant, self._setup, self._ends["api"])


class GoogleDrive:
    """The SDK blocks: every request runs in the drives' threads."""

    def __init__(self, grant: port.Grant, setup: port.Setup, api: str) -> None:
        """Blocks for the import."""
        discovery: Any = importlib.import_module("googleapiclient.discovery")
        credentials: Any = importlib.import_module("google.oauth2.credentials")
        adapter: Any = importlib.import_module("google_auth_httplib2")
        transport: Any = importlib.import_module("httplib2")
        auth_errors: Any = importlib.import_module("google.auth.exceptions")
        self._media: Any = importlib.import_module("googleapiclient.http")
        self._http_error: Any = importlib.import_module("googleapiclient.errors").HttpError
        self._no_access: Any = auth_errors.RefreshError
        self._transport_errors: Any = (
            transport.HttpLib2Error,
            auth_errors.TransportError,
            HTTPException,
            OSError,
        )
        certificates = str(setup.ca_file) if setup.ca_file else None
        http: Any = transport.Http(ca_certs=certificates, timeout=_SECONDS)
        # A resumable upload answers 308 for "go on", which is no redirect.
        http.redirect_codes = http.redirect_codes - {308}
        self._http: Any = adapter.AuthorizedHttp(
            credentials.Credentials(token=grant.access_token), http=http
        )
        self._api: Any = discovery.build(
            "drive",
            "v3",
            http=self._http,
            static_discovery=True,
            cache_discovery=False,
            client_options={"api_endpoint": f"{api}/drive/v3/"},
        )

    async def _do(self, call: Callable[..., T], *args: Any) -> T:
        try:
            return await in_pool(call, *args)
        except self._no_access as error:
            raise errors.AccessExpired(f"{TITLE} takes the access token no more.") from error
        except self._http_error as error:
            raise self._meaning(error) from error
        except self._transport_errors as error:
            raise errors.TransferBroken(f"The connection to {TITLE} broke off.") from error

    def _meaning(self, error: Any) -> DionoError:
        after, reasons = error.resp.get("retry-after"), str(error.error_details)
        if any(reason in reasons for reason in _BUSY_REASONS):
            return errors.DriveBusy(f"{TITLE} asks to wait.", retry_after(after))
        if "storageQuotaExceeded" in reasons:
            return errors.DriveFull(f"There is no room left on {TITLE}. Make some there.")
        return refusal(int(error.resp.status), TITLE, after, str(error.reason))

    async def account(self) -> port.DriveAccount:
        request = self._api.about().get(fields="user(permissionId,emailAddress,displayName)")
        user = (await self._do(request.execute))["user"]
        title = user.get("emailAddress") or user.get("displayName") or TITLE
        return port.DriveAccount(str(user.get("permissionId") or title), str(title))

    async def list(self, folder_id: str | None, cursor: str | None, limit: int) -> port.DrivePage:
        return await self._query(f"'{_quoted(folder_id or 'root')}' in parents", cursor, limit)

    async def search(self, text: str, cursor: str | None, limit: int) -> port.DrivePage:
        words = _quoted(text)
        found = f"(name contains '{words}' or fullText contains '{words}')"
        return await self._query(f"{found} and mimeType != '{_FOLDER}'", cursor, limit)

    async def _query(self, query: str, cursor: str | None, limit: int) -> port.DrivePage:
        request = self._api.files().list(
            q=f"{query} and trashed = false",
            pageSize=limit,
            pageToken=cursor,
            fields=f"nextPageToken,files({_FIELDS})",
            supportsAllDrives=True,
            includeItemsFromAllDrives=True,
        )
        answer = await self._do(request.execute)
        return port.DrivePage(
            [_item(each) for each in answer["files"]], answer.get("nextPageToken")
        )

    async def item(self, item_id: str) -> port.DriveItem:
        request = self._api.files().get(fileId=item_id, fields=_FIELDS, supportsAllDrives=True)
        return _item(await self._do(request.execute))

    @asynccontextmanager
    async def download(self, item: port.DriveItem) -> AsyncGenerator[AsyncIterator[bytes]]:
        yield verified(self._pieces(item), item)

    async def _pieces(self, item: port.DriveItem) -> AsyncIterator[bytes]:
        files = self._api.files()
        if item.media_type.startswith(_NATIVE):
            export = EXPORTS.get(item.media_type)
            if export is None:
                kind = item.media_type.removeprefix(_NATIVE)
                raise errors.DriveItemRefused(
                    f"{item.name!r} is a Google {kind}, which has no file form."
                )
            request = files.export_media(fileId=item.item_id, mimeType=export[0])
        else:
            request = files.get_media(fileId=item.item_id, supportsAllDrives=True)
        target = io.BytesIO()
        loader = self._media.MediaIoBaseDownload(target, request, chunksize=_PIECE_BYTES)
        is_done = False
        while not is_done:
            _, is_done = await self._do(loader.next_chunk)
            yield target.getvalue()
            target.seek(0)
            target.truncate()

    async def upload(self, upload: port.Upload) -> port.DriveItem:
        media = self._media.MediaIoBaseUpload(
            upload.source,
            mimetype=upload.media_type,
            chunksize=_PIECE_BYTES,
            resumable=upload.size > _WHOLE_BYTES,
        )
        body = {"name": upload.name, "parents": [upload.folder_id or "root"]}
        request = self._api.files().create(
            body=body, media_body=media, fields=_FIELDS, supportsAllDrives=True
        )
        if upload.size <= _WHOLE_BYTES:
            answer = await self._do(request.execute)
        else:
            answer = await self._upload_pieces(request, upload)
        upload.on_progress(upload.size)
        return _item(answer)

    async def _upload_pieces(self, request: Any, upload: port.Upload) -> Any:
        failures = 0
        while True:
            try:
                # After a failure the SDK first asks how far the upload had come.
                progress, answer = await self._do(request.next_chunk)
            except errors.DriveBusy as error:
                failures += 1
                if failures >= TRIES or error.retry_after:
                    raise
                continue
            if answer is not None:
                return answer
            failures = 0
            upload.on_progress(int(progress.resumable_progress))

    async def start_cursor(self, folder_id: str | None) -> str:
        request = self._api.changes().getStartPageToken(supportsAllDrives=True)
        return str((await self._do(request.execute))["startPageToken"])

    async def changes(self, folder_id: str | None, cursor: str) -> port.ChangePage:
        request = self._api.changes().list(
            pageToken=cursor,
            fields=f"nextPageToken,newStartPageToken,changes(fileId,removed,file({_FIELDS}))",
            supportsAllDrives=True,
            includeItemsFromAllDrives=True,
        )
        try:
            answer = await self._do(request.execute)
        except (errors.DriveItemRefused, errors.DriveItemNotFound) as error:
            raise errors.CursorExpired(
                f"{TITLE} no longer knows where the last look ended."
            ) from error
        more = answer.get("nextPageToken")
        changes = [_change(each) for each in answer.get("changes", []) if each.get("fileId")]
        return port.ChangePage(changes, str(more or answer["newStartPageToken"]), bool(more))

    async def close(self) -> None:
        await in_pool(self._http.close)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _change(change: Any) -> port.Change:
    found = change.get("file")
    is_gone = change.get("removed") or not found or found.get("trashed")
    return port.Change(str(change["fileId"]), None if is_gone else _item(found))


def _item(found: Any) -> port.DriveItem:
    kind, name = str(found.get("mimeType", "")), str(found.get("name", ""))
    ending = EXPORTS.get(kind, ("", ""))[1]
    digest, size, modified = (found.get(key) for key in ("md5Checksum", "size", "modifiedTime"))
    parents = found.get("parents") or [None]
    return port.DriveItem(
        item_id=str(found["id"]),
        name=name if name.lower().endswith(ending) else name + ending,
        is_folder=kind == _FOLDER,
        version=str(digest or modified or ""),
        size=int(size) if size is not None and not kind.startswith(_NATIVE) else None,
        modified_at=datetime.fromisoformat(modified) if modified else None,
        media_type=kind,
        parent_id=parents[0],
        checksum=port.Checksum("md5", str(digest)) if digest else None,
    )


SPEC = port.ProviderSpec(
    name="google",
    title=TITLE,
    modes=(port.ConnectMode.REDIRECT, port.ConnectMode.PASTE, port.ConnectMode.DEVICE),
    needs_client=True,
    scopes="See and fetch your files (drive.readonly); add files of its own (drive.file).",
    make=GoogleProvider,
)
