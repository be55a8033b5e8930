"""matplotlib's figures: shown as PNG with their data, whoever made them."""

from __future__ import annotations

import io
import os
import sys
import warnings
from typing import Any

from . import charts


def is_figure(value: object) -> bool:
    module: Any = sys.modules.get("matplotlib.figure")
    return module is not None and isinstance(value, module.Figure)


def take_open() -> list[Any]:
    """Return the figures that pyplot holds, and make it forget them."""
    pyplot: Any = sys.modules.get("matplotlib.pyplot")
    helpers: Any = sys.modules.get("matplotlib._pylab_helpers")
    if pyplot is None or helpers is None:
        return []
    managers = helpers.Gcf.get_all_fig_managers()
    found = [manager.canvas.figure for manager in managers]
    if found:
        pyplot.close("all")
    return found


def bundle(figure: Any) -> dict[str, Any]:
    """Return a figure's PNG, its text and, where it can be told, its data."""
    if not figure.axes and not figure.lines and not figure.texts and not figure.images:
        return {}
    found: dict[str, Any] = {"image/png": _png(figure)}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            chart = charts.of_figure(figure)
    except Exception as error:  # noqa: BLE001 - an unusual figure is still a picture
        sys.stderr.write(f"the chart's data could not be read: {error}\n")
        chart = None
    if chart is not None:
        found["e2b/chart"] = chart
    return found


def _png(figure: Any) -> bytes:
    if not hasattr(figure.canvas, "print_png"):
        agg: Any = __import__("matplotlib.backends.backend_agg", fromlist=["FigureCanvasAgg"])
        agg.FigureCanvasAgg(figure)
    picture = io.BytesIO()
    figure.canvas.print_figure(
        picture,
        format="png",
        dpi=figure.dpi,
        bbox_inches="tight",
        facecolor=figure.get_facecolor(),
        edgecolor=figure.get_edgecolor(),
    )
    return picture.getvalue()


def furnish(matplotlib: Any, show: Any) -> None:
    """Called when matplotlib has been imported: draw without a display."""
    os.environ.setdefault("MPLBACKEND", "Agg")
    matplotlib.rcParams["backend"] = "agg"
    del show


def furnish_pyplot(pyplot: Any, show: Any) -> None:
    """Called when pyplot has been imported: ``show`` gives the open figures to the client."""

    def show_open(*_arguments: Any, **_options: Any) -> None:
        show()

    pyplot.show = show_open
