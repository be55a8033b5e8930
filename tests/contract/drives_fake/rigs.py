"""Fixtures over the fake providers, and what users do at them."""

import importlib
import ipaddress
from collections.abc import Iterator

import pytest
from contract.drives_fake.cloud import Cloud
from contract.drives_fake.server import FakeDrives, Running

from diono.drives.port import ConnectMode, ConnectRequest, DriveClient, DriveProvider, Grant, Setup
from diono.drives.registry import Providers
from diono.infra.outbound import Outbound, OutboundPolicy

NAMES = ("google", "dropbox", "onedrive", "webdav")
CLIENT = DriveClient(client_id="client-1", client_secret="client-secret-1")
LOOPBACK = OutboundPolicy(networks=(ipaddress.ip_network("127.0.0.0/8"),))
# These would win over the certificates that an SDK is told.
OVERRULING = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.fixture(scope="module")
def running_drives(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeDrives]:
    running = Running(tmp_path_factory.mktemp("drives"))
    yield running.drives
    running.close()


@pytest.fixture(scope="module")
def drive_environment(running_drives: FakeDrives) -> Iterator[FakeDrives]:
    """The SDKs of this process speak to the fake."""
    # Dropbox's hosts are read when its SDK is imported; this is the same at any time.
    client = importlib.import_module("dropbox.dropbox_client")
    with pytest.MonkeyPatch.context() as patch:
        for name in OVERRULING:
            patch.delenv(name, raising=False)
        for name in ("API_HOST", "API_CONTENT_HOST"):
            patch.setattr(client, name, f"localhost:{running_drives.port}")
        yield running_drives


@pytest.fixture
def fake_drives(drive_environment: FakeDrives) -> FakeDrives:
    drive_environment.reset()
    return drive_environment


def outbound_to(drives: FakeDrives) -> Outbound:
    return Outbound(LOOPBACK, trust=drives.trust)


def providers_to(drives: FakeDrives, *packages: str) -> Providers:
    setup = Setup(client=None, outbound=outbound_to(drives), ca_file=drives.certificates)
    return Providers(("diono.drives.adapters", *packages), setup, drives.endpoints)


async def provider_of(drives: FakeDrives, name: str) -> DriveProvider:
    return await providers_to(drives).make(name, CLIENT)


async def connected(drives: FakeDrives, name: str) -> tuple[DriveProvider, Grant]:
    """Return a provider and a grant that a user gave, as a browser or an app password would."""
    provider, cloud = await provider_of(drives, name), drives.clouds[name]
    if name == "webdav":
        cloud.passwords["me"] = "app-password-1"
        pending = await provider.begin(password_request(drives))
        assert pending.grant is not None
        return provider, pending.grant
    back = "https://diono.example/api/drives/callback"
    wanted = ConnectRequest(mode=ConnectMode.REDIRECT, state="state-1", redirect_uri=back)
    pending = await provider.begin(wanted)
    grant = await provider.finish(pending, cloud.allow(pending.url)["code"])
    assert grant is not None
    return provider, grant


def password_request(drives: FakeDrives, password: str = "app-password-1") -> ConnectRequest:
    return ConnectRequest(
        mode=ConnectMode.PASSWORD, address=drives.url, username="me", password=password
    )


def approve(cloud: Cloud) -> None:
    """Do what a user does who types the code in, or signs in at their own server."""
    for code in cloud.devices:
        cloud.devices[code] = True
