"""Runs one candidate function on many inputs and prints what came out, as JSON.

Standard input: {language, source, function, calls: [[...]], seconds, flags: [index...],
base: [...]}.
Standard output: {error, results: [{value} | {refused} | {error}], is_random,
flags: [{index, off, on}]}: the characters of many results with each option off and on.
Runs inside the sandbox: the source is untrusted.
"""

import contextlib
import io
import json
import signal
import sys
import time

from calling import alarm, attempt, plain

FLAG_RUNS = 300
MOST_LETTERS = 1000


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
    """All characters that come out, over so many runs that chance leaves none of them out."""
    seen, end = set(), time.monotonic() + seconds
    for _ in range(FLAG_RUNS):
        result = attempt(call, arguments, seconds)
        value = result.get("value")
        seen.update(value if isinstance(value, str) else json.dumps(result))
        if time.monotonic() > end:
            break
    return "".join(sorted(seen))[:MOST_LETTERS]


def tried_flags(call, arguments, flags, seconds):
    found = []
    for index in flags:
        low, high = list(arguments), list(arguments)
        low[index], high[index] = False, True
        off, on = letters(call, low, seconds), letters(call, high, seconds)
        found.append({"index": index, "off": off, "on": on})
    return found


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
    flags = tried_flags(call, task["base"], task["flags"], seconds) if is_random else []
    answer = {"error": "", "results": results, "is_random": is_random, "flags": flags}
    print(json.dumps(answer))


main()
