"""An inverse by search: where f(n) is proven for whole numbers, its inverse can look n up."""

from diono.agents.signatures import description_of, python_signature
from diono.agents.spec import Built, FunctionSpec

LIMIT = 20_000


def can_search(function: FunctionSpec, other: Built) -> bool:
    """Say whether ``function`` takes one value back to the whole number that ``other`` had."""
    only = other.function.parameters
    return len(only) == 1 and only[0].type == "int" and not other.is_random


def searched(function: FunctionSpec, other: FunctionSpec) -> str:
    """Return a module that finds the number by trying; texts are compared in any case."""
    name = function.parameters[0].name
    return f'''"""Generated: the inverse of {other.name}, found by search."""

from core.{other.name} import {other.name}

LIMIT = {LIMIT}


{python_signature(function)}
    """{description_of(function)}"""
    wanted = str({name}).strip().casefold()
    for number in range(LIMIT):
        try:
            found = {other.name}(number)
        except ValueError:
            continue
        if wanted and str(found).casefold() == wanted:
            return number
    raise ValueError(f"{{{name}!r}} is not a valid value")
'''


def standalone(module: str, other: Built) -> str:
    """Return the module with the function it imports written into it, for one run on its own."""
    line = f"from core.{other.function.name} import {other.function.name}\n"
    return module.replace(line, other.source)
