"""A model that stops before the call that would break the task's budget.

What is left is counted from what was really spent, in the database, so that neither a crash nor a
second try makes room. Calls side by side reserve what they may use at most.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import floor, inf

from diono.agents.errors import BudgetSpent
from diono.agents.port import Model
from diono.features.tasks.jobs.prices import PER_TOKENS, Price
from diono.features.tasks.ledger import Ledger, TaskFacts
from diono.llm.fit.report import ModelFit
from diono.llm.guard import prompt_tokens_of
from diono.llm.port import ChatRequest, Reply

# An answer that may have fewer tokens or seconds is not worth its prompt.
LEAST_ANSWER_TOKENS = 16
LEAST_SECONDS = 0.5


@dataclass(frozen=True)
class Budget:
    """What one task may use. ``price`` is None where nobody knows it and nobody asked."""

    facts: TaskFacts
    price: Price | None
    seconds_left: Callable[[], float]

    def check_begin(self) -> None:
        """Raises BudgetSpent if there is nothing to begin with."""
        for name, value in (
            ("budget_seconds", self.facts.budget_seconds),
            ("budget_tokens", self.facts.budget_tokens),
        ):
            if value == 0:
                raise BudgetSpent(
                    f"The task has a budget of zero ({name}), so nothing was begun. "
                    "Retry it with more."
                )


@dataclass
class _Reserved:
    tokens: int = 0
    cost_usd: float = 0.0


class MeteredModel:
    """Satisfies agents.port.Model. ``ask`` raises BudgetSpent before the call."""

    def __init__(self, model: Model, fit: ModelFit, ledger: Ledger, budget: Budget) -> None:
        self.name = model.name
        self.profile = model.profile
        self._model = model
        self._fit = fit
        self._ledger = ledger
        self._budget = budget
        self._reserved = _Reserved()
        self._reserving = asyncio.Lock()

    async def ask(
        self, request: ChatRequest, on_text: Callable[[str], Awaitable[None]] | None = None
    ) -> Reply:
        prompt_tokens = prompt_tokens_of(request, self._fit)
        async with self._reserving:
            limit = await self._answer_tokens(request, prompt_tokens)
            tokens, cost_usd = prompt_tokens + limit, self._cost(prompt_tokens, limit)
            self._reserved.tokens += tokens
            self._reserved.cost_usd += cost_usd
        try:
            return await self._ask(request.model_copy(update={"max_tokens": limit}), on_text)
        finally:
            self._reserved.tokens -= tokens
            self._reserved.cost_usd -= cost_usd

    async def _ask(
        self, request: ChatRequest, on_text: Callable[[str], Awaitable[None]] | None
    ) -> Reply:
        written = 0

        async def counted(text: str) -> None:
            nonlocal written
            written += 1
            if on_text is not None:
                await on_text(text)

        timer = asyncio.timeout(max(LEAST_SECONDS, self._budget.seconds_left()))
        try:
            async with timer:
                reply = await self._model.ask(request, counted)
        except BaseException as error:
            # Broken off, but spent: about one token came with each piece of text.
            if written or isinstance(error, TimeoutError | asyncio.CancelledError):
                await self._spend(prompt_tokens_of(request, self._fit), written)
            if isinstance(error, TimeoutError) and timer.expired():
                raise _spent("seconds", self._budget.facts.budget_seconds) from error
            raise
        await self._spend(reply.usage.prompt_tokens, reply.usage.completion_tokens)
        return reply

    async def _spend(self, tokens_in: int, tokens_out: int) -> None:
        cost_usd = self._cost(tokens_in, tokens_out)
        task_id = self._budget.facts.task_id
        await asyncio.shield(self._ledger.spend(task_id, tokens_in, tokens_out, cost_usd))

    async def _answer_tokens(self, request: ChatRequest, prompt_tokens: int) -> int:
        """Return how long the answer may be by every budget. Raises BudgetSpent."""
        facts = self._budget.facts
        spent = await self._ledger.spent(facts.task_id)
        by_tokens: float = inf
        if facts.budget_tokens is not None:
            by_tokens = facts.budget_tokens - spent.tokens - self._reserved.tokens - prompt_tokens
        limits: list[tuple[float, str, float | None]] = [
            (by_tokens, "tokens", facts.budget_tokens),
            (self._by_cost(prompt_tokens, spent.cost_usd), "dollars", facts.budget_cost_usd),
            (self._by_seconds(prompt_tokens), "seconds", facts.budget_seconds),
        ]
        for limit, unit, budget in limits:
            if limit < min(LEAST_ANSWER_TOKENS, request.max_tokens):
                raise _spent(unit, budget or 0)
        return floor(min(request.max_tokens, *(limit for limit, _, _ in limits)))

    def _by_cost(self, prompt_tokens: int, spent_usd: float) -> float:
        budget, price = self._budget.facts.budget_cost_usd, self._budget.price
        if budget is None or price is None:
            return inf
        left = budget - spent_usd - self._reserved.cost_usd - price.of(prompt_tokens, 0)
        if left < 0:
            return 0
        return left * PER_TOKENS / price.output_usd if price.output_usd else inf

    def _by_seconds(self, prompt_tokens: int) -> float:
        left = self._budget.seconds_left()
        if left < LEAST_SECONDS:
            return 0
        if self._fit.is_assumed:
            # Nothing was measured: the clock ends the call if need be.
            return inf
        reading = prompt_tokens / max(self._fit.prompt_tokens_per_second, 0.1)
        return (left - reading) * self._fit.tokens_per_second

    def _cost(self, tokens_in: int, tokens_out: int) -> float:
        price = self._budget.price
        return price.of(tokens_in, tokens_out) if price is not None else 0.0


def _spent(unit: str, budget: float) -> BudgetSpent:
    return BudgetSpent(
        f"The task's budget of {budget:g} {unit} does not suffice for the next call to the model. "
        "What was done so far is kept. Retry the task with a larger budget."
    )
