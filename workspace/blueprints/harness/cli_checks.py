"""Runs command lines against the program in the workspace and prints what each one did, as JSON.

Standard input: {cases: [{argv, stdin, files: {name: text}, seconds}], changes: {path: text}}; an
argument "@name" becomes the path of that file in a scratch folder. With changes, all runs in a
changed copy of the workspace. Standard output: [{exit_code, stdout, stderr}].
"""

import json
import os
import pathlib
import shutil
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


def main():
    task = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as scratch:
        if task.get("changes"):
            copy = pathlib.Path(scratch) / "copy"
            shutil.copytree(".", copy, ignore=shutil.ignore_patterns(".git"))
            for path, text in task["changes"].items():
                (copy / path).write_text(text, encoding="utf-8")
            os.chdir(copy)
        print(json.dumps([run(case) for case in task["cases"]]))
        os.chdir("/")


main()
