"""Asking a model under a budget, and what its answers tell of its speed."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from diono.llm.errors import ContextExceeded, ModelError
from diono.llm.port import ChatRequest, Message, ModelProfile, Reply, Usage

ESTIMATED = Usage(prompt_tokens=0, completion_tokens=0, is_estimate=True)
_LEAST_SAMPLE_TOKENS = 8
_THINKING_TOKENS = 400


class Subject(Protocol):
    """The model that is measured, as its provider gives it."""

    @property
    def profile(self) -> ModelProfile: ...

    async def ask(
        self,
        request: ChatRequest,
        on_text: Callable[[str], Awaitable[None]] | None = None,
        on_thinking: Callable[[str], Awaitable[None]] | None = None,
    ) -> Reply: ...


@dataclass
class Answer:
    """What came before the time was up. ``problem`` is a failure of the provider."""

    text: str = ""
    reply: Reply | None = None
    problem: ModelError | None = None
    first_seconds: float = 0.0
    seconds: float = 0.0

    @property
    def usage(self) -> Usage:
        return self.reply.usage if self.reply else ESTIMATED

    @property
    def thinking(self) -> str:
        return self.reply.thinking if self.reply else ""


@dataclass
class Bench:
    """Asks until the deadline; keeps speeds and what should be known of the measurement."""

    subject: Subject
    ends_at: float
    thinking: bool | None = None
    thinks_always: bool = False
    answer_tokens: int = 0
    answer_seconds: float = 0.0
    prompt_speeds: list[float] = field(default_factory=list[float])
    notes: list[str] = field(default_factory=list[str])

    @property
    def seconds_left(self) -> float:
        return self.ends_at - time.monotonic()

    async def say(self, text: str, max_tokens: int, seconds: float, begun: str = "") -> Answer:
        """Ask one question, greedily; a ``begun`` answer ends where its fence closes."""
        messages = [Message(role="user", content=text)]
        if begun:
            messages.append(Message(role="assistant", content=begun))
        stop = ("```",) if begun else ()
        request = ChatRequest(messages=tuple(messages), max_tokens=max_tokens, stop=stop)
        return await self.ask(request, seconds)

    async def ask(self, request: ChatRequest, seconds: float) -> Answer:
        """Ask within ``seconds`` and the budget; an answer that takes longer is cut there."""
        if request.thinking is None:
            request = request.model_copy(update={"thinking": self.thinking})
        if self.thinks_always:
            more = request.max_tokens + _THINKING_TOKENS
            request = request.model_copy(update={"max_tokens": more})
        answer = Answer()
        pieces: list[str] = []
        started = time.monotonic()
        first_at = 0.0

        async def on_piece(piece: str) -> None:
            nonlocal first_at
            first_at = first_at or time.monotonic()

        async def on_text(piece: str) -> None:
            pieces.append(piece)
            await on_piece(piece)

        try:
            async with asyncio.timeout(max(min(seconds, self.seconds_left), 0.0)):
                answer.reply = await self.subject.ask(request, on_text, on_piece)
        except TimeoutError:
            answer.text = "".join(pieces)
        except ModelError as error:
            answer.problem = error
            if not isinstance(error, ContextExceeded):
                self.notes.append(f"{error.code}: {error.detail[:200]}")
        else:
            answer.text = answer.reply.text
        ended = time.monotonic()
        answer.seconds = ended - started
        answer.first_seconds = (first_at or ended) - started
        self._count(answer, len(pieces))
        return answer

    def _count(self, answer: Answer, pieces: int) -> None:
        """The first piece comes with the reading of the prompt: it is not counted as writing."""
        tokens = answer.usage.completion_tokens if answer.reply else pieces
        writing = answer.seconds - answer.first_seconds
        if tokens >= _LEAST_SAMPLE_TOKENS and writing > 0:
            self.answer_tokens += tokens - 1
            self.answer_seconds += writing

    @property
    def tokens_per_second(self) -> float:
        """Return the speed of writing; 0 if nothing long enough was written."""
        return self.answer_tokens / self.answer_seconds if self.answer_seconds else 0.0
