"""What a request must be like, and small forms that the service fills in."""

import io
import json
import zipfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from diono.agents.port import Receipt
from diono.features.projects.service import Quotas
from diono.features.tasks.errors import OptionsTooLarge, ProjectNeeded, PromptEmpty, PromptTooLong
from diono.features.tasks.schemas import OPTIONS_BYTES, PROMPT_BYTES, CreateTask
from diono.kernel.events import Payload
from diono.llm.further import Asker

ZIP_DATE = (1980, 1, 1, 0, 0, 0)
PROJECT_KINDS = frozenset({"change", "chat"})

ModelCheck = Callable[[str, Asker], Awaitable[None]]


@dataclass(frozen=True)
class Origin:
    """Where a task comes from: who asked (None: its owner), and which attempt at what it is."""

    requested_by: str | None = None
    rerun_of: str | None = None
    attempt: int = 1


class Rules(Protocol):
    """What this installation has: its runners, the prices of its models, users' quotas."""

    @property
    def quotas(self) -> Quotas: ...

    async def check(self, request: CreateTask, asker: Asker) -> None:
        """Raises UnknownRunner, PriceUnknown."""
        ...


class NoRules:
    """Leaves it to the run to refuse what is not there."""

    quotas = Quotas()

    async def check(self, request: CreateTask, asker: Asker) -> None:
        """Take every request."""


def checked_request(request: CreateTask) -> CreateTask:
    """Return the request with a clean prompt.

    Raises PromptEmpty, PromptTooLong, OptionsTooLarge, ProjectNeeded.
    """
    size = len(json.dumps(request.options, ensure_ascii=False).encode(errors="replace"))
    if size > OPTIONS_BYTES:
        raise OptionsTooLarge(f"The options have {size} bytes; {OPTIONS_BYTES} is the most.")
    if request.kind in PROJECT_KINDS and not request.project_id:
        raise ProjectNeeded(
            f"A task of kind {request.kind} works in a project: say which by `project_id`."
        )
    return request.model_copy(update={"prompt": checked_prompt(request.prompt)})


def cancelled_receipt() -> Payload:
    """Return the receipt of a task that was cancelled before anything was begun."""
    receipt = Receipt(
        status="CANCELLED",
        reason="The task was cancelled before it began.",
        spec={},
        blueprint="",
        files=(),
        checks=(),
        unproven=("Nothing was begun.",),
        attempts=0,
        tokens_in=0,
        tokens_out=0,
        seconds=0.0,
    )
    return receipt.model_dump(mode="json")


def checked_prompt(prompt: str) -> str:
    text = prompt.replace("\x00", "").strip()
    if not text:
        raise PromptEmpty("The prompt is empty. Say in a sentence what to build.")
    size = len(text.encode(errors="replace"))
    if size > PROMPT_BYTES:
        raise PromptTooLong(
            f"The prompt has {size} bytes; {PROMPT_BYTES} is the most. Say the essence; "
            "long material belongs into a document."
        )
    return text


def zipped(contents: list[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in contents:
            info = zipfile.ZipInfo(path, ZIP_DATE)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)
    return buffer.getvalue()
