"""What was measured of a model, in words."""

from collections.abc import Iterator

from diono.cli.text import one_line
from diono.features.models.schemas import FitReport
from diono.llm.fit.report import ModelFit

_PROTOCOLS = {
    "native": "native tool calls",
    "tags": "tool calls between tags",
    "fenced": "code in a fenced block",
}
_EDITS = {
    "whole": "whole files",
    "search_replace": "search and replace blocks",
    "unified_diff": "a unified diff",
}
_JSON = {"enforced": "enforced by its server", "obeyed": "obeyed when asked for", "none": "no"}
_THINKING = {"none": "no", "switch": "yes, and can be told not to", "always": "always"}


def fit_lines(report: FitReport) -> Iterator[str]:
    """Yield the lines to print, the name first."""
    fit = report.fit
    yield one_line(report.name, 80)
    if fit.is_assumed:
        yield "  not measured: this is what its provider says"
    else:
        yield f"  measured in {fit.probe_seconds:.0f} s; passed {fit.strength:.0%} of the probes"
    yield f"  window           {_window(fit)}"
    yield f"  acts by          {_PROTOCOLS[fit.protocol]}"
    yield f"  changes files by {_EDITS[fit.edit_format]}"
    yield f"  JSON schema      {_JSON[fit.json_answers]}"
    yield f"  begun answers    {'goes on with them' if fit.supports_prefill else 'no'}"
    yield f"  thinks aloud     {_THINKING[fit.thinking]}"
    yield (
        f"  speed            writes {fit.tokens_per_second:g}, "
        f"reads {fit.prompt_tokens_per_second:g} tokens/s"
    )
    yield f"  so: prompts of at most {fit.prompt_budget} tokens, up to {fit.tries} tries"
    forecast = ", ".join(
        f"{kind} {seconds:.0f} s" for kind, seconds in report.forecast_seconds.items()
    )
    yield f"  a task takes about: {forecast}"
    if fit.unmeasured and not fit.is_assumed:
        yield f"  could not measure: {', '.join(fit.unmeasured)}"
    for note in fit.notes:
        yield f"  note: {one_line(note, 200)}"


def _window(fit: ModelFit) -> str:
    if fit.window_tested:
        return f"{fit.window} tokens; prompts of {fit.window_tested} were read whole"
    return f"{fit.window} tokens"
