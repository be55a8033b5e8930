"""Finds what looks like a credential. Every pattern is linear, and long lines are cut."""

import math
import re

MOST_FOUND = 60
LINE_LIMIT = 2000

FORMATS = (
    ("private-key", r"-----BEGIN (?:[A-Z]{2,10} )?PRIVATE KEY-----"),
    ("aws-access-key", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    ("github-token", r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{40,255})\b"),
    ("gitlab-token", r"\bglpat-[A-Za-z0-9_-]{20,64}"),
    ("slack-token", r"\bxox[abprs]-[A-Za-z0-9-]{10,120}"),
    ("google-api-key", r"\bAIza[0-9A-Za-z_-]{35}\b"),
    ("anthropic-key", r"\bsk-ant-[A-Za-z0-9_-]{20,200}"),
    ("openai-key", r"\bsk-(?:proj-)?[A-Za-z0-9_-]{32,200}"),
    ("stripe-key", r"\b[rs]k_live_[0-9A-Za-z]{16,120}"),
    ("npm-token", r"\bnpm_[A-Za-z0-9]{36}\b"),
    ("pypi-token", r"\bpypi-[A-Za-z0-9_-]{50,250}"),
    (
        "json-web-token",
        r"\beyJ[A-Za-z0-9_-]{10,400}\.eyJ[A-Za-z0-9_-]{10,800}\.[A-Za-z0-9_-]{10,400}",
    ),
)
_FORMATS = [(name, re.compile(pattern)) for name, pattern in FORMATS]
_IN_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@'\"]{1,60}:([^\s:/@'\"]{6,120})@")
_ASSIGNED = re.compile(
    r"(?i)(?:passwords?|passwd|pwd|secrets?|secret_?key|api_?keys?|access_?key|auth_?token|token)"
    r"[\"']?\s{0,3}(?::=|=>|[:=])\s{0,3}[\"']([^\"'\s]{8,120})[\"']"
)
_PLACEHOLDER = re.compile(
    r"(?i)example|change|your|placeholder|dummy|sample|test|fake|redacted|secret|password|none"
    r"|xxx|\*\*\*|\.\.\.|[<>{}$%]|^[a-z_]+$|^(.)\1+$|1234"
)
_BITS_PER_CHARACTER = 2.8


def _bits(text: str) -> float:
    counts = [text.count(one) for one in set(text)]
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts)


def masked(text: str) -> str:
    """Show enough to find it, and too little to use it."""
    shown = text[:4] if len(text) >= 12 else text[:1]
    return f"{shown}… ({len(text)} characters)"


def _of_line(line: str, is_strict: bool) -> tuple[str, str] | None:
    for name, pattern in _FORMATS:
        found = pattern.search(line)
        if found:
            return name, found.group(0)
    if is_strict:
        for name, pattern in (("password-in-address", _IN_ADDRESS), ("assigned", _ASSIGNED)):
            found = pattern.search(line)
            if found and not _PLACEHOLDER.search(found.group(1)):
                value = found.group(1)
                if name != "assigned" or _bits(value) >= _BITS_PER_CHARACTER:
                    return name, value
    return None


def secrets_of(text: str, is_strict: bool) -> list[tuple[str, int, str]]:
    """Return (rule, line, masked). Tests and documents are full of made-up passwords: there only
    formats that nothing else has count (``is_strict`` is false)."""
    found: list[tuple[str, int, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        hit = _of_line(line[:LINE_LIMIT], is_strict)
        if hit:
            found.append((hit[0], number, masked(hit[1])))
            if len(found) >= MOST_FOUND:
                break
    return found
