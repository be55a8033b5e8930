"""Runs one candidate function on many inputs and prints what came out, as JSON.

Standard input: {language, source, function, calls: [[...]], seconds, flags: [index...],
base: [...]}.
Standard output: {error, results: [{value} | {refused} | {error}], is_random, idle_flags: [index]}.
Runs inside the sandbox: the source is untrusted.
"""

import contextlib
import io
import json
import signal
import sys

from calling import alarm, attempt, plain

FLAG_RUNS = 30


def load_python(source, function, seconds):
    namespace = {"__name__": "candidate"}
    exec(compile(source, "candidate.py", "exec"), namespace)  # noqa: S102
    target = namespace[function]

    def call(arguments):
        return plain(target(*arguments))

    return call


def load_javascript(source, function, seconds):
    import quickjs

    context = quickjs.Context()
    context.set_time_limit(int(seconds) + 1)
    context.set_memory_limit(64_000_000)
    context.eval("var console = {log() {}, error() {}, warn() {}, info() {}};")
    context.eval(source.replace("export default ", "").replace("export ", ""))
    if context.eval(f"typeof {function}") != "function":
        raise NameError(f"{function} is not defined")

    def call(arguments):
        text = context.eval(f"JSON.stringify({function}(...{json.dumps(arguments)}))")
        return json.loads(text) if isinstance(text, str) else None

    return call


def letters(call, arguments, seconds):
    seen = set()
    for _ in range(FLAG_RUNS):
        seen |= set(json.dumps(attempt(call, arguments, seconds)))
    return seen


def idle_flags(call, arguments, flags, seconds):
    """Flags that change nothing about what comes out, over many runs."""
    idle = []
    for index in flags:
        low, high = list(arguments), list(arguments)
        low[index], high[index] = False, True
        if letters(call, low, seconds) == letters(call, high, seconds):
            idle.append(index)
    return idle


def main():
    task = json.load(sys.stdin)
    seconds = task.get("seconds", 2)
    signal.signal(signal.SIGALRM, alarm)
    load = load_javascript if task["language"] == "javascript" else load_python
    signal.setitimer(signal.ITIMER_REAL, 5)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            call = load(task["source"], task["function"], seconds)
    except BaseException as error:  # noqa: BLE001
        text = str(error).strip().splitlines() or [""]
        print(json.dumps({"error": f"{type(error).__name__}: {text[0][:200]}", "results": []}))
        return
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    results = [attempt(call, arguments, seconds) for arguments in task["calls"]]
    again = [
        attempt(call, arguments, seconds)
        for arguments, first in zip(task["calls"], results, strict=True)
        if "value" in first
    ]
    is_random = again != [result for result in results if "value" in result]
    idle = []
    if is_random and task.get("flags"):
        idle = idle_flags(call, task["base"], task["flags"], seconds)
    answer = {"error": "", "results": results, "is_random": is_random, "idle_flags": idle}
    print(json.dumps(answer))


main()
