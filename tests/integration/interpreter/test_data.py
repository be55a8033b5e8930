"""Data frames, figures and their data, with the real packages."""

import base64
import subprocess
import time
from typing import Any

import pytest
from e2b_code_interpreter import Result
from integration.interpreter.rig import Guest

pytestmark = pytest.mark.slow

_PNG = b"\x89PNG"


def _figure(guest: Guest, code: str) -> Result:
    source = f"import matplotlib.pyplot as plt\nimport numpy as np\n{code}\nplt.show()"
    execution = guest.sandbox().run_code(source)
    assert execution.error is None, execution.error
    assert "".join(execution.logs.stderr) == ""
    (result,) = execution.results
    assert base64.b64decode(result.png or "").startswith(_PNG)
    return result


def _chart(guest: Guest, code: str) -> Any:
    chart = _figure(guest, code).chart
    assert chart is not None
    return chart


def test_data_frame(data_guest: Guest) -> None:
    code = (
        "import pandas as pd\n"
        "pd.DataFrame({'a': [1, 2, None], 'when': pd.date_range('2024-01-01', periods=3)})"
    )
    result = data_guest.sandbox().run_code(code).results[0]
    assert result.is_main_result
    assert "<table" in (result.html or "")
    assert "2024-01-01" in (result.text or "")
    assert result.data == {
        "a": [1.0, 2.0, None],
        "when": ["2024-01-01T00:00:00", "2024-01-02T00:00:00", "2024-01-03T00:00:00"],
    }


def test_line(data_guest: Guest) -> None:
    chart = _chart(
        data_guest,
        "plt.plot([1, 2], [3, 4], label='one'); plt.plot([1, 2], [5, 9])\n"
        "plt.title('Lines'); plt.xlabel('time (s)'); plt.ylabel('way [m]'); plt.grid()",
    )
    assert (chart.type, chart.title) == ("line", "Lines")
    assert (chart.x_label, chart.x_unit, chart.y_unit) == ("time (s)", "s", "m")
    assert chart.x_scale == "linear"
    assert [(each.label, each.points) for each in chart.elements] == [
        ("one", [(1, 3), (2, 4)]),
        ("Line 1", [(1, 5), (2, 9)]),
    ]


def test_scales(data_guest: Guest) -> None:
    dates = _chart(
        data_guest, "plt.plot(np.arange('2023-01', '2023-04', dtype='M8[M]'), [1, 2, 3])"
    )
    assert dates.x_scale == "datetime"
    assert dates.elements[0].points[1] == ("2023-02-01T00:00:00", 2)
    assert _chart(data_guest, "plt.plot(['x', 'y'], [1, 2])").x_scale == "categorical"
    assert _chart(data_guest, "plt.plot([1, 10], [1, 2]); plt.yscale('log')").y_scale == "log"


def test_scatter(data_guest: Guest) -> None:
    chart = _chart(data_guest, "plt.scatter([1, 2], [3, 4], label='dots')")
    assert chart.type == "scatter"
    assert (chart.elements[0].label, chart.elements[0].points) == ("dots", [(1, 3), (2, 4)])


def test_bars(data_guest: Guest) -> None:
    chart = _chart(
        data_guest,
        "place = np.arange(2)\n"
        "plt.bar(place - 0.2, [1, 2], 0.4, label='A')\n"
        "plt.bar(place + 0.2, [3, 4], 0.4, label='B')\n"
        "plt.xticks(place, ['p', 'q'])",
    )
    assert chart.type == "bar"
    bars = [(each.group, each.label, each.value) for each in chart.elements]
    assert bars == [("A", "p", 1), ("A", "q", 2), ("B", "p", 3), ("B", "q", 4)]
    turned = _chart(data_guest, "plt.barh(['x', 'y'], [1, 2]); plt.xlabel('amount')")
    assert [(each.label, each.value) for each in turned.elements] == [("x", 1), ("y", 2)]
    assert turned.y_label == "amount"


def test_pie(data_guest: Guest) -> None:
    chart = _chart(data_guest, "plt.pie([1, 3], labels=['a', 'b'])")
    assert chart.type == "pie"
    assert [(each.label, each.angle, each.radius) for each in chart.elements] == [
        ("a", 90, 1),
        ("b", 270, 1),
    ]


@pytest.mark.parametrize("options", ["", ", patch_artist=True", ", orientation='horizontal'"])
def test_box_plots(data_guest: Guest, options: str) -> None:
    values = "[[1, 2, 3, 4, 20], [2, 3, 4, 5]]"
    chart = _chart(data_guest, f"plt.boxplot({values}, tick_labels=['A', 'B']{options})")
    assert chart.type == "box_and_whisker"
    first, second = chart.elements
    assert (first.label, first.min, first.median, first.max) == ("A", 1, 3, 4)
    assert (first.first_quartile, first.third_quartile, first.outliers) == (2, 4, [20])
    assert (second.label, second.median, second.outliers) == ("B", 3.5, [])


def test_several_axes(data_guest: Guest) -> None:
    chart = _chart(
        data_guest,
        "figure, (left, right) = plt.subplots(1, 2); figure.suptitle('Both')\n"
        "left.plot([1, 2], [3, 4]); right.bar(['a'], [1])",
    )
    assert (chart.type, chart.title) == ("superchart", "Both")
    assert [each.type for each in chart.elements] == ["line", "bar"]


def test_picture_without_data(data_guest: Guest) -> None:
    assert _chart(data_guest, "plt.imshow([[1, 2], [3, 4]])").type == "unknown"


def test_figure_left_open_is_shown_once(data_guest: Guest) -> None:
    sandbox = data_guest.sandbox()
    left = sandbox.run_code("import matplotlib.pyplot as plt\n_ = plt.plot([1, 2])")
    assert [bool(each.png) for each in left.results] == [True]
    named = sandbox.run_code("figure, axes = plt.subplots(); axes.plot([1]); figure")
    assert [(bool(each.png), each.is_main_result) for each in named.results] == [(True, True)]
    assert sandbox.run_code("len(plt.get_fignums())").text == "0"


@pytest.mark.nightly
def test_latex(data_guest: Guest) -> None:
    result = data_guest.sandbox().run_code("import sympy; sympy.Symbol('x') ** 2").results[0]
    assert (result.latex, result.text) == ("$\\displaystyle x^{2}$", "x**2")


def test_preimported_pandas_is_free(data_guest: Guest, data_python: str) -> None:
    ours: list[float] = []
    local: list[float] = []
    for _ in range(5):
        started = time.perf_counter()
        subprocess.run([data_python, "-c", "import pandas"], check=True)
        local.append(time.perf_counter() - started)
        started = time.perf_counter()
        assert data_guest.run("import pandas; print(pandas.Series([1]).sum())")["stdout"] == "1\n"
        ours.append(time.perf_counter() - started)
    assert sorted(ours)[2] <= 0.1 * sorted(local)[2]


def test_random_numbers_differ(data_guest: Guest) -> None:
    code = "import numpy, random; print(numpy.random.rand(), random.random())"
    assert len({data_guest.run(code)["stdout"] for _ in range(4)}) == 4
