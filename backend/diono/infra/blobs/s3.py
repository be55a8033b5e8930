"""Blobs in a bucket of an S3-compatible store. Importing this loads boto3, a second's work.

Keys: ``blobs/AB/DIGEST``; ``incoming/…`` while a large stream arrives (S3 names an object before
its content is known, and cannot rename); ``doomed/DIGEST`` while the sweep removes one.

Facts used: reads, heads and lists see every finished write (S3's strong consistency, since 2020);
``If-None-Match: *`` on PUT answers 412 for what exists (S3 since 2024, MinIO, moto).
"""

import asyncio
import base64
import time
from collections.abc import AsyncGenerator, AsyncIterable, Iterator
from datetime import datetime
from typing import Any

from boto3.s3.transfer import TransferConfig

from diono.infra.blobs.port import (
    PIECE_BYTES,
    BlobMissing,
    BlobsUnavailable,
    Counter,
    StoredBlob,
    check,
    checked_digest,
    missing,
    pieces,
)
from diono.infra.blobs.s3_door import BlobExists, S3Door, S3Misconfigured
from diono.kernel.ids import new_id

# S3 wants parts of at least 5 MiB, and at most 10,000 of them.
PART_BYTES = 8 * 1024 * 1024
_YOUNG_SECONDS = 3600.0
_TRIES = 20
_PAUSE_SECONDS = 0.1
_IN_TURN = TransferConfig(use_threads=False)


