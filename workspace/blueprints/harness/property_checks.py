"""Calls the program's functions on many inputs and prints what came out, as JSON.

Standard input: {cases: [{path, function, calls: [[...]], then, partner, partner_path}],
changes: {path: text}, seconds}. ``then`` is what is called next for each call: "same" arguments,
the function it"self" on its result, its "partner" on its result, or "swapped" arguments.
Standard output: [{error, results: [{first, second}]}], each {value} | {refused} | {error}.
With changes, all runs in a changed copy of the workspace. Runs inside the sandbox.
"""

import contextlib
import importlib.util
import io
import json
import os
import pathlib
import shutil
import signal
import sys
import tempfile

from calling import alarm, attempt, plain

# An extreme input may have an extreme answer, which must not crowd out all others.
LONGEST_RESULT = 20_000


def load_python(path, function):
    spec = importlib.util.spec_from_file_location("checked_" + pathlib.Path(path).stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    target = getattr(module, function)
    return lambda arguments: plain(target(*arguments))


def load_javascript(path, function):
    import quickjs

    context = quickjs.Context()
    context.set_time_limit(2)
    context.set_memory_limit(64_000_000)
    context.eval("var window = globalThis; var console = {log() {}, error() {}, warn() {}};")
    context.eval(pathlib.Path(path).read_text(encoding="utf-8"))

    def call(arguments):
        text = context.eval(f"JSON.stringify({function}(...{json.dumps(arguments)}))")
        return json.loads(text) if isinstance(text, str) else None

    return call


def bounded(call, arguments, seconds):
    result = attempt(call, arguments, seconds)
    length = len(json.dumps(result.get("value")))
    if length > LONGEST_RESULT:
        return {"refused": f"a result of {length} characters is not compared"}
    return result


def second(case, calls, arguments, first, seconds):
    target = calls["partner"] if case["then"] == "partner" else calls["own"]
    if not case["then"] or "value" not in first:
        return {}
    if case["then"] == "same":
        return bounded(target, arguments, seconds)
    if case["then"] == "swapped":
        return bounded(target, arguments[::-1], seconds)
    return bounded(target, [first["value"], *arguments[1:]], seconds)


def run(case, seconds):
    load = load_javascript if case["path"].endswith(".js") else load_python
    signal.setitimer(signal.ITIMER_REAL, 5)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            calls = {"own": load(case["path"], case["function"])}
            if case["then"] == "partner":
                calls["partner"] = load(case["partner_path"], case["partner"])
    except BaseException as error:  # noqa: BLE001
        text = str(error).strip().splitlines() or [""]
        return {"error": f"{type(error).__name__}: {text[0][:200]}", "results": []}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    results = []
    for arguments in case["calls"]:
        first = bounded(calls["own"], arguments, seconds)
        results.append({"first": first, "second": second(case, calls, arguments, first, seconds)})
        if "no answer within" in first.get("error", ""):
            break
    return {"error": "", "results": results}


def main():
    task = json.load(sys.stdin)
    signal.signal(signal.SIGALRM, alarm)
    with tempfile.TemporaryDirectory() as scratch:
        if task.get("changes"):
            copy = pathlib.Path(scratch) / "copy"
            shutil.copytree(".", copy, ignore=shutil.ignore_patterns(".git"))
            for path, text in task["changes"].items():
                (copy / path).write_text(text, encoding="utf-8")
            os.chdir(copy)
        sys.path.insert(0, os.getcwd())
        answer = json.dumps([run(case, task.get("seconds", 2)) for case in task["cases"]])
        os.chdir("/")
    print(answer)


main()
