"""One suite over both stores of blobs: bytes by their hash, streams, ranges, crashes, the sweep."""

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from contract.blob_rigs import CREDENTIALS, make_old, s3_server

from diono.infra.blobs import (
    BlobCorrupt,
    BlobMissing,
    Blobs,
    BlobTooLarge,
    FolderBlobs,
    StorageFull,
    StoredBlob,
)
from diono.infra.blobs.s3 import PART_BYTES, S3Blobs
from diono.infra.blobs.s3_door import S3Misconfigured

HOUR = 3600.0


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    with s3_server() as url:
        yield url


@pytest.fixture(params=["folder", "s3"])
async def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Blobs]:
    if request.param == "folder":
        yield FolderBlobs(tmp_path / "blobs")
        return
    store = S3Blobs(request.getfixturevalue("s3_url"))
    await store.start()
    yield store
    await store.close()


async def stream(content: bytes, size: int = 700_001) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("size", [0, 1, 5_000, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES + 77])
async def test_a_stream_is_found_again_by_its_hash(blobs: Blobs, size: int) -> None:
    content = os.urandom(size)
    stored = await blobs.put_stream(stream(content))
    assert stored == StoredBlob(sha256(content), size)
    assert await blobs.size(stored.sha256) == size
    assert b"".join([piece async for piece in blobs.read(stored.sha256)]) == content
    assert await blobs.get(stored.sha256) == content


async def test_the_same_content_is_stored_once_and_again_is_welcome(blobs: Blobs) -> None:
    content = os.urandom(10_000)
    digests = await asyncio.gather(*(blobs.put(content) for _ in range(8)))
    streamed = await blobs.put_stream(stream(content))
    assert {*digests, streamed.sha256} == {sha256(content)}


@pytest.mark.parametrize(
    ("start", "end"), [(0, None), (0, 10), (5, 5), (999_990, None), (17, 900_000), (10, 9_999_999)]
)
async def test_a_range_is_read_alone(blobs: Blobs, start: int, end: int | None) -> None:
    content = os.urandom(1_000_000)
    digest = await blobs.put(content)
    read = b"".join([piece async for piece in blobs.read(digest, start, end)])
    assert read == content[start:end]


async def test_what_is_missing_says_so(blobs: Blobs) -> None:
    for digest in ("0" * 64, "../../etc/passwd", "", "A" * 64):
        with pytest.raises(BlobMissing):
            await blobs.get(digest)
        with pytest.raises(BlobMissing):
            await blobs.size(digest)
        with pytest.raises(BlobMissing):
            await anext(blobs.read(digest))
    await blobs.delete("0" * 64)


@pytest.mark.parametrize("most", [0, 9, PART_BYTES * 2])
async def test_a_stream_beyond_the_limit_leaves_nothing(blobs: Blobs, most: int) -> None:
    content = os.urandom(most + 1)
    with pytest.raises(BlobTooLarge):
        await blobs.put_stream(stream(content), most_bytes=most)
    with pytest.raises(BlobMissing):
        await blobs.size(sha256(content))
    assert (await blobs.put_stream(stream(content[:most]), most_bytes=most)).size == most


async def test_a_stream_that_breaks_off_leaves_nothing(blobs: Blobs) -> None:
    content = os.urandom(2 * PART_BYTES)

    async def broken() -> AsyncIterator[bytes]:
        async for chunk in stream(content):
            yield chunk
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await blobs.put_stream(broken())
    with pytest.raises(BlobMissing):
        await blobs.size(sha256(content))


async def test_deleting_removes_and_putting_brings_back(blobs: Blobs) -> None:
    content = os.urandom(100)
    digest = await blobs.put(content)
    await blobs.delete(digest)
    with pytest.raises(BlobMissing):
        await blobs.get(digest)
    assert await blobs.put(content) == digest
    assert await blobs.get(digest) == content