class S3Blobs:
    """``url`` as in ``S3Door``."""

    def __init__(self, url: str) -> None:
        """Raises S3Misconfigured. Takes a second: to be called in a thread."""
        self._door = S3Door(url)
        self._client, self._bucket = self._door.client, self._door.bucket

    async def start(self) -> None:
        """Raises S3Misconfigured if the bucket is not there or not ours, BlobsUnavailable."""
        try:
            await self._door.ask(self._client.head_bucket)
        except BlobMissing:
            raise S3Misconfigured(
                f"There is no bucket {self._bucket!r}. Make it, or correct S3_URL."
            ) from None

    async def close(self) -> None:
        await asyncio.to_thread(self._client.close)

    async def put(self, content: bytes) -> str:
        counter = Counter(None)
        counter.add(content)
        blob = counter.blob
        for attempt in range(_TRIES):
            if await self._is_made(blob, content) or await self._is_refreshed(blob):
                return blob.sha256
            await asyncio.sleep(_PAUSE_SECONDS * attempt)
        raise BlobsUnavailable(f"The store keeps removing {blob.sha256}. Try again.")

    async def put_stream(
        self, chunks: AsyncIterable[bytes], *, most_bytes: int | None = None
    ) -> StoredBlob:
        counter = Counter(most_bytes)
        stream = pieces(chunks, PART_BYTES)
        first = b""
        async for piece in stream:
            counter.add(piece)
            if first:
                return await self._put_large(first, piece, stream, counter)
            first = piece
        await self.put(first)
        return counter.blob

    async def get(self, sha256: str) -> bytes:
        reply = await self._door.ask(self._client.get_object, Key=_key(sha256))
        content: bytes = await self._door.call(reply["Body"].read)
        counter = Counter(None)
        counter.add(content)
        check(sha256, counter)
        return content

    async def read(
        self, sha256: str, start: int = 0, end: int | None = None
    ) -> AsyncGenerator[bytes]:
        is_whole = start == 0 and end is None
        if is_whole:
            reply = await self._door.ask(self._client.get_object, Key=_key(sha256))
        else:
            size = await self.size(sha256)
            last = size if end is None else min(end, size)
            if last <= start:
                return
            wanted = f"bytes={start}-{last - 1}"
            reply = await self._door.ask(self._client.get_object, Key=_key(sha256), Range=wanted)
        counter, body = Counter(None), reply["Body"]
        try:
            while piece := await self._door.call(lambda: body.read(PIECE_BYTES)):
                counter.add(piece)
                yield piece
        finally:
            body.close()
        if is_whole:
            check(sha256, counter)

    async def size(self, sha256: str) -> int:
        return int((await self._head(sha256))["ContentLength"])

    async def delete(self, sha256: str) -> None:
        await self._door.ask(self._client.delete_object, Key=_key(sha256))

    async def older(self, seconds: float) -> AsyncGenerator[StoredBlob]:
        await self._drop_leftovers(seconds)
        async for item in self._listed("blobs/"):
            digest = str(item["Key"]).rpartition("/")[2]
            if _age(item["LastModified"]) > seconds and len(digest) == 64:
                yield StoredBlob(digest, int(item["Size"]))

    async def delete_older(self, sha256: str, seconds: float) -> bool:
        """A writer that makes the blob young looks for the mark and then for the blob: either it
        is seen young here, or it sees one of the two and puts the content again."""
        mark = f"doomed/{checked_digest(sha256)}"
        await self._door.ask(self._client.put_object, Key=mark, Body=b"")
        try:
            found = await self._head(sha256)
            if _age(found["LastModified"]) <= seconds:
                return False
            await self.delete(sha256)
            return True
        except BlobMissing:
            return False
        finally:
            await self._door.ask(self._client.delete_object, Key=mark)

    async def _put_large(
        self, first: bytes, second: bytes, stream: AsyncIterable[bytes], counter: Counter
    ) -> StoredBlob:
        key = f"incoming/{new_id('up')}"
        made = await self._door.ask(self._client.create_multipart_upload, Key=key)
        upload_id, parts = made["UploadId"], list[dict[str, Any]]()

        async def send(piece: bytes) -> None:
            number = len(parts) + 1
            reply = await self._door.ask(
                self._client.upload_part,
                Key=key,
                UploadId=upload_id,
                PartNumber=number,
                Body=piece,
            )
            parts.append({"ETag": reply["ETag"], "PartNumber": number})

        try:
            await send(first)
            await send(second)
            async for piece in stream:
                counter.add(piece)
                await send(piece)
            await self._door.ask(
                self._client.complete_multipart_upload,
                Key=key,
                UploadId=upload_id,
                MultipartUpload={"Parts": parts},
            )
        except BaseException:
            await self._door.ask(self._client.abort_multipart_upload, Key=key, UploadId=upload_id)
            raise
        return await self._named(key, counter.blob)

    async def _named(self, key: str, blob: StoredBlob) -> StoredBlob:
        """Give what arrived its name, unless it has it already."""
        try:
            for attempt in range(_TRIES):
                if await self._is_refreshed(blob):
                    return blob
                await asyncio.sleep(_PAUSE_SECONDS * attempt)
                await self._door.call(
                    lambda: self._client.copy(
                        {"Bucket": self._bucket, "Key": key},
                        self._bucket,
                        _key(blob.sha256),
                        Config=_IN_TURN,
                    )
                )
        finally:
            await self._door.ask(self._client.delete_object, Key=key)
        raise BlobsUnavailable(f"The store keeps removing {blob.sha256}. Try again.")

    async def _is_made(self, blob: StoredBlob, content: bytes) -> bool:
        """Create it; False if it exists. The store checks the content against its hash."""
        checksum = base64.b64encode(bytes.fromhex(blob.sha256)).decode()
        try:
            await self._door.call(
                lambda: self._client.put_object(
                    Bucket=self._bucket,
                    Key=_key(blob.sha256),
                    Body=content,
                    ChecksumSHA256=checksum,
                    IfNoneMatch="*",
                )
            )
        except BlobExists:
            return False
        return True

    async def _is_refreshed(self, blob: StoredBlob) -> bool:
        """Make an existing blob young; False if it is missing, broken, or being removed."""
        try:
            found = await self._head(blob.sha256)
            if int(found["ContentLength"]) != blob.size:
                await self.delete(blob.sha256)
                return False
            if _age(found["LastModified"]) < _YOUNG_SECONDS:
                return True
            await self._door.ask(
                self._client.copy_object,
                Key=_key(blob.sha256),
                CopySource={"Bucket": self._bucket, "Key": _key(blob.sha256)},
                MetadataDirective="REPLACE",
            )
            if await self._is_doomed(blob.sha256):
                return False
            await self._head(blob.sha256)
        except BlobMissing:
            return False
        return True

    async def _is_doomed(self, digest: str) -> bool:
        try:
            await self._door.ask(self._client.head_object, Key=f"doomed/{digest}")
        except BlobMissing:
            return False
        return True

    async def _head(self, digest: str) -> Any:
        try:
            return await self._door.ask(self._client.head_object, Key=_key(digest))
        except BlobMissing:
            raise missing(digest) from None

    async def _drop_leftovers(self, seconds: float) -> None:
        async for item in self._listed("doomed/"):
            await self._door.ask(self._client.delete_object, Key=item["Key"])
        async for item in self._listed("incoming/"):
            if _age(item["LastModified"]) > seconds:
                await self._door.ask(self._client.delete_object, Key=item["Key"])
        reply = await self._door.ask(self._client.list_multipart_uploads, Prefix="incoming/")
        for item in reply.get("Uploads", []):
            if _age(item["Initiated"]) > seconds:
                await self._door.ask(
                    self._client.abort_multipart_upload, Key=item["Key"], UploadId=item["UploadId"]
                )

    async def _listed(self, prefix: str) -> AsyncGenerator[Any]:
        pages: Iterator[Any] = iter(
            self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=prefix
            )
        )
        while (page := await self._door.call(lambda: next(pages, None))) is not None:
            for item in page.get("Contents", []):
                yield item


def _key(digest: str) -> str:
    return f"blobs/{checked_digest(digest)[:2]}/{digest}"


def _age(moment: datetime) -> float:
    return time.time() - moment.timestamp()
