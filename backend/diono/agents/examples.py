"""Calls with the results they should have: proposed by the model, then put to a vote.

An example only counts when independent answers agree on it, because a small model computes
badly in its head; the programs it writes are held against these, and can outvote them in turn.
"""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from diono.agents.asking import ask
from diono.agents.chance import may_be_chance
from diono.agents.meter import Run
from diono.agents.parsing import Assertion, assertions_of
from diono.agents.product_manager import request_of
from diono.agents.prompting import messages
from diono.agents.signatures import description_of, ends_of, python_call, python_signature
from diono.agents.spec import Built, Example, FunctionSpec
from diono.agents.values import coerce_arguments, equal, is_of_type
from diono.llm.port import ChatRequest

WANTED = 5
SHOWN_WITH_VOTE = 3
PROPOSAL_TEMPERATURES = (0.0, 0.8, 1.0)
VOTE_TEMPERATURES = (0.0, 0.6)
_INVERSE_VERBS = (
    ("encode", "decode"), ("encrypt", "decrypt"), ("compress", "decompress"),
    ("escape", "unescape"), ("serialize", "deserialize"), ("pack", "unpack"),
)  # fmt: skip


async def propose(run: Run, prompt: str, function: FunctionSpec) -> list[list[Assertion]]:
    """Return up to six calls, each with the results that the model supposed for it."""
    proposed: dict[str, list[Assertion]] = {}
    rounds: list[list[Assertion]] = [[] for _ in PROPOSAL_TEMPERATURES]
    for attempt, temperature in enumerate(PROPOSAL_TEMPERATURES):
        for one in await _propose(run, prompt, function, attempt, temperature):
            rounds[attempt].append(one)
        if attempt and sum(map(len, rounds)) >= WANTED:
            break
    for one in (one for row in zip_longest(*rounds) for one in row if one is not None):
        proposed.setdefault(json.dumps(one.arguments), []).append(one)
    return list(proposed.values())[:WANTED]


async def put_to_vote(
    run: Run, function: FunctionSpec, proposed: list[list[Assertion]]
) -> tuple[Example, ...]:
    """Return the proposed calls as examples; those without two agreeing votes are inputs only."""
    found: list[Example] = []
    for group in proposed:
        others = [one[0] for one in proposed if one is not group][:SHOWN_WITH_VOTE]
        found.append(await _vote(run, function, group, others))
    return tuple(found)


@dataclass(frozen=True)
class Own:
    """``vote`` puts the examples to the vote later, where chance may play a part."""

    examples: tuple[Example, ...]
    vote: Callable[[], Awaitable[tuple[Example, ...]]] | None


async def own(run: Run, prompt: str, function: FunctionSpec) -> Own:
    """Propose examples for a function and have them voted on, now or later."""
    proposed = await propose(run, prompt, function)

    async def vote() -> tuple[Example, ...]:
        return await put_to_vote(run, function, proposed)

    if may_be_chance(function):
        return Own(unvoted(proposed), vote)
    return Own(await vote(), None)


def unvoted(proposed: list[list[Assertion]]) -> tuple[Example, ...]:
    return tuple(
        Example(arguments=one[0].arguments, expected=one[0].expected, votes=1, voters=1)
        for one in proposed
    )


async def _propose(
    run: Run, prompt: str, function: FunctionSpec, attempt: int, temperature: float
) -> list[Assertion]:
    is_text = function.parameters[0].type == "str"
    first = function.parameters[0]
    quote = "'" if first.is_file else '"'
    begun = f"```python\nassert {function.name}(" + (quote if is_text else "")
    chat = messages(
        "examples",
        begun=begun if run.stage.model.profile.supports_prefill else "",
        request=request_of(prompt),
        signature=python_signature(function),
        description=description_of(function),
        count=str(WANTED),
        function=function.name,
    )
    request = ChatRequest(
        messages=chat, max_tokens=260, temperature=temperature, seed=attempt + 1, stop=("\n```",)
    )
    answer = await ask(run, f"examples of {function.name}.{attempt + 1}", request)
    names = [one.name for one in function.parameters]
    begun_lines = assertions_of(begun + answer.text, function.name, names)
    found: list[Assertion] = []
    for one in begun_lines or assertions_of(answer.text, function.name, names):
        arguments = coerce_arguments(function, one.arguments)
        if arguments is not None:
            found.append(Assertion(arguments, one.expected))
    return found


