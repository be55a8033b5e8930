"""Stores of blobs for tests: a folder, and a bucket of a local S3 server."""

import logging
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from moto.server import ThreadedMotoServer

from diono.infra.blobs import Blobs, FolderBlobs

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
BUCKET = "blobs"


@contextmanager
def s3_server() -> Generator[str]:
    """A local S3 server with an empty bucket; yields the setting S3_URL."""
    before = {name: os.environ.get(name) for name in CREDENTIALS}
    os.environ.update(CREDENTIALS)
    # Its lines for every request would take longer than the requests.
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
    client.create_bucket(Bucket=BUCKET)
    client.close()
    try:
        yield f"s3://{BUCKET}?endpoint={endpoint}"
    finally:
        server.stop()
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def make_old(blobs: Blobs, folder: Path, digest: str, seconds: float) -> None:
    """Turn back a blob's time, which the local S3 server keeps in this process."""
    moment = time.time() - seconds
    if isinstance(blobs, FolderBlobs):
        os.utime(folder / digest[:2] / digest, (moment, moment))
        return
    bucket: Any = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets[BUCKET]
    key = bucket.keys[f"blobs/{digest[:2]}/{digest}"]
    key.last_modified = datetime.fromtimestamp(moment, UTC).replace(tzinfo=None)
