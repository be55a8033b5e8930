"""Figures of many tasks."""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence

from diono.features.analytics.schemas import Figures, Group
from diono.features.tasks.service import Result


def figures_of(results: Sequence[Result]) -> Figures:
    counts = {
        status: sum(one.status == status for one in results)
        for status in ("SUCCEEDED", "FAILED", "CANCELLED")
    }
    decided = counts["SUCCEEDED"] + counts["FAILED"]
    minutes = sorted(
        (one.ended_at - one.started_at).total_seconds() / 60
        for one in results
        if one.started_at is not None and one.status != "CANCELLED"
    )
    return Figures(
        tasks=len(results),
        succeeded=counts["SUCCEEDED"],
        failed=counts["FAILED"],
        cancelled=counts["CANCELLED"],
        success_rate=round(counts["SUCCEEDED"] / decided, 4) if decided else None,
        minutes_p50=percentile(minutes, 0.5),
        minutes_p95=percentile(minutes, 0.95),
        tokens_in=sum(one.tokens_in for one in results),
        tokens_out=sum(one.tokens_out for one in results),
        cost_usd=round(sum(one.cost_usd for one in results), 6),
    )


def groups_of(results: Sequence[Result], name: Callable[[Result], str]) -> list[Group]:
    """Return the figures by name, the most used first; results without a name are left out."""
    by_name: dict[str, list[Result]] = defaultdict(list)
    for one in results:
        by_name[name(one)].append(one)
    groups = [
        Group(name=key, **figures_of(group).model_dump()) for key, group in by_name.items() if key
    ]
    return sorted(groups, key=lambda group: (-group.tasks, group.name))


def percentile(ascending: Sequence[float], share: float) -> float | None:
    """Return the smallest value that at least ``share`` of all values do not exceed."""
    if not ascending:
        return None
    return round(ascending[max(0, math.ceil(share * len(ascending)) - 1)], 2)
