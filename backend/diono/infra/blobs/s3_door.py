"""The way to an S3-compatible store: blocking calls beside the loop, errors in our words.

Importing this loads boto3, a second's work.
"""

import asyncio
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from diono.infra.blobs.port import BlobMissing, BlobsUnavailable, StorageFull
from diono.kernel.errors import DionoError, InvalidInput

_MISSING = {"404", "NoSuchKey", "NotFound"}
# 409: another conditional PUT of the same key is under way.
_EXISTS = {"412", "PreconditionFailed", "409", "ConditionalRequestConflict", "OperationAborted"}
_FULL = {"507", "XMinioStorageFull", "QuotaExceeded", "XMinioAdminBucketQuotaExceeded"}


class S3Misconfigured(InvalidInput):
    code = "s3_misconfigured"


class BlobExists(DionoError):
    """Somebody else's PUT was first."""


class S3Door:
    """``url`` is ``s3://bucket?endpoint=https://…&region=…``; credentials are found where every
    AWS tool finds them (AWS_ACCESS_KEY_ID, ~/.aws, the machine's role)."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "s3" or not parts.netloc or "@" in parts.netloc:
            raise S3Misconfigured(
                "S3_URL has the form s3://BUCKET?endpoint=https://HOST&region=REGION; credentials "
                "belong into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
            )
        options = parse_qs(parts.query)
        endpoint = options.get("endpoint", [None])[0]
        self.bucket = parts.netloc
        # A session of its own: the library's common one keeps the first credentials it was given.
        session: Any = boto3.Session()
        self.client: Any = session.client(
            "s3",
            endpoint_url=endpoint,
            region_name=options.get("region", ["us-east-1"])[0],
            config=Config(
                retries={"mode": "standard", "max_attempts": 4},
                connect_timeout=5,
                read_timeout=60,
                max_pool_connections=32,
                s3={"addressing_style": "path" if endpoint else "auto"},
            ),
        )

    async def ask(self, method: Callable[..., Any], **arguments: Any) -> Any:
        """Call a method of the client about the bucket. Raises BlobMissing, BlobExists,
        StorageFull, BlobsUnavailable."""
        return await self.call(lambda: method(Bucket=self.bucket, **arguments))

    async def call(self, call: Callable[[], Any]) -> Any:
        """Run a blocking call beside the loop. Raises as ``ask``."""
        try:
            return await asyncio.to_thread(call)
        except ClientError as error:
            raise self._translated(error) from error
        except (BotoCoreError, OSError) as error:
            raise BlobsUnavailable(
                f"The store of S3_URL does not answer ({type(error).__name__}). Try again, or "
                "look whether it runs."
            ) from error

    def _translated(self, error: ClientError) -> DionoError:
        answer = cast("dict[str, dict[str, str]]", error.response)
        code = answer.get("Error", {}).get("Code", "")
        if code in _MISSING:
            return BlobMissing(f"The bucket {self.bucket!r} has not what was asked for.")
        if code in _EXISTS:
            return BlobExists("It exists already.")
        if code in _FULL:
            return StorageFull("The bucket of S3_URL is full. Remove files, or give it more room.")
        return BlobsUnavailable(
            f"The store of S3_URL refused: {code}. Check its credentials and the bucket's policy."
        )
