"""What a build ends with: the one JSON object for machines, the receipt for people."""

from typing import Any

from diono.cli.text import one_line, safe
from diono.cli.timeline import Line

JsonObject = dict[str, Any]
_MARKS = {True: ("+ passed", "good"), False: ("x failed", "bad"), None: ("- not run", "quiet")}
_FILES_SHOWN = 30


def build_result(state: JsonObject, preview_url: str | None, workspace: str | None) -> JsonObject:
    """Return the object of `build --json` from a task that has ended."""
    receipt: JsonObject = state.get("final_result") or {}
    error: JsonObject = state.get("error") or {}
    checks: list[JsonObject] = receipt.get("checks") or []
    details: JsonObject = receipt.get("details") or {}
    reason = receipt.get("reason") or error.get("detail") or ""
    return {
        "task_id": state["task_id"],
        "status": state["status"],
        "reason": "" if state["status"] == "SUCCEEDED" else reason,
        "model": state.get("model"),
        "spec": receipt.get("spec") or {},
        "blueprint": receipt.get("blueprint") or "",
        "files": list(receipt.get("files") or ()),
        "checks": [
            {key: check.get(key) for key in ("name", "kind", "passed", "detail", "is_required")}
            for check in checks
        ],
        "unproven": list(receipt.get("unproven") or ()),
        "attempts": receipt.get("attempts", 0),
        "checks_by_depth": details.get("checks_by_depth") or {},
        "discarded_checks": list(details.get("discarded_checks") or ()),
        "tokens": receipt.get("tokens_in", 0) + receipt.get("tokens_out", 0),
        "tokens_in": receipt.get("tokens_in", 0),
        "tokens_out": receipt.get("tokens_out", 0),
        "seconds": receipt.get("seconds", 0.0),
        "inspection": receipt.get("inspection"),
        "preview_url": preview_url,
        "workspace": workspace,
    }


def receipt_lines(result: JsonObject) -> list[Line]:
    """Return the receipt as lines to print."""
    is_good = result["status"] == "SUCCEEDED"
    lines = [
        Line(""),
        Line(f"{result['status']}  {one_line(_name_of(result))}", "good" if is_good else "bad"),
    ]
    if result["reason"]:
        lines.append(Line(f"  {safe(result['reason'], 800)}"))
    checks: list[JsonObject] = result["checks"]
    for check in checks:
        mark, tone = _MARKS.get(check["passed"], _MARKS[None])
        detail = "" if check["passed"] else one_line(check["detail"] or "", 200)
        text = f"  {mark}  {one_line(check['name'], 100)} ({check['kind']})"
        lines.append(Line(f"{text}{': ' if detail else ''}{detail}", tone))
    lines += [Line(f"  not proven: {one_line(text)}", "quiet") for text in result["unproven"]]
    files: list[str] = result["files"]
    shown = ", ".join(one_line(path, 80) for path in files[:_FILES_SHOWN])
    more = f" and {len(files) - _FILES_SHOWN} more" if len(files) > _FILES_SHOWN else ""
    passed = sum(check["passed"] is True for check in checks)
    depths: JsonObject = result["checks_by_depth"]
    by_depth = ", ".join(f"{count} {one_line(depth, 20)}" for depth, count in depths.items())
    thrown: list[str] = result["discarded_checks"]
    if thrown:
        names = ", ".join(one_line(name, 60) for name in thrown)
        lines.append(Line(f"  thrown away, for a wrong program passes it too: {names}", "quiet"))
    lines += inspection_lines(result.get("inspection"))
    lines += [
        Line(f"  checks    {passed} of {len(checks)} passed{f': {by_depth}' if by_depth else ''}"),
        Line(f"  files     {len(files)}: {shown}{more}" if files else "  files     none"),
        Line(f"  model     {result['model']}, {result['attempts']} attempts"),
        Line(f"  tokens    {result['tokens_in']} in, {result['tokens_out']} out"),
        Line(f"  time      {result['seconds']:.1f} s"),
        Line(f"  task      {result['task_id']}"),
    ]
    if result["workspace"]:
        lines.append(Line(f"  workspace {result['workspace']}"))
    if result["preview_url"]:
        lines.append(Line(f"  preview   {result['preview_url']}"))
    return lines


def inspection_lines(found: JsonObject | None) -> list[Line]:
    """Return what was found in the files: the score, the gravest findings, what nobody saw."""
    if not found:
        return []
    unseen = [one_line(text, 200) for text in found.get("not_examined") or ()]
    if found.get("state") == "not_examined":
        return [Line(f"  quality   not examined: {'; '.join(unseen)}", "quiet")]
    parts: JsonObject = found.get("parts") or {}
    by_part = ", ".join(f"{one_line(name, 20)} {points}" for name, points in parts.items())
    score = found.get("score")
    title = "no code to judge" if score is None else f"{score} of 100: {by_part}"
    counts = ", ".join(f"{found.get(one, 0)} {one}" for one in ("high", "medium", "low"))
    is_grave = bool(found.get("high"))
    lines = [
        Line(f"  quality   {title}"),
        Line(f"  findings  {counts}", "bad" if is_grave else "plain"),
    ]
    lines += [Line(f"    ! {one_line(one, 200)}", "bad") for one in found.get("highlights") or ()]
    lines += [Line(f"  not examined: {text}", "quiet") for text in unseen]
    return lines


def _name_of(result: JsonObject) -> str:
    spec: JsonObject = result["spec"]
    return str(spec.get("name") or spec.get("title") or "")
