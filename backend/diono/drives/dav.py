"""The XML of WebDAV (RFC 4918) and of its sync reports (RFC 6578)."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from diono.drives.port import Checksum, DriveItem
from diono.drives.xml import parse

_DAV, _OC = "{DAV:}", "{http://owncloud.org/ns}"
_SPACES = 'xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"'
_HEAD = '<?xml version="1.0"?>'
_PROPERTIES = (
    "<d:prop><d:resourcetype/><d:getetag/><d:getcontentlength/><d:getlastmodified/>"
    "<d:getcontenttype/><oc:checksums/></d:prop>"
)
LIST = f"{_HEAD}<d:propfind {_SPACES}>{_PROPERTIES}</d:propfind>"
TOKEN = f"{_HEAD}<d:propfind {_SPACES}><d:prop><d:sync-token/></d:prop></d:propfind>"


def report(token: str) -> str:
    """Return the question for all changes below a folder since a token."""
    return (
        f"{_HEAD}<d:sync-collection {_SPACES}><d:sync-token>{escape(token)}</d:sync-token>"
        f"<d:sync-level>infinite</d:sync-level>{_PROPERTIES}</d:sync-collection>"
    )


@dataclass(frozen=True)
class Member:
    """``is_cut``: the server has more to tell than it did."""

    item: DriveItem
    is_gone: bool
    is_cut: bool


def members(data: bytes, base: PurePosixPath) -> list[Member]:
    """Read a multistatus; what is not below ``base`` is left out. Raises XmlRefused."""
    found: list[Member] = []
    for each in parse(data).iter(f"{_DAV}response"):
        path = _path(each, base)
        if path is not None:
            status = (each.findtext(f"{_DAV}status") or "").split()
            found.append(Member(_item(each, path), "404" in status, "507" in status))
    return found


def sync_token(data: bytes) -> str:
    """Return the token of an answer; empty if it has none. Raises XmlRefused."""
    return parse(data).findtext(f".//{_DAV}sync-token") or ""


def _path(response: Element, base: PurePosixPath) -> str | None:
    href = unquote(urlsplit(response.findtext(f"{_DAV}href") or "").path)
    path = PurePosixPath(href)
    if not path.is_relative_to(base) or ".." in path.parts:
        return None
    found = str(path.relative_to(base))
    return "" if found == "." else found


def _item(response: Element, path: str) -> DriveItem:
    size = response.findtext(f".//{_DAV}getcontentlength") or ""
    is_folder = response.find(f".//{_DAV}resourcetype/{_DAV}collection") is not None
    parent, _, name = path.rpartition("/")
    return DriveItem(
        item_id=path,
        name=name,
        is_folder=is_folder,
        version=response.findtext(f".//{_DAV}getetag") or "",
        size=int(size) if size.isascii() and size.isdigit() and not is_folder else None,
        modified_at=_time(response.findtext(f".//{_DAV}getlastmodified")),
        media_type=response.findtext(f".//{_DAV}getcontenttype") or "",
        parent_id=parent or None,
        checksum=_checksum(response),
    )


def _time(text: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(text) if text else None
    except ValueError:
        return None


def _checksum(response: Element) -> Checksum | None:
    """Read ownCloud's and Nextcloud's ``SHA1:… MD5:…``."""
    for word in (response.findtext(f".//{_OC}checksum") or "").split():
        kind, _, value = word.partition(":")
        if kind in {"SHA1", "MD5", "SHA256"} and value:
            return Checksum(kind.lower(), value.lower())
    return None
