"""Prompts are files next to this module; every variable must be given, and no other."""

from functools import cache
from importlib.resources import files
from string import Template

from diono.llm.port import Message


@cache
def _template(name: str) -> Template:
    return Template(files("diono.agents").joinpath(f"prompts/{name}.md").read_text("utf-8"))


def render(name: str, **values: str) -> str:
    """Fill a prompt. Raises KeyError for a missing variable, ValueError for an unknown one."""
    template = _template(name)
    unknown = set(values) - set(template.get_identifiers())
    if unknown:
        raise ValueError(f"prompt {name} has no {', '.join(sorted(unknown))}")
    return template.substitute(values).strip()


def messages(name: str, begun: str = "", **values: str) -> tuple[Message, ...]:
    """Build a chat from a prompt file: above its first "---" line is the system message."""
    system, _, user = render(name, **values).partition("\n---\n")
    chat = (
        Message(role="system", content=system.strip()),
        Message(role="user", content=user.strip()),
    )
    return (*chat, Message(role="assistant", content=begun)) if begun else chat
