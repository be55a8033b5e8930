"""Conversations: told once, summarised past a threshold, taken back, never lost."""

import asyncio
from collections.abc import Sequence

import pytest

from diono.agents.digest import EXTRACTED, tokens_of
from diono.agents.port import Memory, Receipt, Said
from diono.features.projects.errors import ProjectNotFound
from diono.llm.errors import ProviderUnreachable

from .conftest import Ground

WINDOW = 32_768
SMALL_WINDOW = 2_000


def _turn(number: int, length: int = 400) -> list[Said]:
    filler = "and so on " * (length // 10)
    return [
        Said(role="user", content=f"Request {number}: change part{number}.py. {filler}"),
        Said(role="assistant", content=f"Answer {number}. We decided to use port {number}."),
    ]


async def _say(ground: Ground, project_id: str, task_id: str, numbers: Sequence[int]) -> None:
    for number in numbers:
        memory = Memory(phase=f"turn {number}", thoughts=tuple(map(str, range(number))))
        await ground.conversations.remember(
            project_id, task_id, f"turn{number}", _turn(number), memory
        )


async def _talk(ground: Ground, project_id: str, task_id: str, numbers: Sequence[int]) -> None:
    said = [message for number in numbers for message in _turn(number)]
    memory = Memory(phase=f"turn {numbers[-1]}")
    await ground.conversations.remember(project_id, task_id, f"from {numbers[0]}", said, memory)


async def _place(ground: Ground) -> tuple[str, str]:
    project_id = await ground.project()
    return project_id, await ground.task(project_id)


async def test_repeat_of_a_step_says_it_once(ground: Ground) -> None:
    project_id, task_id = await _place(ground)
    await _say(ground, project_id, task_id, [1, 2, 2, 1])
    said, memory = await ground.conversations.recall(project_id, WINDOW)
    assert [message.content[:9] for message in said] == [
        "Request 1", "Answer 1.", "Request 2", "Answer 2."
    ]  # fmt: skip
    # The late repeat of the first turn did not bring its memory back either.
    assert memory.phase == "turn 2"


async def test_task_that_says_nothing_itself_is_told_of_once(ground: Ground) -> None:
    project_id, task_id = await _place(ground)
    receipt = Receipt(
        status="SUCCEEDED", spec={}, blueprint="", files=("main.py",), checks=(), attempts=1,
        tokens_in=5, tokens_out=3, seconds=1,
    )  # fmt: skip
    for _ in range(2):
        await ground.conversations.report(project_id, task_id, "Build it.", receipt)
    said, memory = await ground.conversations.recall(project_id, WINDOW)
    assert [message.content for message in said] == ["Build it.", "Done: main.py"]
    assert (memory.phase, memory.active_files, memory.tokens_out) == ("succeeded", ("main.py",), 3)
    # Who speaks for itself is not spoken for.
    other = await ground.task(project_id)
    await _say(ground, project_id, other, [1])
    await ground.conversations.report(project_id, other, "Build it.", receipt)
    assert len((await ground.conversations.recall(project_id, WINDOW))[0]) == 4


async def test_concurrent_writers_number_without_gap(ground: Ground) -> None:
    project_id, task_id = await _place(ground)
    await asyncio.gather(*(_say(ground, project_id, task_id, [n]) for n in range(8)))
    page = await ground.conversations.history(project_id, None, 100)
    assert [message.number for message in page.messages] == list(range(1, 17))


async def test_memory_keeps_the_last_five_thoughts(ground: Ground) -> None:
    project_id, task_id = await _place(ground)
    await _say(ground, project_id, task_id, [9])
    assert (await ground.conversations.memory(project_id)).thoughts == ("4", "5", "6", "7", "8")


async def test_nothing_is_summarised_below_the_threshold(ground: Ground) -> None:
    project_id, task_id = await _place(ground)
    await _talk(ground, project_id, task_id, range(1, 5))
    assert await ground.conversations.condense(project_id, WINDOW) == {}
    said, _ = await ground.conversations.recall(project_id, WINDOW)
    assert len(said) == 8


async def test_summary_stands_for_older_messages_and_hides_none(ground: Ground) -> None:
    project_id, task_id = await _place(ground)
    await _talk(ground, project_id, task_id, range(1, 46))
    done = await ground.conversations.condense(project_id, WINDOW)
    assert done["by"] == "extract"
    said, _ = await ground.conversations.recall(project_id, WINDOW)
    assert (said[0].role, said[-1].content[:10]) == ("system", "Answer 45.")
    assert said[0].content.startswith(EXTRACTED)
    assert "port 20" in said[0].content or "part20.py" in said[0].content
    assert sum(message.tokens for message in said) <= 5_000
    page = await ground.conversations.history(project_id, None, 200)
    assert len(page.messages) == 91
    assert sum(message.is_summary for message in page.messages) == 1
    # What was done is not done again, and more talk leads to a summary of the summary.
    assert await ground.conversations.condense(project_id, WINDOW) == {}
    await _talk(ground, project_id, task_id, range(46, 90))
    assert (await ground.conversations.condense(project_id, WINDOW))["covers"] > done["covers"]
    said, _ = await ground.conversations.recall(project_id, WINDOW)
    assert [message.role for message in said].count("system") == 1


async def test_small_window_lowers_the_threshold(ground: Ground) -> None:
    project_id, task_id = await _place(ground)
    await _talk(ground, project_id, task_id, range(1, 12))
    assert await ground.conversations.condense(project_id, WINDOW) == {}
    assert await ground.conversations.condense(project_id, SMALL_WINDOW)
    said, _ = await ground.conversations.recall(project_id, SMALL_WINDOW)
    assert sum(message.tokens for message in said) <= SMALL_WINDOW * 0.4


async def test_model_writes_the_summary_if_it_can(ground: Ground) -> None:
    project_id, task_id = await _place(ground)
    await _talk(ground, project_id, task_id, range(1, 46))

    async def unreachable(_said: Sequence[Said], _limit: int) -> str:
        raise ProviderUnreachable("gone")

    async def silent(_said: Sequence[Said], _limit: int) -> str:
        return " "

    async def fair(said: Sequence[Said], _limit: int) -> str:
        return f"They spoke {len(said)} times."

    done = await ground.conversations.condense(project_id, WINDOW, unreachable)
    assert done["by"] == "extract"
    await _talk(ground, project_id, task_id, range(46, 90))
    assert (await ground.conversations.condense(project_id, WINDOW, silent))["by"] == "extract"
    await _talk(ground, project_id, task_id, range(90, 135))
    assert (await ground.conversations.condense(project_id, WINDOW, fair))["by"] == "model"
    said, _ = await ground.conversations.recall(project_id, WINDOW)
    assert said[0].content.startswith("They spoke")


async def test_huge_and_hostile_messages_fit_any_window(ground: Ground) -> None:
    project_id, task_id = await _place(ground)
    huge = Said(role="tool", content="x\x00\ud800" * 400_000)
    await ground.conversations.remember(project_id, task_id, "k" * 400, [huge], Memory())
    await ground.conversations.remember(project_id, task_id, "k" * 400, [huge], Memory())
    said, _ = await ground.conversations.recall(project_id, SMALL_WINDOW)
    assert len(said) == 1
    assert "characters left out" in said[0].content
    assert tokens_of(said[0].content) <= SMALL_WINDOW * 0.4
    await ground.conversations.remember(project_id, task_id, "b", [huge], Memory())
    await ground.conversations.condense(project_id, SMALL_WINDOW)
    said, _ = await ground.conversations.recall(project_id, SMALL_WINDOW)
    assert sum(message.tokens for message in said) <= SMALL_WINDOW * 0.4


async def test_going_back_leaves_out_what_came_later_but_keeps_it(ground: Ground) -> None:
    project_id, task_id = await _place(ground)
    await _talk(ground, project_id, task_id, range(1, 4))
    number, memory = await ground.conversations.mark(project_id)
    await _talk(ground, project_id, task_id, range(4, 60))
    await ground.conversations.condense(project_id, WINDOW)
    await ground.conversations.go_back(project_id, number, memory, "Back to “three”.")
    said, now = await ground.conversations.recall(project_id, WINDOW)
    assert [message.content[:8] for message in said] == [
        "Request ", "Answer 1", "Request ", "Answer 2", "Request ", "Answer 3", "Back to ",
    ]  # fmt: skip
    assert now.phase == "turn 3"
    await _talk(ground, project_id, task_id, range(60, 110))
    assert await ground.conversations.condense(project_id, WINDOW)
    said, _ = await ground.conversations.recall(project_id, WINDOW)
    assert not any("Request 30:" in message.content for message in said)
    page = await ground.conversations.history(project_id, None, 500)
    assert [message.number for message in page.messages] == list(range(1, len(page.messages) + 1))
    assert any("Request 30:" in message.content for message in page.messages)


async def test_history_comes_in_pages_oldest_first(ground: Ground) -> None:
    project_id, task_id = await _place(ground)
    await _talk(ground, project_id, task_id, range(1, 6))
    newest = await ground.conversations.history(project_id, None, 4)
    assert [message.number for message in newest.messages] == [7, 8, 9, 10]
    older = await ground.conversations.history(project_id, newest.next_cursor, 100)
    assert [message.number for message in older.messages] == [1, 2, 3, 4, 5, 6]
    assert older.next_cursor is None


async def test_copy_has_the_conversation_up_to_a_message(ground: Ground) -> None:
    project_id, task_id = await _place(ground)
    other = await ground.project()
    await _talk(ground, project_id, task_id, range(1, 6))
    await ground.conversations.copy(project_id, other, 4, {"phase": "then"})
    said, memory = await ground.conversations.recall(other, WINDOW)
    assert (len(said), memory.phase) == (4, "then")
    await _talk(ground, project_id, task_id, [6])
    assert len((await ground.conversations.recall(other, WINDOW))[0]) == 4


async def test_deleted_project_takes_no_messages(ground: Ground) -> None:
    with pytest.raises(ProjectNotFound):
        await ground.conversations.remember("prj_0", "tsk_0", "k", [], Memory())
