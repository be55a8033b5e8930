"""Box plots read back from their shapes, and the names of places on an axis."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

_NEAR = 1e-6


class _Line(NamedTuple):
    """A line turned so that ``values`` run along the value axis."""

    places: list[float]
    values: list[float]


class _Box(NamedTuple):
    start: float
    width: float
    low: float
    high: float

    @property
    def middle(self) -> float:
        return self.start + self.width / 2


def is_near(first: float, second: float) -> bool:
    return abs(first - second) <= _NEAR * max(1.0, abs(first), abs(second))


def are_box_plots(axes: Any) -> bool:
    """Whether there are boxes, each with a whisker that starts in the middle of an edge."""
    outlines = _outlines(axes)
    return bool(outlines) and (are_turned(axes) or _has_whiskers(axes, is_turned=False))


def are_turned(axes: Any) -> bool:
    """Whether the boxes lie on their side."""
    return not _has_whiskers(axes, is_turned=False) and _has_whiskers(axes, is_turned=True)


def of_axes(axes: Any, is_turned: bool) -> list[dict[str, Any]]:
    lines = _lines(axes, is_turned)
    axis = axes.yaxis if is_turned else axes.xaxis
    return [_described(box, lines, axis) for box in _boxes(axes, is_turned)]


def label_at(axis: Any, place: float, size: float) -> str:
    """Return the tick label at ``place``, or the place itself where ticks are just numbers."""
    names = [label.get_text() for label in axis.get_ticklabels()]
    ticks = [float(tick) for tick in axis.get_ticklocs()]
    formatter = type(axis.get_major_formatter()).__name__
    if formatter in ("ScalarFormatter", "LogFormatter", "LogFormatterSciNotation"):
        return f"{round(place, 6):g}"
    nearest = min(range(len(ticks)), key=lambda index: abs(ticks[index] - place), default=None)
    if nearest is None or abs(ticks[nearest] - place) > max(1.0, abs(size)):
        return f"{round(place, 6):g}"
    return names[nearest]


def _outlines(axes: Any) -> list[tuple[list[float], list[float]]]:
    """Return the corners of every box: filled ones are patches, others closed lines."""
    patches: Any = sys.modules["matplotlib.patches"]
    found: list[tuple[list[float], list[float]]] = []
    for patch in axes.patches:
        if isinstance(patch, patches.PathPatch):
            corners = patch.get_path().vertices
            found.append(([float(x) for x in corners[:, 0]], [float(y) for y in corners[:, 1]]))
    if found:
        return found
    for line in axes.lines:
        xs, ys = _numbers(line.get_xdata()), _numbers(line.get_ydata())
        is_closed = len(xs) >= 5 and xs[0] == xs[-1] and ys[0] == ys[-1]
        if is_closed and len(set(xs)) == len(set(ys)) == 2:
            found.append((xs, ys))
    return found


def _numbers(data: Any) -> list[float]:
    try:
        return [float(value) for value in data]
    except (TypeError, ValueError):
        return []


def _boxes(axes: Any, is_turned: bool) -> list[_Box]:
    found: list[_Box] = []
    for xs, ys in _outlines(axes):
        places, values = (ys, xs) if is_turned else (xs, ys)
        start = min(places)
        found.append(_Box(start, max(places) - start, min(values), max(values)))
    return found


def _lines(axes: Any, is_turned: bool) -> list[_Line]:
    found: list[_Line] = []
    for line in axes.lines:
        xs, ys = _numbers(line.get_xdata()), _numbers(line.get_ydata())
        if xs and len(xs) == len(ys):
            found.append(_Line(ys, xs) if is_turned else _Line(xs, ys))
    return found


def _is_whisker(line: _Line, box: _Box) -> bool:
    """A line in the middle that starts at an edge and leads away from the box."""
    if len(line.places) != 2 or not all(is_near(place, box.middle) for place in line.places):
        return False
    start, end = line.values
    return (is_near(start, box.low) and end <= box.low + _NEAR) or (
        is_near(start, box.high) and end >= box.high - _NEAR
    )


def _has_whiskers(axes: Any, is_turned: bool) -> bool:
    lines = _lines(axes, is_turned)
    boxes = _boxes(axes, is_turned)
    return bool(boxes) and all(any(_is_whisker(line, box) for line in lines) for box in boxes)


def _described(box: _Box, lines: list[_Line], axis: Any) -> dict[str, Any]:
    ends = [line.values[1] for line in lines if _is_whisker(line, box)]
    low, high = min([*ends, box.low]), max([*ends, box.high])
    return {
        "label": label_at(axis, box.middle, box.width),
        "min": low,
        "first_quartile": box.low,
        "median": _median(box, lines),
        "third_quartile": box.high,
        "max": high,
        "outliers": [
            value
            for line in lines
            if all(is_near(place, box.middle) for place in line.places)
            for value in line.values
            if value < low or value > high
        ],
    }


def _median(box: _Box, lines: list[_Line]) -> float:
    """The line across the box; caps are narrower."""
    for line in lines:
        is_level = len(line.values) == 2 and is_near(line.values[0], line.values[1])
        is_inside = box.low - _NEAR <= line.values[0] <= box.high + _NEAR
        spans = is_near(min(line.places), box.start) and is_near(
            max(line.places) - box.start, box.width
        )
        if is_level and is_inside and spans:
            return line.values[0]
    return (box.low + box.high) / 2
