"""Whose turn it is, by the rules alone."""

from datetime import UTC, datetime, timedelta

from diono.features.tasks.queue.order import QueueLimits, admissible, in_fair_order
from diono.features.tasks.tables import QueueEntry

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
SERVED = {"anna": NOON, "ben": NOON + timedelta(seconds=9)}


def entry(task: str, state: str = "queued", second: int = 0) -> QueueEntry:
    owner = "anna" if task.startswith("a") else "ben"
    return QueueEntry(
        task_id=task, project_id=f"of {task}", owner_id=owner, state=state, priority=5,
        queued_at=NOON + timedelta(seconds=second), admitted_at=None,
    )  # fmt: skip


def test_of_several_places_that_come_free_at_once_each_user_gets_a_share() -> None:
    entries = [entry("b1", "running"), entry("a3"), entry("a4"), entry("b2", second=5)]
    chosen = admissible(entries, SERVED, QueueLimits(total=3, per_owner=2))
    assert [one.task_id for one in chosen] == ["a3", "b2"]


def test_users_take_turns_and_the_one_served_longest_ago_begins() -> None:
    entries = [entry(task) for task in ("a1", "a2", "a3", "b1", "b2")]
    assert [one.task_id for one in in_fair_order(entries, SERVED)] == ["a1", "b1", "a2", "b2", "a3"]
    turned = {"anna": SERVED["ben"], "ben": SERVED["anna"]}
    assert [one.task_id for one in in_fair_order(entries, turned)] == ["b1", "a1", "b2", "a2", "a3"]
