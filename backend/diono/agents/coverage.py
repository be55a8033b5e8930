"""What a request speaks of and its plan does not: no check can miss what nobody planned."""

from collections.abc import Sequence

from diono.agents import text
from diono.agents.spec import FunctionSpec

# They say what kind of program is meant, or join what it is about.
_FRAME_WORDS = frozenset(
    text.words(
        "calculator converter generator checker counter timer stopwatch clock manager tracker game "
        "option options number numbers value values way how often whether if between into than "
        "then when where what who whom tell tells show shows print prints display displays give "
        "gives take takes let lets get gets has have do does not only also given good nice fast"
    )
)


def unspoken(request: str, functions: Sequence[FunctionSpec]) -> tuple[str, ...]:
    """Return the request's content words that occur in no planned name, parameter, choice or
    description."""
    planned: list[str] = []
    for one in functions:
        planned += text.words(f"{one.command.replace('-', ' ')} {one.description}")
        for parameter in one.parameters:
            planned += text.words(
                f"{parameter.name.replace('_', ' ')} {' '.join(parameter.choices)}"
            )
    wanted = dict.fromkeys(one for one in text.content_words(request) if one not in _FRAME_WORDS)
    return tuple(
        word for word in wanted if not any(text.share_a_stem(word, other) for other in planned)
    )
