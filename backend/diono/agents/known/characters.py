"""Texts of characters drawn by chance, with options for which kinds there are.

The operating system's source of chance is used, for such texts are mostly passwords.
"""

from diono.agents.chance import LENGTHS, may_be_chance
from diono.agents.known.answer import Known
from diono.agents.options import Kind, has_letter_cases, kinds_of
from diono.agents.signatures import description_of, python_signature
from diono.agents.spec import Example, FunctionSpec

AUTHORITY = "what its options say"
_POOLS = {
    "digits": "string.digits",
    "symbols": "string.punctuation",
    "uppercase letters": "string.ascii_uppercase",
    "lowercase letters": "string.ascii_lowercase",
}
_LENGTHS_TRIED = (12, 20, 8)


def known(function: FunctionSpec, language: str) -> Known | None:
    """Return calls and a generated module, or None if the function does anything else."""
    sizes = [one for one in function.parameters if one.type == "int" and one.name in LENGTHS]
    kinds = kinds_of(function)
    is_whole = len(sizes) == 1 and kinds and len(kinds) + 1 == len(function.parameters)
    if language != "python" or not is_whole or not may_be_chance(function):
        return None
    calls = [
        tuple(size if one is sizes[0] else True for one in function.parameters)
        for size in _LENGTHS_TRIED
    ]
    examples = tuple(
        Example(arguments=call, expected=None, votes=1, voters=1, source=AUTHORITY)
        for call in calls
    )
    return Known(examples, _module(function, sizes[0].name, kinds), AUTHORITY)


def _module(function: FunctionSpec, size: str, kinds: dict[str, Kind]) -> str:
    pools = [
        f"    if {name if kind.is_with else f'not {name}'}:\n"
        f"        characters += {_POOLS[kind.name]}\n"
        for name, kind in kinds.items()
    ]
    first = '""' if has_letter_cases(kinds) else "string.ascii_letters"
    return (
        '"""Generated: characters by chance."""\n\nimport secrets\nimport string\n\n\n'
        f'{python_signature(function)}\n    """{description_of(function)}"""\n'
        f'    if {size} < 1:\n        raise ValueError("{size} must be at least 1")\n'
        f"    characters = {first}\n{''.join(pools)}"
        "    if not characters:\n"
        '        raise ValueError("choose at least one kind of characters")\n'
        f'    return "".join(secrets.choice(characters) for _ in range({size}))\n'
    )
