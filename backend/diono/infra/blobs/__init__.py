"""Content-addressed storage: what was saved is found again by its SHA-256.

The S3 adapter is in ``diono.infra.blobs.s3``, which the composition root imports when it is set:
its SDK takes a second to load.
"""

from diono.infra.blobs.folder import FolderBlobs
from diono.infra.blobs.port import (
    BlobCorrupt,
    BlobMissing,
    Blobs,
    BlobsUnavailable,
    BlobTooLarge,
    StorageFull,
    StoredBlob,
)

__all__ = [
    "BlobCorrupt",
    "BlobMissing",
    "BlobTooLarge",
    "Blobs",
    "BlobsUnavailable",
    "FolderBlobs",
    "StorageFull",
    "StoredBlob",
]
