"""Two tasks side by side."""

from collections.abc import Sequence

from diono.features.analytics.schemas import CheckPair, Comparison, FilePair, Side
from diono.features.tasks.schemas import ArtifactInfo, TaskState

Task = tuple[TaskState, Sequence[ArtifactInfo]]


def compare(left: Task, right: Task) -> Comparison:
    asked = [
        (task.prompt, task.kind, {**task.options, "conversation": ""}) for task, _ in (left, right)
    ]
    return Comparison(
        is_same_request=asked[0] == asked[1],
        left=_side(*left),
        right=_side(*right),
        checks=_checks(left[0], right[0]),
        files=_files(left[1], right[1]),
    )


def _side(task: TaskState, files: Sequence[ArtifactInfo]) -> Side:
    receipt = task.final_result
    seconds = None
    if task.started_at is not None and task.finished_at is not None:
        seconds = round((task.finished_at - task.started_at).total_seconds(), 1)
    checks = receipt.checks if receipt else ()
    return Side(
        task_id=task.task_id,
        model=task.model,
        kind=task.kind,
        runner=task.runner,
        status=task.status,
        reason=receipt.reason if receipt else "",
        seconds=seconds,
        attempts=receipt.attempts if receipt else 0,
        tokens_in=max(task.tokens_in, receipt.tokens_in if receipt else 0),
        tokens_out=max(task.tokens_out, receipt.tokens_out if receipt else 0),
        cost_usd=task.cost_usd,
        checks_passed=sum(check.passed is True for check in checks),
        checks_failed=sum(check.passed is False for check in checks),
        files=len(files),
    )


def _checks(left: TaskState, right: TaskState) -> list[CheckPair]:
    sides = [
        {check.name: check.passed for check in task.final_result.checks}
        if task.final_result
        else {}
        for task in (left, right)
    ]
    pairs: list[CheckPair] = []
    for name in dict.fromkeys((*sides[0], *sides[1])):
        is_left, is_right = name in sides[0], name in sides[1]
        where = "both" if is_left and is_right else "left" if is_left else "right"
        pairs.append(
            CheckPair(name=name, left=sides[0].get(name), right=sides[1].get(name), is_in=where)
        )
    return pairs


def _files(left: Sequence[ArtifactInfo], right: Sequence[ArtifactInfo]) -> list[FilePair]:
    ours, theirs = ({one.path: one.sha256 for one in side} for side in (left, right))
    pairs: list[FilePair] = []
    for path in sorted({*ours, *theirs}):
        if path not in theirs:
            state = "left"
        elif path not in ours:
            state = "right"
        else:
            state = "same" if ours[path] == theirs[path] else "different"
        pairs.append(FilePair(path=path, state=state))
    return pairs
