"""What a turn takes up from the project's memory, and what it leaves there."""

from dataclasses import dataclass

from diono.agents.codeact.hands import Deeds
from diono.agents.codeact.turn import End
from diono.agents.port import JsonObject, Memory, Said, Stage
from diono.agents.shapes import list_of
from diono.agents.tools.text import data_block, one_line
from diono.llm.counting import estimated_tokens

_FILES_SHOWN = 40
_SUMMARIES_KEPT = 12
_THOUGHTS = 5
_ACTIVE_FILES = 20


@dataclass(frozen=True)
class Recalled:
    """``files`` are the names of the project's files, as data for the prompt."""

    said: tuple[Said, ...]
    memory: Memory
    files: str


@dataclass(frozen=True)
class Spent:
    tokens_in: int
    tokens_out: int


async def recalled(stage: Stage) -> Recalled:
    """Look once, in a recorded step. Services that ended meanwhile are forgotten."""

    async def action() -> JsonObject:
        said, memory = await stage.recall()
        sandbox = await stage.sandbox()
        names = [one.path for one in await sandbox.list_files(".", 4) if not one.is_dir]
        alive = {one.name for one in await sandbox.list_services() if one.is_running}
        pids = {name: pid for name, pid in memory.service_pids.items() if name in alive}
        return {
            "said": [one.model_dump() for one in said],
            "memory": memory.model_copy(update={"service_pids": pids}).model_dump(),
            "files": names[:_FILES_SHOWN],
            "more": max(len(names) - _FILES_SHOWN, 0),
        }

    result = await stage.steps.run("recall", action)
    names = [one_line(str(name), 120) for name in list_of(result["files"])]
    if result["more"]:
        names.append(f"... and {result['more']} more")
    return Recalled(
        said=tuple(Said.model_validate(one) for one in list_of(result["said"])),
        memory=Memory.model_validate(result["memory"]),
        files=data_block("file names", "\n".join(names) or "(no files yet)", 2000),
    )


def message_of(role: str, content: str) -> Said:
    values = {"role": role, "content": content, "tokens": estimated_tokens(content)}
    return Said.model_validate(values)


def said_after(deeds: Deeds, answer: str) -> list[Said]:
    """Return what the conversation keeps of a turn: its deeds in short, and its answer."""
    told = [message_of("tool", one) for one in deeds.summaries[-_SUMMARIES_KEPT:]]
    return [*told, message_of("assistant", answer)]


def memory_after(
    before: Memory, end: End, thoughts: list[str], deeds: Deeds, spent: Spent
) -> Memory:
    files = [*reversed(deeds.files), *before.active_files]
    return Memory(
        phase="stopped" if end.reason else "answered",
        thoughts=tuple([*before.thoughts, *thoughts][-_THOUGHTS:]),
        next_steps=_next_steps(end),
        error_count=before.error_count + deeds.errors,
        active_files=tuple(dict.fromkeys(files))[:_ACTIVE_FILES],
        service_pids={**before.service_pids, **deeds.service_pids},
        tokens_in=before.tokens_in + spent.tokens_in,
        tokens_out=before.tokens_out + spent.tokens_out,
    )


def _next_steps(end: End) -> tuple[str, ...]:
    if end.reason:
        return (one_line(f"Go on where it stopped: {end.reason}", 200),)
    lines = [line.strip() for line in end.answer.splitlines()]
    return tuple(one_line(line, 200) for line in lines if line.lower().startswith("next"))[:5]
