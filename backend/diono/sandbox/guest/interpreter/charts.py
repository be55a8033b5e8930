"""The data behind a matplotlib figure, in the SDK's chart schema.

Types: line, scatter, bar, pie, box_and_whisker, superchart (several axes), unknown.
"""

from __future__ import annotations

import re
import sys
from typing import Any

from . import boxes, values

_UNIT = re.compile(r"\s\((.*?)\)|\[(.*?)\]")
_POINTS_LIMIT = 100_000

Chart = dict[str, Any]


def of_figure(figure: Any) -> Chart | None:
    """Return the chart of a figure; None if nothing is drawn in it."""
    axes = [each for each in figure.get_axes() if not _is_colour_bar(each)]
    if not any(each.has_data() for each in axes):
        return None
    if len(axes) == 1:
        return of_axes(axes[0])
    title = figure.get_suptitle() if hasattr(figure, "get_suptitle") else ""
    return {
        "type": "superchart",
        "title": title or None,
        "elements": [of_axes(each) for each in axes],
    }


def of_axes(axes: Any) -> Chart:
    kind = _kind_of(axes)
    chart: Chart = {"type": kind, "title": axes.get_title() or None, "elements": []}
    if kind == "pie":
        chart["elements"] = [_wedge(patch) for patch in axes.patches]
    elif kind != "unknown":
        _MAKERS[kind](axes, chart)
    return values.plain(chart)


def _is_colour_bar(axes: Any) -> bool:
    return hasattr(axes, "_colorbar")


def _kind_of(axes: Any) -> str:
    lines: Any = sys.modules["matplotlib.lines"]
    patches: Any = sys.modules["matplotlib.patches"]
    collections: Any = sys.modules["matplotlib.collections"]
    drawn = [*axes.lines, *axes.patches, *axes.collections, *axes.images]
    if boxes.are_box_plots(axes):
        return "box_and_whisker"
    if all(isinstance(each, lines.Line2D) for each in drawn):
        return "line"
    drawn = [each for each in drawn if not (isinstance(each, lines.Line2D) and is_rule(each))]
    for kind, classes in (
        ("scatter", collections.PathCollection),
        ("pie", patches.Wedge),
        ("bar", patches.Rectangle),
    ):
        if all(isinstance(each, classes) for each in drawn):
            return kind
    return "bar" if _are_bars_with_errors(axes, drawn) else "unknown"


def _are_bars_with_errors(axes: Any, drawn: list[Any]) -> bool:
    """Bars may carry error bars: lines and line collections that are no data of their own."""
    patches: Any = sys.modules["matplotlib.patches"]
    collections: Any = sys.modules["matplotlib.collections"]
    rest = [each for each in drawn if not isinstance(each, patches.Rectangle)]
    has_bars = len(rest) < len(drawn)
    errors = [each for container in axes.containers for each in _error_parts(container)]
    return has_bars and all(
        isinstance(each, collections.LineCollection) or each in errors for each in rest
    )


def _error_parts(container: Any) -> list[Any]:
    bars = getattr(container, "errorbar", None) or container
    lines = getattr(bars, "lines", None)
    if lines is None:
        return []
    data, caps, _ = lines
    return [*([data] if data is not None else []), *caps]


def is_rule(line: Any) -> bool:
    """A straight horizontal or vertical line of two points: a grid or a mark, no data."""
    xs, ys = list(line.get_xdata()), list(line.get_ydata())
    return len(xs) == 2 and len(ys) == 2 and bool(xs[0] == xs[1] or ys[0] == ys[1])


def _label(axes: Any, chart: Chart, is_turned: bool = False) -> None:
    names = ("y", "x") if is_turned else ("x", "y")
    for name, text in zip(names, (axes.get_xlabel(), axes.get_ylabel())):  # noqa: B905 - 3.9
        chart[f"{name}_label"] = text or None
        unit = _UNIT.search(text)
        chart[f"{name}_unit"] = (unit.group(1) or unit.group(2)) if unit else None


