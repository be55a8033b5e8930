"""Any Python value as something that JSON can say: no NaN, no NumPy, no dates as objects."""

from __future__ import annotations

import math
from typing import Any

_DEPTH_LIMIT = 30


def plain(value: Any, depth: int = 0) -> Any:
    """Return ``value`` made of dicts, lists, strings, numbers, booleans and None."""
    if isinstance(value, str):
        return str(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if depth > _DEPTH_LIMIT:
        return repr(value)
    items: Any = value
    if isinstance(value, dict):
        return {str(key): plain(item, depth + 1) for key, item in items.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item, depth + 1) for item in items]
    return _foreign(value, depth)


def _foreign(value: Any, depth: int) -> Any:
    """Dates become ISO 8601; arrays lists; what is missing None; the rest text."""
    if type(value).__name__ in ("NaTType", "NAType"):
        return None
    for name in ("isoformat", "tolist", "item"):
        convert = getattr(value, name, None)
        if callable(convert):
            try:
                converted: Any = convert()
            except (TypeError, ValueError):
                continue
            return converted if isinstance(converted, str) else plain(converted, depth + 1)
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return str(value)
    return number if math.isfinite(number) else None