async def _vote(
    run: Run, function: FunctionSpec, group: list[Assertion], others: list[Assertion]
) -> Example:
    """Ask for the result of one call again, and count which answer comes most often.

    One voter sees the other proposals, so that conventions (case, rounding) are kept to.
    """
    arguments = group[0].arguments
    call = python_call(function, arguments)
    votes: list[Any] = [one.expected for one in group][:2]
    lines = [f"assert {python_call(function, o.arguments)} == {o.expected!r}" for o in others]
    for index, temperature in enumerate(VOTE_TEMPERATURES):
        before = "\n".join(lines) + "\n" if lines and index == 0 else ""
        last = f"assert {call} =="
        begun = f"```python\n{before}{last}"
        chat = messages(
            "vote",
            begun=begun if run.stage.model.profile.supports_prefill else "",
            signature=python_signature(function),
            description=description_of(function),
            call=call,
        )
        request = ChatRequest(
            messages=chat, max_tokens=80, temperature=temperature, seed=index + 1, stop=("\n```",)
        )
        answer = await ask(run, f"vote {call[:60]}.{index + 1}", request)
        names = [one.name for one in function.parameters]
        for text in (last + answer.text, answer.text.rpartition("\n" + last)[2], answer.text):
            found = assertions_of(text, function.name, names)
            if found:
                votes.append(found[0].expected)
                break
    fitting = [vote for vote in votes if is_of_type(vote, function.returns)]
    counts = [sum(equal(vote, other) for other in fitting) for vote in fitting]
    best = max(counts, default=0)
    expected = fitting[counts.index(best)] if fitting else None
    return Example(arguments=arguments, expected=expected, votes=best, voters=len(votes))


def are_inverse(left: FunctionSpec, right: FunctionSpec) -> bool:
    """Say whether the names and types of two functions promise that one undoes the other."""
    if not _types_mirror(left, right):
        return False
    for one, other in _INVERSE_VERBS:
        pair = {left.name.replace(one, "", 1), right.name.replace(other, "", 1)}
        swapped = {left.name.replace(other, "", 1), right.name.replace(one, "", 1)}
        if (other in right.name and one in left.name and len(pair) == 1) or (
            other in left.name and one in right.name and len(swapped) == 1
        ):
            return True
    a, b = ends_of(left.name), ends_of(right.name)
    return a is not None and b is not None and a == (b[1], b[0])


def _types_mirror(left: FunctionSpec, right: FunctionSpec) -> bool:
    if len(left.parameters) != len(right.parameters):
        return False
    rest = [one.type for one in left.parameters[1:]] == [one.type for one in right.parameters[1:]]
    there = left.returns == right.parameters[0].type
    return rest and there and right.returns == left.parameters[0].type


def round_trip(
    function: FunctionSpec, other: FunctionSpec, known: tuple[Example, ...]
) -> tuple[Example, ...]:
    """Turn the unanimous examples of an inverse function around."""
    if not are_inverse(function, other):
        return ()
    return _turned(function, other, [one for one in known if one.is_unanimous])


def from_partner(function: FunctionSpec, built: Sequence[Built]) -> tuple[Example, ...]:
    """Turn around what an inverse that is already built gives: whatever it does, this undoes it."""
    found: list[Example] = []
    for partner in built:
        if are_inverse(function, partner.function) and not partner.is_random:
            sure = [one.model_copy(update={"votes": 2, "voters": 2}) for one in partner.examples]
            found += _turned(function, partner.function, sure)
    return tuple(found)


def _turned(
    function: FunctionSpec, other: FunctionSpec, known: Sequence[Example]
) -> tuple[Example, ...]:
    """Make results arguments; what does not fit the parameters is left out."""
    found: list[Example] = []
    for one in known:
        arguments = coerce_arguments(function, (one.expected, *one.arguments[1:]))
        if arguments is not None:
            update = {"arguments": arguments, "expected": one.arguments[0]}
            source = f"round trip with {other.name}"
            found.append(one.model_copy(update={**update, "source": source}))
    return tuple(found)
