"""The schedule: order, side by side, retries, skips, states, budgets."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence

import pytest

from diono.agents.errors import Cancelled, CyclicPlan, PlanRefused, UnknownRole, WorkspaceBroken
from diono.agents.port import JsonObject
from diono.agents.scheduling.budgets import Budgets
from diono.agents.scheduling.items import Phase, WorkItem, ordered
from diono.agents.scheduling.lockstep import Lane
from diono.agents.scheduling.scheduler import Outcome, Schedule, Worker, schedule
from diono.agents.scheduling.states import TRANSITIONS, Agent, AgentState, TransitionRefused
from diono.agents.scheduling.stuck import StuckDetector, error_signature

ROLES = ("Engineer", "QA")
Action = Callable[[], Awaitable[JsonObject]]


def item(name: str, *depends_on: str, **more: object) -> WorkItem:
    values = {"name": name, "role": "Engineer", "depends_on": depends_on, **more}
    return WorkItem.model_validate(values)


class Tape:
    """Steps that are recorded, and how many of them ran at the same time."""

    def __init__(self, recorded: Sequence[JsonObject] = ()) -> None:
        self.recorded = list(recorded)
        self.names: list[str] = []
        self.played = 0
        self.running = 0
        self.most = 0

    async def run(self, name: str, action: Action) -> JsonObject:
        self.names.append(name)
        self.played += 1
        if self.played > len(self.recorded):
            self.running += 1
            self.most = max(self.most, self.running)
            try:
                await asyncio.sleep(0)
                self.recorded.append(json.loads(json.dumps(await action())))
            finally:
                self.running -= 1
            return self.recorded[-1]
        return self.recorded[self.played - 1]

    async def run_together(
        self, branches: Sequence[tuple[str, Action]], at_once: int = 2
    ) -> list[JsonObject]:
        self.names.append(" + ".join(name for name, _ in branches))
        self.played += 1
        if self.played > len(self.recorded):
            self.running += len(branches)
            self.most = max(self.most, self.running)
            results = await asyncio.gather(*[action() for _, action in branches])
            self.running -= len(branches)
            self.recorded.append({"all": list(results)})
        return self.recorded[self.played - 1]["all"]


def budgets(iterations: int = 25, seconds: float = 100.0, spent: float = 0.0) -> Budgets:
    return Budgets(seconds, lambda: spent, iterations)


async def done(item: WorkItem, lane: Lane, hint: str) -> Outcome:
    async def action() -> JsonObject:
        return {"did": item.name}

    for turn in ("first", "second"):
        assert await lane.run(f"{turn} {item.name}", action) == {"did": item.name}
    return Outcome(True)


async def work_through(
    items: Sequence[WorkItem], worker: Worker, tape: Tape | None = None, **more: object
) -> Schedule:
    plan = schedule(items, ROLES, worker, budgets())
    for name, value in more.items():
        setattr(plan, name, value)
    await plan.run(tape or Tape())
    return plan


def test_items_come_after_what_they_need_and_by_priority() -> None:
    items = [item("c", "a"), item("a"), item("b", priority=5), item("d", "c", "b")]
    assert [one.name for one in ordered(items, ROLES)] == ["b", "a", "c", "d"]


@pytest.mark.parametrize(
    ("items", "error", "said"),
    [
        ([item("a", "b"), item("b", "c"), item("c", "a")], CyclicPlan, "a → b → c → a"),
        ([item("x"), item("a", "a")], CyclicPlan, "a → a"),
        ([item("a", "z")], PlanRefused, "depends on z"),
        ([item("a"), item("a")], PlanRefused, "a twice"),
        ([item("a", role="Poet")], UnknownRole, "Known roles: Engineer, QA"),
        ([item(str(n)) for n in range(101)], PlanRefused, "100 is the most"),
    ],
)
def test_a_bad_plan_is_refused_by_name(
    items: list[WorkItem], error: type[PlanRefused], said: str
) -> None:
    with pytest.raises(error, match=said):
        ordered(items, ROLES)


def test_a_long_chain_is_no_problem_and_a_long_circle_is_found() -> None:
    chain = [item(str(n), *([str(n - 1)] if n else [])) for n in range(100)]
    assert len(ordered(chain[::-1], ROLES)) == 100
    with pytest.raises(CyclicPlan, match="99"):
        ordered([item("0", "99"), *chain[1:]], ROLES)


async def test_independent_items_run_side_by_side_and_a_replay_is_the_same() -> None:
    items = [item("a"), item("b"), item("c", "a", "b")]
    tape = Tape()
    plan = await work_through(items, done, tape)
    assert tape.names == [
        "first a + first b", "second a + second b", "first c", "second c",
    ]  # fmt: skip
    assert tape.most == 2
    again = Tape(tape.recorded)
    replayed = await work_through(items, done, again)
    assert again.names == tape.names
    assert again.most == 0
    assert list(replayed.endings) == list(plan.endings) == ["a", "b", "c"]


async def test_what_must_be_alone_is_alone() -> None:
    async def worker(item: WorkItem, lane: Lane, hint: str) -> Outcome:
        async def action() -> JsonObject:
            return {}

        await lane.run_alone(f"write {item.name}", action)
        return Outcome(True)

    tape = Tape()
    await work_through([item("a"), item("b"), item("c")], worker, tape)
    assert tape.names == ["write a", "write b", "write c"]
    assert tape.most == 1


async def test_a_failed_item_is_tried_again_with_a_hint_and_its_dependants_are_skipped() -> None:
    hints: list[str] = []

    async def worker(item: WorkItem, lane: Lane, hint: str) -> Outcome:
        if item.name == "a":
            hints.append(hint)
            return Outcome(len(hints) == 3, f"problem number {'x' * len(hints)}")
        return Outcome(item.name != "b", "broken", may_retry=False)

    items = [item("a", retries=2), item("b", retries=3), item("c", "b"), item("d", "c"),
             item("e", "b", is_tolerant=True)]  # fmt: skip
    plan = await work_through(items, worker)
    assert hints == ["", "problem number x", "problem number xx"]
    ends = {name: one.end for name, one in plan.endings.items()}
    assert ends == {"a": "done", "b": "failed", "c": "skipped", "d": "skipped", "e": "done"}
    assert "depends on b" in plan.endings["c"].reason


async def test_the_same_problem_twice_without_a_change_is_stuck() -> None:
    async def worker(item: WorkItem, lane: Lane, hint: str) -> Outcome:
        return Outcome(False, "exit 3 in /tmp/a line 7" if hint else "exit 1 in /b line 9", "same")

    plan = await work_through([item("a", retries=5)], worker)
    assert plan.endings["a"].tries == 2
    assert plan.endings["a"].reason.startswith("stuck:")


async def test_an_error_ends_its_own_item_only_and_a_cancel_ends_all() -> None:
    async def worker(item: WorkItem, lane: Lane, hint: str) -> Outcome:
        async def action() -> JsonObject:
            if item.name == "bad":
                raise WorkspaceBroken("no disk")
            return {}

        await lane.run(item.name, action)
        if item.name == "stop":
            raise Cancelled("enough")
        return Outcome(True)

    plan = await work_through([item("bad"), item("good")], worker)
    assert [plan.endings[name].end for name in ("bad", "good")] == ["failed", "done"]
    assert plan.endings["bad"].reason == "no disk"
    plan = schedule([item("stop"), item("b"), item("c", "b")], ROLES, worker, budgets())
    with pytest.raises(Cancelled):
        await plan.run(Tape())
    assert {name: one.end for name, one in plan.endings.items()} == {
        "stop": "cancelled", "b": "done", "c": "cancelled",
    }  # fmt: skip


async def test_the_iterations_are_capped_and_early_phases_leave_some_over() -> None:
    async def worker(item: WorkItem, lane: Lane, hint: str) -> Outcome:
        return Outcome(False, "a" * (len(hint) + 1))

    limit = budgets(iterations=4)
    plan = Schedule(ordered([item("a", retries=5), item("b")], ROLES), worker, limit)
    await plan.run(Tape())
    assert plan.endings["a"].tries == 3
    assert "iterations for backend are used up" in plan.endings["a"].reason
    assert "options.max_iterations" in budgets(iterations=0).refusal(Phase.BACKEND)
    assert "time for planning" in budgets(spent=50.0).refusal(Phase.PLANNING)
    assert not budgets(spent=50.0).refusal(Phase.BACKEND)


def test_agents_change_only_as_the_table_says() -> None:
    for state, possible in TRANSITIONS.items():
        for target in AgentState:
            agent = Agent("A", state)
            if target in possible:
                agent.to(target)
                assert agent.state is target
            else:
                with pytest.raises(TransitionRefused, match="possible"):
                    agent.to(target)


def test_a_problem_keeps_its_signature() -> None:
    one = "File /work/a.py, line 3: KeyError 17 at 0xab12"
    other = "file /work/b/c.py, line 99:  keyerror 4 at 0xff"
    assert error_signature(one) == error_signature(other)
    assert error_signature(one) != error_signature("ValueError")
    stuck = StuckDetector()
    assert [stuck.is_stuck(one, mark) for mark in ("x", "y", "y")] == [False, False, True]