def _describe_axis(chart: Chart, name: str, axis: Any, scale: str) -> None:
    labels = [label.get_text() for label in axis.get_ticklabels()]
    places = [float(place) for place in axis.get_ticklocs()]
    is_time = _is_time(axis)
    chart[f"{name}_tick_labels"] = labels
    if is_time:
        dates: Any = sys.modules["matplotlib.dates"]
        chart[f"{name}_ticks"] = [dates.num2date(place).isoformat() for place in places]
        chart[f"{name}_scale"] = "datetime"
        return
    chart[f"{name}_ticks"] = places
    chart[f"{name}_scale"] = scale
    if scale == "linear" and _are_categories(places, labels):
        chart[f"{name}_scale"] = "categorical"


def _is_time(axis: Any) -> bool:
    converter = axis.get_converter() if hasattr(axis, "get_converter") else axis.converter
    return "Date" in type(converter).__name__ and "matplotlib.dates" in sys.modules


def _are_categories(places: list[float], labels: list[str]) -> bool:
    """Whether the ticks are 0, 1, 2... with labels that are no numbers of theirs."""
    return all(
        place == index and label != str(index)
        for index, (place, label) in enumerate(zip(places, labels))  # noqa: B905 - 3.9
    )


def _add_scales(axes: Any, chart: Chart) -> None:
    _label(axes, chart)
    _describe_axis(chart, "x", axes.xaxis, axes.get_xscale())
    _describe_axis(chart, "y", axes.yaxis, axes.get_yscale())


def _point(value: Any) -> Any:
    """Dates as ISO 8601 to the second; all else as it is."""
    if type(value).__name__ == "datetime64":
        return str(value.astype("datetime64[s]"))
    return value


def _points(pairs: Any) -> list[list[Any]]:
    return [[_point(x), _point(y)] for x, y in list(pairs)[:_POINTS_LIMIT]]


def _lines(axes: Any, chart: Chart) -> None:
    _add_scales(axes, chart)
    for line in axes.get_lines():
        if is_rule(line):
            continue
        label = str(line.get_label())
        if label.startswith("_child"):
            label = f"Line {label[6:]}"
        pairs = zip(line.get_xdata(), line.get_ydata())  # noqa: B905 - 3.9
        chart["elements"].append({"label": label, "points": _points(pairs)})


def _scatter(axes: Any, chart: Chart) -> None:
    _add_scales(axes, chart)
    for collection in axes.collections:
        points = _points(collection.get_offsets())
        chart["elements"].append({"label": str(collection.get_label()), "points": points})


def _bars(axes: Any, chart: Chart) -> None:
    containers = [each for each in axes.containers if hasattr(each, "patches")]
    is_turned = any(getattr(each, "orientation", "") == "horizontal" for each in containers)
    _label(axes, chart, is_turned)
    axis = axes.yaxis if is_turned else axes.xaxis
    for container in containers:
        group = str(container.get_label())
        if group.startswith("_container"):
            group = f"Group {group[10:]}"
        for patch in container.patches:
            low, size = (
                (patch.get_y(), patch.get_height())
                if is_turned
                else (patch.get_x(), patch.get_width())
            )
            value = patch.get_width() if is_turned else patch.get_height()
            label = boxes.label_at(axis, low + size / 2, size)
            chart["elements"].append({"label": label, "group": group, "value": float(value)})


def _wedge(patch: Any) -> dict[str, Any]:
    angle = abs(round(float(patch.theta2) - float(patch.theta1), 4))
    return {"label": str(patch.get_label()), "angle": angle, "radius": float(patch.r)}


def _box_plots(axes: Any, chart: Chart) -> None:
    is_turned = boxes.are_turned(axes)
    _label(axes, chart, is_turned)
    chart["elements"] = boxes.of_axes(axes, is_turned)


_MAKERS = {"line": _lines, "scatter": _scatter, "bar": _bars, "box_and_whisker": _box_plots}
