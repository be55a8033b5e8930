"""What of a conversation a model reads: a fold over its rows, without their texts."""

from collections.abc import Sequence

from diono.features.conversations.store import Mark

# Of the threshold: what stays word for word after a summary.
TAIL_SHARE = 0.4


def view_of(marks: Sequence[Mark]) -> list[Mark]:
    """Return what a model reads: the last summary first, without what was gone back behind."""
    view: list[Mark] = []
    for place, mark in enumerate(marks):
        if mark.is_restore:
            until = mark.covers or 0
            view = [*view_of([old for old in marks[:place] if old.number <= until]), mark]
        elif mark.is_summary:
            covers = mark.covers or 0
            view = [mark, *(old for old in view if old.number > covers and not old.is_summary)]
        else:
            view.append(mark)
    return view


def newest_within(view: Sequence[Mark], limit_tokens: int) -> list[Mark]:
    """Return the summary, if there is one, and the newest messages that fit beside it."""
    head = [mark for mark in view[:1] if mark.is_summary]
    rest = view[len(head) :]
    left = limit_tokens - sum(mark.tokens for mark in head)
    kept: list[Mark] = []
    for mark in reversed(rest):
        left -= min(mark.tokens, limit_tokens // 2)
        if left < 0 and kept:
            break
        kept.append(mark)
    return [*head, *reversed(kept)]


def older_part(view: Sequence[Mark], limit_tokens: int) -> list[Mark]:
    """Return what a new summary shall stand for; nothing while the whole is short enough."""
    if sum(mark.tokens for mark in view) <= limit_tokens:
        return []
    tail = newest_within([mark for mark in view if not mark.is_summary],
                          int(limit_tokens * TAIL_SHARE))  # fmt: skip
    numbers = {mark.number for mark in tail}
    old = [mark for mark in view if mark.number not in numbers]
    return old if any(not mark.is_summary for mark in old) else []


def last_restore(view: Sequence[Mark]) -> int:
    return max((mark.number for mark in view if mark.is_restore), default=0)
