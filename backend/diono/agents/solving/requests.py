"""How the model is asked for the function: the answer is begun for it where that works.

Fresh tries are told what went wrong, never shown the old code; each is begun in another way, for
a small model repeats itself otherwise.
"""

import ast
from dataclasses import dataclass
from typing import Any

from diono.agents.prompting import messages
from diono.agents.shapes import is_list
from diono.agents.solving.problem import Problem, calls_of
from diono.llm.port import ChatRequest

ANSWER_TOKENS = 300
RETRY_TOKENS = 200
TEMPERATURE = 0.8
HOTTEST = 1.2
SHOWN_CHECKS = 3
# What comes after the function is talk: it costs tokens and proves nothing.
_STOP = ("\n```", "\nassert ", "\nprint(", "\n# Test", "\n# Example", "\nif __name__")
# By what they cost: a docstring that is begun need not be written.
_FORMS = ("docstring", "rule", "reason", "comment", "docstring", "name")
_NAMES: dict[type, tuple[str, ...]] = {
    int: ("n", "m", "k"),
    float: ("a", "b", "c"),
    str: ("text", "other", "third"),
    list: ("items", "others", "third"),
    tuple: ("values", "others", "third"),
    dict: ("mapping", "other"),
    bool: ("flag",),
}


@dataclass(frozen=True)
class Asked:
    """``begun`` is the part of the answer that the request carries."""

    request: ChatRequest
    begun: str


def request_for(problem: Problem, attempt: int, hint: str, repeats: int, can_begin: bool) -> Asked:
    """Build try number ``attempt`` (from 1). Repeats so far raise the temperature."""
    shown = problem.checks[:SHOWN_CHECKS]
    begun = _begun(problem, attempt) if can_begin else ""
    told = problem.told
    if shown and not problem.head:
        told = f"{told}\n\n```python\n" + "\n".join(shown) + "\n```"
    chat = messages(
        "solve_function",
        begun=begun,
        task=told,
        hint=f"An earlier attempt went wrong: {hint}. Avoid that." if hint else "",
    )
    heat = min(TEMPERATURE + 0.1 * repeats, HOTTEST)
    request = ChatRequest(
        messages=chat,
        max_tokens=ANSWER_TOKENS if attempt == 1 or not begun else RETRY_TOKENS,
        temperature=0.0 if attempt == 1 else heat,
        seed=attempt,
        stop=_STOP if begun else (),
    )
    return Asked(request, begun)


def _begun(problem: Problem, attempt: int) -> str:
    if problem.head:
        above = f"{problem.preamble}\n\n" if problem.preamble else ""
        said = _said("rule" if attempt % 3 == 0 else "", "")
        return f"```python\n{above}{problem.head}\n    {problem.docstring}\n{said}"
    form = _FORMS[(attempt - 1) % len(_FORMS)]
    words = " ".join(problem.description.split()).replace('"""', "'''")
    example = problem.checks[0].removeprefix("assert ") if problem.checks else ""
    if form == "name" or not problem.checks:
        return f"```python\ndef {problem.name}("
    if form == "comment":
        return f"```python\n# {words}\n# For example: {example}\ndef {problem.name}("
    call, _, wanted = example.partition(" == ")
    lines = f"\n\n    >>> {call}\n    {wanted or True}\n    "
    said = _said(form, example)
    quote = 'r"""' if "\\" in words + lines else '"""'
    return f'```python\n{signature_of(problem)}\n    {quote}{words}{lines}"""\n{said}'


def _said(form: str, example: str) -> str:
    """Begin a comment now and then: it makes the model say its rule before it writes code."""
    if form == "reason":
        return f"    # {example} because"
    return "    #" if form == "rule" else ""


def signature_of(problem: Problem) -> str:
    """Make up a signature from an example: names and types by the kind of each value."""
    names: list[str] = []
    shown: list[str] = []
    for node in calls_of(problem.checks[0], problem.name)[0].args:
        value: object = _literal(node)
        choices = (*_NAMES.get(type(value), ()), f"value{len(names) + 1}")
        names.append(next(one for one in choices if one not in names))
        kind = _kind(value)
        shown.append(f"{names[-1]}: {kind}" if kind else names[-1])
    test = ast.parse(problem.checks[0]).body[0]
    compared = test.test if isinstance(test, ast.Assert) else None
    wanted = ""
    if isinstance(compared, ast.Compare) and isinstance(compared.ops[0], ast.Eq):
        wanted = _kind(_literal(compared.comparators[0]))
    arrow = f" -> {wanted}" if wanted else ""
    return f"def {problem.name}({', '.join(shown)}){arrow}:"


def _literal(node: ast.expr) -> Any:
    """Return a literal's value; None for an expression, whose kind nobody knows."""
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError):
        return None


def _kind(value: Any) -> str:
    """Name a value's type as an annotation; empty if it says nothing."""
    if value is None:
        return ""
    if is_list(value):
        inner = {_kind(one) for one in value}
        return f"list[{inner.pop()}]" if len(inner) == 1 and "" not in inner else "list"
    return type(value).__name__
