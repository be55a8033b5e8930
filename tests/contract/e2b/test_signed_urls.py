"""Signed file URLs of the official SDKs: they alone open one file, and not for longer than said."""

import time
from collections.abc import AsyncGenerator

import httpx
import pytest
from contract.e2b.service_rig import Service
from contract.e2b.uniform import Uniform
from e2b.sandbox.signature import get_signature

pytestmark = pytest.mark.engine


@pytest.fixture
async def anybody() -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


async def test_a_download_url_opens_its_file(sandbox: Uniform, anybody: httpx.AsyncClient) -> None:
    await sandbox.files.write("a file.txt", "content ü")
    url = sandbox.inner.download_url("a file.txt")
    assert (await anybody.get(url)).text == "content ü"
    url = sandbox.inner.download_url("a file.txt", user="user", use_signature_expiration=60)
    assert (await anybody.get(url)).text == "content ü"


async def test_an_upload_url_takes_its_file(sandbox: Uniform, anybody: httpx.AsyncClient) -> None:
    url = sandbox.inner.upload_url("up.txt", use_signature_expiration=60)
    reply = await anybody.post(url, files={"file": ("up.txt", b"uploaded")})
    assert reply.status_code == 200, reply.text
    assert await sandbox.files.read("up.txt") == "uploaded"


async def test_an_expired_url_says_so(sandbox: Uniform, anybody: httpx.AsyncClient) -> None:
    await sandbox.files.write("old.txt", "x")
    expiration = int(time.time()) - 10
    token = sandbox.inner._envd_access_token
    signature = get_signature("old.txt", "read", None, token, -10)
    assert signature["expiration"] is not None
    query = {
        "path": "old.txt",
        "signature": signature["signature"],
        "signature_expiration": str(signature["expiration"]),
    }
    assert abs(signature["expiration"] - expiration) <= 1
    reply = await anybody.get(f"{sandbox.inner.envd_direct_url}/files", params=query)
    assert reply.status_code == 401
    assert reply.json()["message"] == "signature is already expired"


async def test_a_changed_url_is_refused(
    sandbox: Uniform, anybody: httpx.AsyncClient, service: Service
) -> None:
    await sandbox.files.write("one.txt", "1")
    await sandbox.files.write("two.txt", "2")
    url = httpx.URL(sandbox.inner.download_url("one.txt"))
    for changed in (
        url.copy_set_param("path", "two.txt"),
        url.copy_set_param("username", "root"),
        url.copy_set_param("signature_expiration", str(int(time.time()) + 9999)),
        url.copy_set_param("signature", "v1_nonsense"),
        url.copy_remove_param("signature"),
    ):
        reply = await anybody.get(changed)
        assert reply.status_code == 401, (changed, reply.text)
        assert reply.json()["code"] == 401
    reply = await anybody.post(url, files={"file": b"x"})
    assert reply.status_code == 401


async def test_a_url_by_host_name_is_routed(
    sandbox: Uniform, anybody: httpx.AsyncClient, service: Service
) -> None:
    await sandbox.files.write("h.txt", "by host")
    url = httpx.URL(sandbox.inner.download_url("h.txt"))
    host = sandbox.inner.get_host(49983)
    reply = await anybody.get(url, headers={"Host": host})
    assert reply.text == "by host"