async def test_the_sweep_takes_what_is_old_only(blobs: Blobs) -> None:
    digest = await blobs.put(os.urandom(100))
    assert digest not in {blob.sha256 async for blob in blobs.older(HOUR)}
    assert not await blobs.delete_older(digest, HOUR)
    assert StoredBlob(digest, 100) in [blob async for blob in blobs.older(-10)]
    assert await blobs.delete_older(digest, -10)
    assert not await blobs.delete_older(digest, -10)
    with pytest.raises(BlobMissing):
        await blobs.size(digest)


async def test_a_writer_and_the_sweep_at_once_lose_nothing(blobs: Blobs, tmp_path: Path) -> None:
    """Old contents that nobody names are put again while the sweep takes them."""
    contents = [os.urandom(50) for _ in range(30)]
    removed = 0
    for content in contents:
        digest = await blobs.put(content)
        make_old(blobs, tmp_path / "blobs", digest, 2 * HOUR)
        sweeping = asyncio.create_task(blobs.delete_older(digest, HOUR))
        await asyncio.sleep(0)
        assert await blobs.put(content) == digest
        removed += await sweeping
        assert await blobs.get(digest) == content
    assert removed > 0


KILLED = """
import asyncio, os, sys
from pathlib import Path
from diono.infra.blobs import FolderBlobs
from diono.infra.blobs.s3 import S3Blobs

async def chunks():
    for number in range(10_000):
        yield bytes([number % 251]) * 500_000
        if number == 40:
            print("half", flush=True)

store = S3Blobs(sys.argv[1]) if sys.argv[1].startswith("s3:") else FolderBlobs(Path(sys.argv[1]))
asyncio.run(store.put_stream(chunks()))
"""


async def test_a_writer_that_is_killed_leaves_nothing_but_what_the_sweep_takes(
    blobs: Blobs, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    is_folder = isinstance(blobs, FolderBlobs)
    place = str(tmp_path / "blobs") if is_folder else request.getfixturevalue("s3_url")
    writer = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, place,
        stdout=subprocess.PIPE, env={**os.environ, **CREDENTIALS},
    )  # fmt: skip
    assert writer.stdout is not None
    before = {blob.sha256 async for blob in blobs.older(-10)} if not is_folder else set[str]()
    await writer.stdout.readline()
    writer.send_signal(signal.SIGKILL)
    await writer.wait()
    assert {blob.sha256 async for blob in blobs.older(HOUR)} == set()
    assert {blob.sha256 async for blob in blobs.older(-10)} == before
    if is_folder:
        assert [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == []


async def test_a_content_that_changed_on_the_disk_is_not_handed_out(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    digest = await blobs.put(b"what was stored")
    (tmp_path / digest[:2] / digest).write_bytes(b"something else!")
    with pytest.raises(BlobCorrupt):
        await blobs.get(digest)
    with pytest.raises(BlobCorrupt):
        _ = [piece async for piece in blobs.read(digest)]


async def test_a_torn_content_is_mended_by_the_next_put(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    digest = await blobs.put(b"what was stored")
    (tmp_path / digest[:2] / digest).write_bytes(b"what")
    assert await blobs.put(b"what was stored") == digest
    assert await blobs.get(digest) == b"what was stored"


FULL = """
import asyncio, resource, signal, sys
from pathlib import Path
from diono.infra.blobs import FolderBlobs, StorageFull

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
blobs = FolderBlobs(Path(sys.argv[1]))
kept = asyncio.run(blobs.put(b"kept"))
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    asyncio.run(blobs.put(b"x" * 1_000_000))
except StorageFull as error:
    print(error.code, asyncio.run(blobs.get(kept)).decode())
"""


def test_a_disk_that_takes_no_more_is_named_and_loses_nothing(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)], check=True, capture_output=True, text=True
    )
    assert told.stdout.split() == [StorageFull.code, "kept"]
    assert sum(path.is_file() for path in tmp_path.rglob("*")) == 1


@pytest.mark.parametrize("url", ["http://bucket", "s3://", "s3://key:secret@bucket"])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(S3Misconfigured):
        S3Blobs(url)


async def test_a_bucket_that_is_not_there_is_named(s3_url: str) -> None:
    store = S3Blobs(s3_url.replace("//blobs", "//nobodys"))
    with pytest.raises(S3Misconfigured, match="nobodys"):
        await store.start()
    await store.close()
