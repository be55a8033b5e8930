"""The exit status tells the truth, and errors have one shape."""

import json

import pytest

from diono.cli.outcome import Exit, PortTaken, RemoteError, ServerProblem, UsageError, show_error
from diono.kernel.errors import DionoError
from diono.setup.errors import EngineMissing


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UsageError("x"), Exit.USAGE),
        (RemoteError("model_not_found", "x", 404), Exit.USAGE),
        (RemoteError("unavailable", "x", 503), Exit.ENVIRONMENT),
        (EngineMissing("x"), Exit.ENVIRONMENT),
        (PortTaken("x"), Exit.ENVIRONMENT),
        (ServerProblem("x"), Exit.ENVIRONMENT),
        (DionoError("x"), Exit.FAILED),
    ],
)
def test_each_kind_of_error_has_its_exit_status(
    error: DionoError, status: Exit, capsys: pytest.CaptureFixture[str]
) -> None:
    assert show_error(error, as_json=False) is status
    assert capsys.readouterr().out == ""


def test_an_error_is_told_on_stderr_and_as_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    show_error(RemoteError("model_not_found", "no such model", 404), as_json=True)
    captured = capsys.readouterr()
    assert captured.err == "error: model_not_found: no such model\n"
    assert json.loads(captured.out) == {"error": "model_not_found", "detail": "no such model"}
