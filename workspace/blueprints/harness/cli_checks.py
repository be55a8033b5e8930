"""Runs command lines against the program in the workspace and prints what each one did, as JSON.

Standard input: [{argv, stdin, files: {name: text}, seconds}]; an argument "@name" becomes the
path of that file in a scratch folder. Standard output: [{exit_code, stdout, stderr}].
"""

import json
import pathlib
import subprocess
import sys
import tempfile


def run(case):
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        for name, text in case.get("files", {}).items():
            (folder / name).write_text(text, encoding="utf-8")
        names = {f"@{name}": str(folder / name) for name in case.get("files", {})}
        argv = [names.get(argument, argument) for argument in case["argv"]]
        try:
            done = subprocess.run(
                argv, input=case.get("stdin", ""), capture_output=True, text=True,
                timeout=case.get("seconds", 10), check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return {"exit_code": None, "stdout": "", "stderr": "no end within the time allowed"}
        return {
            "exit_code": done.returncode,
            "stdout": done.stdout[:4000],
            "stderr": done.stderr[-1000:],
        }


print(json.dumps([run(case) for case in json.load(sys.stdin)]))
