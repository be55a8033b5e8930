"""A task's events in the six names of a chat's stream."""

from diono.features.chat.schemas import ChatEvent, ChatEventName, JsonObject
from diono.features.tasks.schemas import TaskState, TaskStatus
from diono.kernel.errors import DionoError
from diono.kernel.events import Event, EventType

Told = tuple[ChatEventName, ChatEvent]

# What is no agent's start or end and no tool is told as thinking, with its kind.
_KINDS = {
    EventType.AGENT_START: (ChatEventName.AGENT_START, "agent"),
    EventType.AGENT_COMPLETE: (ChatEventName.AGENT_COMPLETE, "agent"),
    EventType.TOOL_START: (ChatEventName.TOOL_START, "tool"),
    EventType.TOOL_COMPLETE: (ChatEventName.TOOL_COMPLETE, "tool"),
    EventType.THINKING: (ChatEventName.AGENT_THINKING, "tokens"),
    EventType.MESSAGE: (ChatEventName.AGENT_THINKING, "message"),
    EventType.LOG: (ChatEventName.AGENT_THINKING, "log"),
    EventType.STATE: (ChatEventName.AGENT_THINKING, "state"),
    EventType.CHECK: (ChatEventName.AGENT_THINKING, "check"),
    EventType.FILE: (ChatEventName.AGENT_THINKING, "file"),
    EventType.PREVIEW: (ChatEventName.AGENT_THINKING, "preview"),
    # The stream's one `error` is its end; what went wrong on the way is a warning.
    EventType.ERROR: (ChatEventName.AGENT_THINKING, "warning"),
}
_TEXTS = ("text", "detail", "name", "path", "phase", "title")


def told(event: Event) -> Told | None:
    """Return the chat's event; None for what the last one tells (the receipt, the end)."""
    if event.event_type not in _KINDS or is_end(event):
        return None
    name, kind = _KINDS[event.event_type]
    payload = event.payload
    if event.event_type is EventType.STATE and payload.get("status") == TaskStatus.WAITING:
        kind = "question"
    source: JsonObject = payload.get("question") or payload
    text = next((str(source[key]) for key in _TEXTS if isinstance(source.get(key), str)), "")
    return name, ChatEvent(
        task_id=event.task_id,
        event_id=event.event_id,
        kind=kind,
        agent=event.agent_role,
        text=text,
        details=payload,
        timestamp=event.timestamp,
    )


def is_end(event: Event) -> bool:
    if event.event_type is not EventType.STATE:
        return False
    status = event.payload.get("status")
    return any(status == one.value for one in TaskStatus if one.is_terminal)


def opening(task: TaskState) -> Told:
    """Return the first event of a stream that starts at the beginning."""
    place = None if task.queue is None else task.queue.model_dump(mode="json")
    details: JsonObject = {
        "project_id": task.project_id,
        "status": task.status,
        "runner": task.runner,
        "queue": place,
    }
    event = ChatEvent(
        task_id=task.task_id,
        event_id=None,
        kind="accepted",
        agent="Diono",
        text="accepted",
        details=details,
        timestamp=task.created_at,
    )
    return ChatEventName.AGENT_START, event


def ending(task: TaskState) -> Told:
    """Return the last event of a task that has ended."""
    receipt = task.final_result
    details: JsonObject = {
        "status": task.status,
        "tokens_in": task.tokens_in,
        "tokens_out": task.tokens_out,
        "receipt": None if receipt is None else receipt.model_dump(mode="json"),
    }
    text = receipt.answer if receipt is not None and receipt.answer else task.last_message
    name, kind = ChatEventName.AGENT_COMPLETE, "result"
    if task.status is not TaskStatus.SUCCEEDED:
        name, kind = ChatEventName.ERROR, "error"
        is_cancelled = task.status is TaskStatus.CANCELLED
        code = task.error.code if task.error else "cancelled" if is_cancelled else "not_proven"
        reason = receipt.reason if receipt is not None else ""
        text = task.error.detail if task.error else reason or text
        details["error"] = code
    event = ChatEvent(
        task_id=task.task_id,
        event_id=task.last_event_id,
        kind=kind,
        agent="Diono",
        text=text,
        details=details,
        is_final=True,
        timestamp=task.finished_at,
    )
    return name, event


def refused(task: TaskState, error: DionoError) -> Told:
    """Return the last event for a reader who may no longer follow."""
    event = ChatEvent(
        task_id=task.task_id,
        event_id=None,
        kind="error",
        agent="Diono",
        text=error.detail,
        details={"error": error.code},
        is_final=True,
        timestamp=None,
    )
    return ChatEventName.ERROR, event
