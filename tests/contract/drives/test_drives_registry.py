"""Providers are found, not listed; and what comes from them is read with care."""

import hashlib
import random

import pytest
from contract.drives_fake.graph import quick_xor
from contract.drives_fake.rigs import outbound_to, providers_to
from contract.drives_fake.server import FakeDrives

from diono.drives.errors import DriveClientMissing, DriveProviderUnknown
from diono.drives.hashes import hasher
from diono.drives.port import ConnectMode, ConnectRequest, Setup
from diono.drives.xml import XmlRefused, parse
from diono.infra.outbound import AddressRefused, Outbound

BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>'
OUTSIDE = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'


async def test_fifth_drive_is_one_file(fake_drives: FakeDrives) -> None:
    providers = providers_to(fake_drives, "contract.drives.fifth")
    names = [spec.name for spec in await providers.all()]
    assert names == ["dropbox", "google", "onedrive", "webdav", "pocket"]
    provider = await providers.make("pocket", None)
    pending = await provider.begin(ConnectRequest(mode=ConnectMode.PASSWORD))
    assert pending.grant is not None
    drive = await provider.open(pending.grant)
    async with drive.download(await drive.item("a.csv")) as chunks:
        assert [chunk async for chunk in chunks] == [b"region,sum\n"]


async def test_provider_without_a_client_says_what_to_do(fake_drives: FakeDrives) -> None:
    providers = providers_to(fake_drives)
    with pytest.raises(DriveClientMissing, match="administrator"):
        await providers.make("google", None)
    with pytest.raises(DriveProviderUnknown, match="webdav"):
        await providers.make("elsewhere", None)


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:1", "http://10.0.0.8", "http://[::1]", "http://0x7f000001"]
)
@pytest.mark.parametrize("mode", [ConnectMode.PASSWORD, ConnectMode.LOGIN])
async def test_private_servers_are_refused(
    fake_drives: FakeDrives, address: str, mode: ConnectMode
) -> None:
    setup = Setup(client=None, outbound=Outbound())
    providers = type(providers_to(fake_drives))(("diono.drives.adapters",), setup)
    provider = await providers.make("webdav", None)
    with pytest.raises(AddressRefused):
        await provider.begin(ConnectRequest(mode=mode, address=address, username="me"))
    assert outbound_to(fake_drives).trust is not None


@pytest.mark.parametrize("data", [BOMB, OUTSIDE, b"<x>", b"", b"<x>" * 60, b"\xff\xfe<", b"{}"])
def test_hostile_xml_is_refused(data: bytes) -> None:
    with pytest.raises(XmlRefused):
        parse(data)


@pytest.mark.parametrize("size", [0, 1, 159, 160, 161, 5_000, 70_001])
def test_quick_xor_is_as_described(size: int) -> None:
    content = random.Random(size).randbytes(size)
    hashing = hasher("quickxor")
    for start in range(0, size, 777):
        hashing.update(content[start : start + 777])
    assert hashing.text() == quick_xor(content)


def test_dropbox_hash_is_as_described() -> None:
    content = random.Random(1).randbytes(9_000_000)
    block = 4 * 1024 * 1024
    parts = [content[start : start + block] for start in range(0, len(content), block)]
    whole = b"".join(hashlib.sha256(part).digest() for part in parts)
    hashing = hasher("dropbox")
    for start in range(0, len(content), 1_000_003):
        hashing.update(content[start : start + 1_000_003])
    assert hashing.text() == hashlib.sha256(whole).hexdigest()
