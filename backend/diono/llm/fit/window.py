"""How long a prompt may be: a fact at its start is asked for at growing depth.

All prompts share their beginning, so a server that caches prefixes reads each part once. The
filler is uniform, so the tokens that the server counts must grow with it; where they do not, it
cut the prompt. Whether the model still finds the fact is told apart from that.
"""

from dataclasses import dataclass

from diono.llm.counting import estimated_prompt_tokens
from diono.llm.errors import ContextExceeded, PromptCut
from diono.llm.fit.bench import Answer, Bench
from diono.llm.port import ChatRequest, Message

CODE_WORD = "maple-4821"
_DEPTHS = (512, 1024, 2048, 4096, 8192, 16_384)
_MOST_TOKENS_REMOTE = 4096
# The rest of the window is for the answer and for the error of the estimate.
_SHARE_OF_CLAIM = 0.9
_ANSWER_TOKENS = 12
_PLAUSIBLE_GROWTH = 0.85
_ASSUMED_PROMPT_TOKENS_PER_SECOND = 60.0
_LINE = "Shelf {number}: the clerk puts {count} boxes of paper beside the door and goes home.\n"


@dataclass
class WindowFacts:
    """``tested`` is the longest prompt that was read whole; ``recall`` the longest in which the
    fact was found; ``limit`` is where the server cut or refused (0: it did not). ``is_deepest``:
    the whole window was tried."""

    tested: int = 0
    recall: int = 0
    limit: int = 0
    token_ratio: float = 1.0
    lost_at: int = 0
    is_deepest: bool = False


async def probe_window(bench: Bench, seconds: float) -> WindowFacts:
    """Ask at growing depth, as deep as the time allows."""
    facts = WindowFacts()
    claimed = bench.subject.profile.context_tokens
    deepest = round(claimed * _SHARE_OF_CLAIM)
    if not bench.subject.profile.is_local:
        deepest = min(deepest, _MOST_TOKENS_REMOTE)
    ends_with = bench.seconds_left - seconds
    before: Answer | None = None
    for depth in sorted({min(depth, deepest) for depth in _DEPTHS}):
        new_tokens = depth - facts.tested
        left = bench.seconds_left - ends_with
        if new_tokens / _reading_speed(bench) > left:
            break
        request = _request(round(depth / facts.token_ratio))
        answer = await bench.ask(request, left)
        if not _take(facts, bench, request, answer, before):
            break
        facts.is_deepest = depth >= round(claimed * _SHARE_OF_CLAIM)
        before = answer
    return facts


def _take(
    facts: WindowFacts, bench: Bench, request: ChatRequest, answer: Answer, before: Answer | None
) -> bool:
    """Note what an answer tells; False: deeper is of no use."""
    if isinstance(answer.problem, PromptCut):
        facts.limit = max(answer.problem.read_tokens, facts.tested)
        return False
    if isinstance(answer.problem, ContextExceeded):
        facts.limit = facts.tested
        return False
    if answer.reply is None:
        return False
    estimate = estimated_prompt_tokens(request)
    usage = answer.usage
    counted = estimate if usage.is_estimate or usage.prompt_tokens <= 0 else usage.prompt_tokens
    # The first count of all has nothing to be compared with.
    if facts.tested and counted < estimate * facts.token_ratio * _PLAUSIBLE_GROWTH:
        facts.limit = max(counted, facts.tested)
        return False
    read_before = before.usage.prompt_tokens if before else 0
    if answer.first_seconds > 0 and counted > read_before:
        bench.prompt_speeds.append((counted - read_before) / answer.first_seconds)
    facts.token_ratio = counted / estimate
    facts.tested = counted
    if CODE_WORD in answer.text.lower() or "4821" in answer.text:
        facts.recall = counted
    else:
        facts.lost_at = facts.lost_at or counted
    return True


def _reading_speed(bench: Bench) -> float:
    return bench.prompt_speeds[-1] if bench.prompt_speeds else _ASSUMED_PROMPT_TOKENS_PER_SECOND


def _request(estimated_tokens: int) -> ChatRequest:
    """Return a prompt of about so many tokens, by our own estimate."""
    opening = f"Remember the code word: {CODE_WORD}.\n\n"
    question = "\n\nWhat is the code word? Answer with the code word only."
    per_line = _tokens(_LINE.format(number=100, count=10))
    missing = estimated_tokens - _tokens(opening + question)
    lines = [
        _LINE.format(number=100 + number % 900, count=10 + number % 90)
        for number in range(max(0, missing // per_line))
    ]
    return _ask_of(opening + "".join(lines) + question)


def _ask_of(text: str) -> ChatRequest:
    messages = (Message(role="user", content=text),)
    return ChatRequest(messages=messages, max_tokens=_ANSWER_TOKENS)


def _tokens(text: str) -> int:
    return max(1, estimated_prompt_tokens(_ask_of(text)) - estimated_prompt_tokens(_ask_of("")))
