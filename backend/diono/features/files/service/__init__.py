"""Stored files of projects: named, typed, counted, found again by their hash."""

from diono.features.files.service.contents import Keeping, Limits
from diono.features.files.service.files import Files
from diono.features.files.service.links import Links
from diono.features.files.service.media import media_type
from diono.features.files.service.sweep import Sweep, SweepCount
from diono.features.files.service.uploads import CHUNK_BYTES, Uploads

__all__ = [
    "CHUNK_BYTES",
    "Files",
    "Keeping",
    "Limits",
    "Links",
    "Sweep",
    "SweepCount",
    "Uploads",
    "media_type",
]
