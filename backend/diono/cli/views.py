"""Chooses how a timeline looks: moving on a terminal, plain lines elsewhere."""

import importlib
from functools import partial
from typing import TextIO

from diono.cli.timeline import PlainView, View


def open_view(stream: TextIO) -> View:
    if not stream.isatty():
        return PlainView(partial(print, file=stream, flush=True))
    view: View = importlib.import_module("diono.cli.timeline_live").LiveView(stream)
    return view
