"""How many tokens a prompt has, without its tokenizer: an estimate, and what it has at least.

The estimate was fitted to a byte-pair vocabulary of 150,000 tokens on code, prose, JSON, HTML,
numbers and other scripts; there it is between 0.8 and 1.4 times the count. ``ModelFit`` carries
a model's own ratio.
"""

import json
import re

from diono.llm.errors import PromptCut
from diono.llm.port import ChatRequest

_PIECES = re.compile(
    r"(?P<word>[A-Za-z]+)|(?P<digits>[0-9]+|[\U00010000-\U0010ffff]+)|(?P<wide>[\u2e80-\uffff]+)"
    r"|(?P<foreign>[\x80-\u2e7f]+)"
    r"|(?P<blank>[ \t]{2,}|\n+)|(?P<sign>[^\sA-Za-z0-9\x80-\U0010ffff]+)"
)
# Characters that one token takes: in words of Latin letters, other alphabets, wide scripts, signs.
_WORD_CHARACTERS = 7
_LONG_WORD_CHARACTERS = 4
_FOREIGN_CHARACTERS = 2.0
_WIDE_CHARACTERS = 1.3
_SIGN_CHARACTERS = 2
_LONG_BLANK_CHARACTERS = 64
_WORDS = re.compile(r"[A-Za-z]+")

_TURN_TOKENS = 5
_TEMPLATE_TOKENS = 24
_TOOL_TOKENS = 40
# A prompt shorter than this is never cut, and its words tell too little.
_SMALLEST_CUT_TOKENS = 200
_PLAUSIBLE_SHARE = 0.8


def estimated_tokens(text: str) -> int:
    """Return about how many tokens a text has."""
    total = 0.0
    for match in _PIECES.finditer(text):
        length = match.end() - match.start()
        match match.lastgroup:
            case "word":
                total += 1 if length <= _WORD_CHARACTERS else length // _LONG_WORD_CHARACTERS
            case "digits":
                total += length
            case "wide":
                total += length / _WIDE_CHARACTERS
            case "foreign":
                total += max(1.0, length / _FOREIGN_CHARACTERS)
            case "blank":
                total += 1 + length // _LONG_BLANK_CHARACTERS
            case _:
                total += (length + 1) // _SIGN_CHARACTERS
    return round(total)


def least_tokens(text: str) -> int:
    """Return how many tokens a text has at least: no tokenizer joins two words."""
    return len(_WORDS.findall(text))


def prompt_text(request: ChatRequest) -> str:
    """Return all that the model reads of a request."""
    parts = [message.content for message in request.messages]
    parts += [
        call.unreadable or json.dumps(call.arguments)
        for message in request.messages
        for call in message.tool_calls
    ]
    parts += [json.dumps(tool.model_dump()) for tool in request.tools]
    return "\n".join(parts)


def estimated_prompt_tokens(request: ChatRequest) -> int:
    """Return about how many tokens a whole prompt has, with what a chat template adds."""
    turns = _TEMPLATE_TOKENS + _TURN_TOKENS * len(request.messages)
    return estimated_tokens(prompt_text(request)) + turns + _TOOL_TOKENS * len(request.tools)


def refuse_cut(request: ChatRequest, counted_tokens: int, server: str) -> None:
    """Raise PromptCut if a server counted fewer tokens than the words that it was sent."""
    least = least_tokens("\n".join(message.content for message in request.messages))
    if least < _SMALLEST_CUT_TOKENS or counted_tokens <= 0:
        return
    if counted_tokens < least * _PLAUSIBLE_SHARE:
        raise PromptCut(
            f"{server} read {counted_tokens} tokens of a prompt that has at least {least} words: "
            "it cut the prompt silently, so its answer was thrown away. Shorten the request, "
            "raise the server's context length, or choose a model with a longer context.",
            read_tokens=counted_tokens,
        )
