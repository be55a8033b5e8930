"""Data frames as columns."""

from __future__ import annotations

import sys
from typing import Any

from . import values

_CELLS_LIMIT = 500_000


def columns_of(value: Any) -> dict[str, list[Any]] | None:
    """Return {column: values} of a pandas DataFrame; None if it is none, or a very large one."""
    pandas: Any = sys.modules.get("pandas")
    frame = getattr(pandas, "DataFrame", None)
    if frame is None or not isinstance(value, frame) or value.size > _CELLS_LIMIT:
        return None
    columns: dict[str, list[Any]] = {}
    for position, name in enumerate(value.columns):
        columns[str(name)] = values.plain(value.iloc[:, position].tolist())
    return columns
