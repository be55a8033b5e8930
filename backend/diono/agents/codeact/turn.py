"""One turn of a chat: think, act, observe, until there is an answer or a reason why not."""

from collections.abc import Sequence
from dataclasses import dataclass

from diono.agents.codeact.asking import OUT_OF_TIME, Answer, ask
from diono.agents.codeact.dialogue import Dialogue, Exchange, Observation
from diono.agents.codeact.hands import Hands
from diono.agents.codeact.options import ChatOptions
from diono.agents.codeact.protocols import Acting
from diono.agents.codeact.reading import Reading
from diono.agents.codeact.stuck import Rounds
from diono.agents.port import Stage
from diono.agents.tools.text import one_line
from diono.kernel.events import EventType
from diono.llm.port import ChatRequest

REPAIR_ITERATIONS = 8
_PROBLEMS_LIMIT = 2
_LEAST_BUDGET_TOKENS = 512
_ANSWER_SHARE = 0.25
_THOUGHTS = 5
_TOO_LONG = frozenset(("context_exceeded", "prompt_cut"))
_FINAL = frozenset(("budget_spent", OUT_OF_TIME))
_AGAIN = (
    "You repeat yourself: {problem}. If what you have seen answers the request, answer it now in "
    "plain words without any action. If not, do something different."
)
_CUT = (
    "Your answer was cut off at {tokens} tokens. Write less at once: one file or one step at a "
    "time."
)
_EMPTY = "You said nothing. Take the next step, or answer the request in plain words."


@dataclass(frozen=True)
class End:
    """How the thinking ended: with an answer, or with the reason why there is none."""

    answer: str = ""
    reason: str = ""


class Turn:
    def __init__(
        self, stage: Stage, acting: Acting, dialogue: Dialogue, hands: Hands, options: ChatOptions
    ) -> None:
        self._stage = stage
        self._acting = acting
        self._dialogue = dialogue
        self._hands = hands
        self._options = options
        self._rounds = Rounds()
        self._is_warned = False
        self._has_asked_again = False
        self._problems = 0
        self.iterations = 0
        self.thoughts: list[str] = []

    async def think(self, limit: int) -> End:
        """Go on for at most ``limit`` iterations. Always ends with an answer or a reason."""
        for _ in range(limit):
            self.iterations += 1
            answer = await self._ask()
            if answer.problem:
                end = await self._without_answer(answer)
            else:
                self._problems = 0
                end = await self._follow(answer)
            if end is not None:
                return end
        return End(reason=f"The cap of {limit} steps was reached before the request was done.")

    def tell(self, said: str, note: str) -> None:
        """Put an answer that was not the last one, and what we say to it, into the dialogue."""
        self._dialogue.exchanges.append(Exchange(said, note=note))

    async def _ask(self) -> Answer:
        fit = self._stage.fit
        room = max(fit.window - self._dialogue.budget_tokens - 32, int(fit.window * _ANSWER_SHARE))
        request = ChatRequest(
            messages=self._dialogue.messages(),
            max_tokens=max(64, min(self._options.max_answer_tokens, room)),
            # Said again after a warning, the same words would come again.
            temperature=0.7 if self._is_warned else 0.0,
            seed=self.iterations,
            tools=self._acting.specs(),
        )
        return await ask(self._stage, f"think {self.iterations}", request, self._hands.role)

    async def _without_answer(self, answer: Answer) -> End | None:
        """The model gave no answer at all: try once more with less, or end with the reason."""
        self._hands.deeds.errors += 1
        self._problems += 1
        await self._hands.say(
            EventType.LOG, text=f"The model gave no answer: {answer.problem}", level="warning"
        )
        if answer.code in _FINAL or self._problems >= _PROBLEMS_LIMIT:
            return End(reason=answer.problem)
        if answer.code in _TOO_LONG:
            half = self._dialogue.budget_tokens // 2
            self._dialogue.budget_tokens = max(half, _LEAST_BUDGET_TOKENS)
        return None

    async def _follow(self, answer: Answer) -> End | None:
        reading = self._acting.read(answer.text, answer.calls)
        if reading.text:
            self.thoughts = [*self.thoughts, one_line(reading.text, 200)][-_THOUGHTS:]
        if not reading.actions:
            return await self._settle(answer, reading)
        if reading.text:
            await self._hands.say(EventType.MESSAGE, text=reading.text)
        return await self._act(answer, reading)

    async def _settle(self, answer: Answer, reading: Reading) -> End | None:
        """No action: this is the answer, or something that cannot be followed (asked for once)."""
        note = reading.problem
        if not reading.text:
            note = _EMPTY
        elif answer.is_cut:
            note = note or _CUT.format(tokens=self._options.max_answer_tokens)
        if not note:
            return End(answer=reading.text)
        if self._has_asked_again:
            reason = "The model's answer was cut off." if answer.is_cut else ""
            if not reading.text:
                reason = "The model said nothing, also when asked again."
            return End(answer=reading.text, reason=reason)
        self._has_asked_again = True
        self._hands.deeds.errors += 1
        self.tell(reading.text, note)
        return None

    async def _act(self, answer: Answer, reading: Reading) -> End | None:
        actions = list(reading.actions)
        if answer.is_cut and not answer.calls:
            # The last block may lack its end: a half file must not be written.
            actions, cut = actions[:-1], actions[-1]
            note = _CUT.format(tokens=self._options.max_answer_tokens)
            if not actions:
                return await self._cut(reading, note, cut.tool)
        observations: list[Observation] = []
        for action in actions:
            errors = self._hands.deeds.errors
            observations.append(await self._hands.act(action))
            if self._hands.deeds.errors > errors:
                break
        told = "\n".join(f"{one.source}: {one.text}" for one in observations)
        self._rounds.add(tuple(actions), told)
        problem = self._rounds.problem()
        exchange = Exchange(answer.text, tuple(actions), tuple(observations))
        if not problem:
            self._dialogue.exchanges.append(exchange)
            return None
        await self._hands.say(
            EventType.LOG, text=f"Going round in circles: {problem}.", level="warning"
        )
        if self._is_warned:
            return End(reason=f"The model went round in circles: {problem}.")
        self._is_warned = True
        self._rounds.clear()
        note = _AGAIN.format(problem=problem)
        self._dialogue.exchanges.append(
            Exchange(answer.text, tuple(actions), tuple(observations), note)
        )
        return None

    async def _cut(self, reading: Reading, note: str, tool: str) -> End | None:
        self._hands.deeds.errors += 1
        if self._has_asked_again:
            reason = f"The model's call of {tool} was cut off, also when asked for less."
            return End(answer=reading.text, reason=reason)
        self._has_asked_again = True
        self.tell(reading.text or "(cut off)", note)
        return None


def answer_or_reason(end: End, summaries: Sequence[str]) -> str:
    """Return what the user is told: never nothing."""
    if end.answer and not end.reason:
        return end.answer
    parts = [end.answer, f"I stopped: {end.reason}" if end.reason else ""]
    if summaries and not end.answer:
        parts.append(f"The last thing I did: {summaries[-1]}")
    return "\n\n".join(part for part in parts if part)
