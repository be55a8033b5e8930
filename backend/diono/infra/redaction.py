"""What must never be read in a log: values known to be secret, and texts shaped like secrets."""

import re
import threading
from collections import OrderedDict

HIDDEN = "[secret]"
# Shorter ones would blot out ordinary words.
_LEAST_CHARACTERS = 8
_MOST_VALUES = 5_000
_SHAPES = re.compile(
    r"\bsk-[A-Za-z0-9_-]{16,}"  # OpenAI, Anthropic and many that are compatible
    r"|\bdio_[A-Za-z0-9_-]{16,}"
    r"|\b(?:gh[opsur]|glpat|xox[abposr]|hf|whsec)[_-][A-Za-z0-9_+/=-]{16,}"
    r"|\bya29\.[A-Za-z0-9._-]{16,}|\b1//[A-Za-z0-9_-]{20,}|\bsl\.[A-Za-z0-9._-]{20,}"
    r"|\bAKIA[0-9A-Z]{16}\b|\bAIza[A-Za-z0-9_-]{30,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"  # JSON web tokens
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    re.DOTALL,
)
_ASSIGNED = re.compile(
    r"(?i)\b(authorization|proxy-authorization|x-api-key|api[_-]?key|access[_-]?token"
    r"|refresh[_-]?token|client[_-]?secret|password|passwd|cookie|set-cookie)"
    r"(['\"]?\s*[:=]\s*)(?!\[secret\])((?:bearer|basic)\s+)?(['\"]?)[^\s'\",;&}]{4,}"
)
_USER_INFO = re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)")


class SecretValues:
    """Values to hide. Bounded: the oldest go first."""

    def __init__(self) -> None:
        self._values: OrderedDict[str, None] = OrderedDict()
        self._pattern: re.Pattern[str] | None = None
        self._lock = threading.Lock()

    def add(self, value: str) -> None:
        if len(value) < _LEAST_CHARACTERS:
            return
        with self._lock:
            if value in self._values:
                return
            self._values[value] = None
            if len(self._values) > _MOST_VALUES:
                self._values.popitem(last=False)
            self._pattern = None

    def hide(self, text: str) -> str:
        """Return the text with secrets replaced."""
        pattern = self._known()
        hidden = pattern.sub(HIDDEN, text) if pattern is not None else text
        hidden = _SHAPES.sub(HIDDEN, hidden)
        hidden = _ASSIGNED.sub(rf"\1\2\3\4{HIDDEN}", hidden)
        return _USER_INFO.sub(HIDDEN, hidden)

    def _known(self) -> re.Pattern[str] | None:
        with self._lock:
            if self._pattern is None and self._values:
                # The longest first: one secret may begin like another.
                longest = sorted(self._values, key=len, reverse=True)
                self._pattern = re.compile("|".join(re.escape(value) for value in longest))
            return self._pattern


# One for the process: whoever meets a secret adds it, the log hides it.
SECRETS = SecretValues()
