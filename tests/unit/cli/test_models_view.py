"""How `diono models fit`, `diono keys` and `diono stats` are asked, and what a fit looks like."""

import pytest

from diono.cli.arguments import parse
from diono.cli.commands import keys, stats
from diono.cli.fit_view import fit_lines
from diono.cli.outcome import UsageError
from diono.features.models.schemas import FitReport
from diono.llm.fit.report import ModelFit
from diono.llm.port import ModelProfile


def _shown(fit: ModelFit) -> str:
    report = FitReport(name="a/b", fit=fit, forecast_seconds=fit.forecasts())
    return "\n".join(fit_lines(report))


def test_a_model_is_named_or_the_default_one() -> None:
    assert parse(["models", "fit"]).name is None
    arguments = parse(["models", "fit", "a/b", "--again", "--json"])
    assert (arguments.name, arguments.again, arguments.as_json) == ("a/b", True, True)


@pytest.mark.parametrize(
    ("command", "argv"),
    [
        (keys, ["keys", "create"]),
        (keys, ["keys", "revoke"]),
        (stats, ["stats", "compare", "tsk_1"]),
        (stats, ["stats", "rerun", "tsk_1"]),
    ],
)
def test_what_is_missing_is_said_before_a_server_is_asked(command: object, argv: list[str]) -> None:
    with pytest.raises(UsageError, match="say"):
        command.run(parse(argv))  # type: ignore[attr-defined]


def test_a_belief_is_told_from_a_measurement() -> None:
    believed = ModelFit.assumed(ModelProfile(context_tokens=4096), "a/b")
    assert "not measured" in _shown(believed)
    measured = believed.model_copy(
        update={"is_assumed": False, "unmeasured": ("edits",), "notes": ("a\x1b[2J note",)}
    )
    text = _shown(measured)
    assert "not measured" not in text
    assert "could not measure: edits" in text
    assert "\x1b" not in text
