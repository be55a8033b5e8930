"""Which of a provider's models to take when the user named none."""

import re
from collections.abc import Sequence

from diono.llm.port import ModelInfo

# Families trained for code first, then general ones that write it well.
_FAMILIES = (
    r"claude-.*(opus|sonnet)",
    r"gpt-5|gpt-4\.1",
    r"qwen3-coder|devstral",
    r"qwen2\.5-coder",
    r"codestral|deepseek-coder|codegemma|starcoder|granite-code|codellama|code",
    r"gpt-oss|qwen3|deepseek|mistral|llama|gemma|phi|gpt|claude",
)
_NOT_FOR_CHAT = re.compile(
    r"embed|bge-|minilm|rerank|whisper|tts|audio|realtime|image|dall-e|moderation|transcribe|sora"
    r"|search|guard",
    re.IGNORECASE,
)
_PARAMETERS = re.compile(r"(\d+(?:\.\d+)?)b\b", re.IGNORECASE)


def by_preference(provider: str, infos: Sequence[ModelInfo]) -> list[ModelInfo]:
    """Return the models that can chat, best first. The scripted provider is never chosen."""
    if provider == "scripted":
        return []
    usable = [info for info in infos if not _NOT_FOR_CHAT.search(info.name.partition("/")[2])]
    if provider == "embedded":
        return usable  # its own order: the user's file first
    return sorted(usable, key=_rank)


def _rank(info: ModelInfo) -> tuple[int, float, str]:
    name = info.name.partition("/")[2].lower()
    family = next(
        (rank for rank, pattern in enumerate(_FAMILIES) if re.search(pattern, name)),
        len(_FAMILIES),
    )
    sizes = _PARAMETERS.findall(name)
    parameters = float(sizes[-1]) if sizes else (info.size_bytes or 0) / 1e9
    return family, -parameters, name
