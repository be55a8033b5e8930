"""What a receipt says about the limits of its proof."""

from collections.abc import Sequence

from diono.agents.coverage import unspoken
from diono.agents.engineer import Failure
from diono.agents.spec import Built, Spec


def of_build(
    request: str, spec: Spec, built: Sequence[Built], failures: Sequence[Failure]
) -> list[str]:
    """Return what remains unproven whatever the checks said."""
    notes = [f"{one.function.name} was not built ({one.problem})" for one in failures]
    is_planned = spec.shape == "functions" and spec.functions
    missing = unspoken(request, spec.functions) if is_planned else ()
    notes += [
        f"whether it does what you asked about {word!r}: no command says so" for word in missing
    ]
    for one in built:
        if one.proof.startswith("generated"):
            notes.append(f"{one.function.name} is not the model's work ({one.proof})")
        if one.is_random:
            notes.append(f"{one.function.name} works by chance: its values cannot be foretold")
        elif any(not example.votes for example in one.examples):
            notes.append(f"{one.function.name}: some results rest on agreement ({one.proof})")
    if spec.shape == "records":
        notes.append("the look of the page in a real browser")
    elif spec.blueprint == "static-web":
        notes.append("the look of the page: it was run in a small document, not a browser")
    return notes
