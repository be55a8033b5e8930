"""Tasks, events, files, questions and the queue in the database."""

from diono.features.tasks.store.artifacts import artifact, artifacts, drop_artifact, save_artifact
from diono.features.tasks.store.decisions import (
    add_decision,
    answer_decision,
    decision,
    expired,
)
from diono.features.tasks.store.entries import (
    EntryState,
    cancelled,
    entries,
    entry,
    lock_queue,
    note_turn,
    say_state,
    turns,
)
from diono.features.tasks.store.events import append_event, events_after, last_event_at
from diono.features.tasks.store.tasks import (
    any_owner,
    count_open,
    owned,
    page,
    project_of,
    started_projects,
    state_of,
)

__all__ = [
    "EntryState",
    "add_decision",
    "answer_decision",
    "any_owner",
    "append_event",
    "artifact",
    "artifacts",
    "cancelled",
    "count_open",
    "decision",
    "drop_artifact",
    "entries",
    "entry",
    "events_after",
    "expired",
    "last_event_at",
    "lock_queue",
    "note_turn",
    "owned",
    "page",
    "project_of",
    "save_artifact",
    "say_state",
    "started_projects",
    "state_of",
    "turns",
]
