"""Runs inside the sandbox: holds one candidate against checks and shows what calls give.

Standard input: {source, setup, checks: [assert line...], calls: [expression...], seconds}.
Standard output: {error, checks: [{passed, got, expected, error}], calls: [{got, error}]}.
With {variants: [source...], all_seconds} instead of a source: {found: [place...]}.
The source is untrusted; this program is never imported by the host, only sent as text.
"""

import ast
import contextlib
import io
import json
import signal
import sys
import time
from typing import Any

SHOWN_CHARACTERS = 300
# Seconds of the processor are what a line may use, so that a busy machine changes no verdict; one
# that only waits is ended by the clock.
PATIENCE = 5


class Overtime(BaseException):
    """No ``except Exception`` of a candidate may swallow it."""


def alarm(*_: object) -> None:
    raise Overtime


def shown(value: object) -> str:
    text = repr(value)
    if len(text) <= SHOWN_CHARACTERS:
        return text
    return f"{text[:SHOWN_CHARACTERS]}... ({len(text)} characters)"


def problem_of(error: BaseException, seconds: float) -> str:
    if isinstance(error, Overtime):
        return f"no answer within {seconds} s"
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:200] if lines else ''}".rstrip(": ")


def value_of(node: ast.expr, namespace: dict[str, Any]) -> Any:
    """Iterators become lists: two of them are never equal."""
    value = eval(compile(ast.Expression(node), "check", "eval"), namespace)  # noqa: S307
    if hasattr(value, "__iter__") and hasattr(value, "__next__"):
        return [item for _, item in zip(range(10_000), value, strict=False)]
    return value


def held(line: str, namespace: dict[str, Any]) -> dict[str, Any]:
    statement = ast.parse(line).body[0]
    if not isinstance(statement, ast.Assert):
        raise TypeError("a check is an assert statement")
    test = statement.test
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq):
        got, expected = value_of(test.left, namespace), value_of(test.comparators[0], namespace)
        return {"passed": bool(got == expected), "got": shown(got), "expected": shown(expected)}
    got = value_of(test, namespace)
    return {"passed": bool(got), "got": shown(got), "expected": "something true"}


def timed(action: Any, seconds: float) -> dict[str, Any]:
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, max(seconds * PATIENCE, PATIENCE))
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            result: dict[str, Any] = action()
    except BaseException as error:  # noqa: BLE001  whatever a candidate raises is its result
        return {"passed": False, "error": problem_of(error, seconds)}
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
    return result


def each(lines: list[str], action: Any, seconds: float) -> list[dict[str, Any]]:
    """After one line without an answer the others are not run: they would not end either."""
    results: list[dict[str, Any]] = []
    late = f"no answer within {seconds} s"
    for line in lines:
        if results and results[-1].get("error") == late:
            results.append({"passed": False, "error": late})
        else:
            results.append(timed(lambda line=line: action(line), seconds))
    return results


def sifted(task: dict[str, Any]) -> dict[str, Any]:
    """Return the places of the variants that pass every check, within the time for all."""
    found: list[int] = []
    seconds = float(task["seconds"])
    end = time.process_time() + float(task["all_seconds"])
    for place, source in enumerate(task["variants"]):
        if time.process_time() > end:
            break

        def run(source: str = source) -> dict[str, Any]:
            namespace: dict[str, Any] = {"__name__": "candidate"}
            for text in (task["setup"], source):
                exec(compile(text, "variant.py", "exec"), namespace)  # noqa: S102
            return {"passed": all(held(line, namespace)["passed"] for line in task["checks"])}

        if timed(run, seconds)["passed"]:
            found.append(place)
    return {"found": found}


def main() -> None:
    task = json.load(sys.stdin)
    seconds = float(task["seconds"])
    namespace: dict[str, Any] = {"__name__": "candidate"}
    signal.signal(signal.SIGPROF, alarm)
    signal.signal(signal.SIGALRM, alarm)
    sys.setrecursionlimit(5_000)
    if "variants" in task:
        sys.stdout.write(json.dumps(sifted(task)))
        return

    def load() -> dict[str, Any]:
        for name in ("setup", "source"):
            exec(compile(task[name], f"{name}.py", "exec"), namespace)  # noqa: S102
        return {"passed": True}

    def called(line: str) -> dict[str, Any]:
        return {"got": shown(value_of(ast.parse(line, mode="eval").body, namespace))}

    def held_here(line: str) -> dict[str, Any]:
        return held(line, namespace)

    loaded = timed(load, seconds)
    answer: dict[str, Any] = {"error": loaded.get("error", ""), "checks": [], "calls": []}
    if not answer["error"]:
        answer["checks"] = each(task["checks"], held_here, seconds)
        answer["calls"] = each(task["calls"], called, seconds)
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
