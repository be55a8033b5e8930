"""A chat message that asks for a change of a built app goes the way that proves it.

What is plain (a field, a title, a colour) is done by the change runner for every model: it brings
a check for what was asked, which free actions do not. A model that is weak at acting has all its
requests for changes done there.
"""

import re

from diono.agents import text
from diono.agents.blueprints import BlueprintCatalog
from diono.agents.changing.operations import AddField
from diono.agents.changing.reading import read_request
from diono.agents.changing.runner import ChangeRunner
from diono.agents.codeact.options import ChatOptions
from diono.agents.errors import ProofUnreadable
from diono.agents.port import JsonObject, Receipt, Stage
from diono.agents.runner import Work
from diono.agents.running import Watch
from diono.agents.saved_proof import read_proof
from diono.agents.spec import EntitySpec, Spec
from diono.llm.fit.report import ModelFit

_QUESTION = re.compile(
    r"\?\s*$|^\W*(?:what|why|how|who|when|where|which|is|are|was|does|do|did|has|have|explain|"
    r"tell|describe|list|find|look|read|run|test|check)\b",
    re.IGNORECASE,
)
_POLITE = re.compile(
    r"^\W*(?:please|(?:can|could|would|will) you(?: please)?)\b[,\s]*", re.IGNORECASE
)
_FILES = re.compile(
    r"\b(?:files?|folders?|scripts?|documents?|readme)\b|\w\.[a-z]{1,4}\b", re.IGNORECASE
)
_FIELD = re.compile(
    r"\b(?:fields?|columns?|attributes?|items?|entry|entries|records?|rows?)\b", re.IGNORECASE
)
_ORDER = re.compile(
    r"^\W*(?:add|change|rename|call|remove|delete|drop|make|set|use|show|let|give|store|keep|put|"
    r"include|replace|turn|allow|(?:i|we) (?:want|need)|each|every)\b",
    re.IGNORECASE,
)


async def change_asked(
    work: Work, stage: Stage, catalog: BlueprintCatalog | None
) -> ChangeRunner | None:
    """Return who makes the change that a message asks for; None where it asks for anything
    else, or where no built app is."""
    polite = _POLITE.match(work.prompt)
    request = work.prompt[polite.end() :].rstrip(" ?") if polite else work.prompt
    if catalog is None or _QUESTION.search(request):
        return None

    async def action() -> JsonObject:
        try:
            saved = await read_proof(await stage.sandbox())
        except ProofUnreadable:
            saved = None
        return {"spec": saved.spec.model_dump(mode="json") if saved else None}

    found = (await stage.steps.run("look for a built app", action))["spec"]
    is_meant = found and is_change(request, Spec.model_validate(found), stage.fit)
    return ChangeRunner(catalog) if is_meant else None


def is_change(request: str, spec: Spec, fit: ModelFit) -> bool:
    """Say whether a message is one for the change runner; what is not plain only for weak models,
    and nothing that names files."""
    if _FILES.search(request):
        return False
    plain = read_request(request, spec)
    is_about_field = bool(_FIELD.search(request)) or _names(request, spec.entity)
    if plain and (is_about_field or not any(isinstance(one, AddField) for one in plain)):
        return True
    return fit.is_weak and _ORDER.search(request) is not None


def _names(request: str, entity: EntitySpec | None) -> bool:
    words = [word.replace("-", "") for word in text.words(request)]
    parts = entity.name.split("_") if entity else []
    return bool(parts) and any(text.share_a_stem(parts[-1], word) for word in words)


async def make_change(
    changer: ChangeRunner, work: Work, stage: Stage, options: ChatOptions, watch: Watch
) -> Receipt:
    """Raises DionoError where the change is refused. ``watch`` counts what it costs."""
    changer.watch = watch
    asks = {"approval": "plan"} if options.approval == "always" else {}
    return await changer.work(work.model_copy(update={"options": asks}), stage)
