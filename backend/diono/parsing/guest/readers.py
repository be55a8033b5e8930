"""Finds out what a file is and has its reader read it."""

import importlib
from types import ModuleType

from diono.parsing.guest.detect import Detected, detect
from diono.parsing.guest.sink import Sink
from diono.parsing.guest.source import Source

MODULES = (
    "archives",
    "csv_table",
    "docx_text",
    "excel",
    "excel_other",
    "html_text",
    "images",
    "json_data",
    "mail",
    "parquet_table",
    "pdf",
    "plain",
    "pptx_text",
)


def load(name: str) -> ModuleType:
    """Import a reader with its libraries, which only its own kind of file needs."""
    return importlib.import_module(f"diono.parsing.guest.formats.{name}")


def read(source: Source, sink: Sink) -> Detected:
    """Read a document into the sink. Raises Refused and whatever a broken file makes a library
    raise."""
    detected = detect(source)
    if not sink.kind:
        sink.kind, sink.media_type = detected.kind, detected.media_type
    module, _, function = detected.reader.partition(":")
    getattr(load(module), function)(source, sink)
    return detected
