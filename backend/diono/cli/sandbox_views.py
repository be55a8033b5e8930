"""What `diono sandbox` prints for people."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from diono.cli.shapes import section, words
from diono.cli.text import one_line

Json = Mapping[str, Any]
_MIB = 2**20


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return columns padded to their widest cell; nothing but the header without rows."""
    lines = [tuple(header), *(tuple(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def sandboxes(found: Sequence[Json]) -> str:
    rows = [
        (
            str(one["sandboxID"]),
            one_line(one.get("alias") or one.get("templateID", ""), 40),
            str(one.get("state", "")),
            left(one.get("endAt")),
            one_line(", ".join(f"{k}={v}" for k, v in section(one, "metadata").items()), 60),
        )
        for one in found
    ]
    return table(("ID", "TEMPLATE", "STATE", "LEFT", "METADATA"), rows)


def left(moment: str | None) -> str:
    """Return how long it is until ``moment`` (RFC 3339)."""
    if not moment:
        return ""
    try:
        end = datetime.fromisoformat(moment)
    except ValueError:
        return ""
    seconds = int((end - datetime.now(UTC)).total_seconds())
    return f"{max(0, seconds)} s" if seconds < 600 else f"{seconds // 60} min"


def details(one: Json) -> str:
    shown: dict[str, object] = {
        "id": one.get("sandboxID"),
        "template": one.get("alias") or one.get("templateID"),
        "state": one.get("state"),
        "ends": f"{one.get('endAt')} (in {left(one.get('endAt'))})",
        "size": (
            f"{one.get('cpuCount')} CPU, {one.get('memoryMB')} MiB memory, "
            f"{one.get('diskSizeMB')} MiB disk"
        ),
        "network": network(one),
        "metadata": one.get("metadata") or "",
    }
    return "\n".join(f"{name:<9} {one_line(value, 200)}" for name, value in shown.items())


def network(one: Json) -> str:
    if one.get("allowInternetAccess"):
        return "all public addresses"
    allowed = words(section(one, "network"), "allowOut")
    return f"only {', '.join(allowed)}" if allowed else "none"


def metrics(samples: Sequence[Json]) -> str:
    rows = [
        (
            str(one.get("timestamp", ""))[:19],
            f"{one.get('cpuUsedPct', 0):.1f} %",
            f"{one.get('memUsed', 0) / _MIB:.1f} of {one.get('memTotal', 0) / _MIB:.0f} MiB",
            f"{one.get('diskUsed', 0) / _MIB:.1f} of {one.get('diskTotal', 0) / _MIB:.0f} MiB",
        )
        for one in samples
    ]
    return table(("TIME", "CPU", "MEMORY", "DISK"), rows)


def services(found: Sequence[Json]) -> str:
    rows = [
        (
            one_line(one.get("name", ""), 40),
            str(one.get("port") or ""),
            "running" if one.get("running") else "ended",
            "yes" if one.get("healthy") else "no",
        )
        for one in found
    ]
    return table(("SERVICE", "PORT", "STATE", "HEALTHY"), rows)


def templates(found: Sequence[Json]) -> str:
    rows = [
        (
            one_line(", ".join(words(one, "names") or words(one, "aliases")), 60),
            str(one.get("templateID", "")),
            f"{one.get('cpuCount')} CPU, {one.get('memoryMB')} MiB",
            "everybody's" if one.get("public") else "own",
            str(one.get("buildStatus", "")),
        )
        for one in found
    ]
    return table(("NAME", "ID", "SIZE", "WHOSE", "STATE"), rows)


def keys(found: Sequence[Json]) -> str:
    rows = [
        (
            str(one.get("key_id", "")),
            one_line(one.get("owner", ""), 40),
            one_line(one.get("name", ""), 40),
            ",".join(words(one, "scopes")),
            str(one.get("expires_at") or "never")[:10],
            str(one.get("last_used_at") or "never")[:19],
        )
        for one in found
    ]
    return table(("ID", "OWNER", "NAME", "SCOPES", "EXPIRES", "LAST USED"), rows)
