"""``custom:NAME``: a runner that the operator wrote. The file NAME.py of the folder
DIONO_RUNNERS_DIR has ``make(resources, detail)``, which returns an AgentRunner."""

from typing import cast

from diono.agents.runner import AgentRunner
from diono.agents.runners.resources import Make, Resources
from diono.agents.runners.trusted import ExtensionRefused, load_trusted


def make(resources: Resources, detail: str) -> AgentRunner:
    """Raises ExtensionRefused."""
    module = load_trusted(resources.custom, detail)
    found = getattr(module, "make", None)
    if not callable(found):
        raise ExtensionRefused(f"{detail}.py has no function make(resources, detail).")
    return cast("Make", found)(resources, detail)
