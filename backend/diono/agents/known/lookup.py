"""Which definition, if any, fixes what a function returns."""

from diono.agents.known import characters, conversions, formats
from diono.agents.known.answer import Known
from diono.agents.spec import FunctionSpec


def known(function: FunctionSpec, language: str) -> Known | None:
    """Return what is known of a function; None where nothing is."""
    return (
        conversions.known(function, language)
        or formats.known(function, language)
        or characters.known(function, language)
    )
