"""What an agent did, as text for a chat."""

from diono.agents.port import Receipt
from diono.features.tasks.schemas import TaskState, TaskStatus
from diono.kernel.events import Event, EventType


def progress_line(event: Event) -> str:
    """Return one line for an event that a reader wants to see; empty for the others."""
    payload = event.payload
    match event.event_type:
        case EventType.AGENT_START:
            return f"{event.agent_role}: {payload.get('title', 'at work')}\n"
        case EventType.MESSAGE:
            return f"{payload.get('text', '')}\n"
        case EventType.TOOL_START:
            return f"→ {payload.get('title') or payload.get('tool', 'a tool')}\n"
        case EventType.CHECK:
            mark = {True: "passed", False: "failed", None: "not run"}[payload.get("passed")]
            return f"check {mark}: {payload.get('name', '')}\n"
        case EventType.FILE:
            return f"file {payload.get('action', 'written')}: {payload.get('path', '')}\n"
        case _:
            return ""


def final_text(task: TaskState) -> str:
    """Return the answer of a task that has ended, honest about what was not proven."""
    receipt = task.final_result
    if task.status is TaskStatus.CANCELLED or receipt is None:
        return f"The task was cancelled: {receipt.reason if receipt else 'before it began.'}"
    if task.kind == "chat":
        is_done = task.status is TaskStatus.SUCCEEDED
        return receipt.answer or ("Done." if is_done else f"Not done: {receipt.reason}")
    head = "" if task.status is TaskStatus.SUCCEEDED else f"Not done: {receipt.reason}\n\n"
    if task.kind == "solve":
        body = f"```python\n{receipt.answer.strip()}\n```\n" if receipt.answer else ""
    else:
        body = "".join(f"- `{path}`\n" for path in receipt.files)
        body += f"\nAll files: GET /api/tasks/{task.task_id}/export\n" if receipt.files else ""
    return f"{head}{body}\n{_proof(receipt)}"


def _proof(receipt: Receipt) -> str:
    passed = [check for check in receipt.checks if check.passed is True]
    failed = [check for check in receipt.checks if check.passed is False and check.is_required]
    lines = [f"Proven by {len(passed)} checks:" if passed else "No check passed."]
    lines += [f"- {check.name}" for check in passed]
    lines += [f"- FAILED {check.name}: {check.detail[:200]}" for check in failed]
    lines += [f"- not proven: {text}" for text in receipt.unproven]
    return "\n".join(lines)
