"""What the scripted model says to the team, by the request it works on."""

from pathlib import Path
from typing import Any

import yaml

DOUBLER = "A command-line program that doubles a number"
TODO = "A to-do web app"
LOOPING = "A command-line program that doubles a number, looping"
FLOODED = "A command-line program that doubles a number, flooded"
MEGABYTE = 1_000_000

_PLAN = (
    '{"functions": [{"name": "double_number", "description": "Doubles a number.", '
    '"parameters": [{"name": "number", "type": "int"}], "returns": "int"}]}'
)
_ENTITY = (
    '{"name": "todo", "fields": [{"name": "title", "type": "text"}, '
    '{"name": "done", "type": "boolean"}]}'
)


def _votes() -> list[dict[str, Any]]:
    return [
        {"when": rf"Write the assert line for double_number\({number}\)", "reply": f" {2 * number}"}
        for number in (2, 5, -3)
    ]


def script() -> list[dict[str, Any]]:
    wrong, good = "    return number + 2\n", "    return number * 2\n"
    return [
        {"when": "looping.*Write this function", "reply": "    number += 1\n", "is_endless": True},
        {"when": "flooded.*Write this function", "reply": "x" * MEGABYTE},
        {"when": "once wrong.*Write this function", "reply": [wrong, good]},
        {"when": "Write this function", "reply": good},
        {"when": "Give it a title", "reply": '{"title": "Doubler", "summary": "Doubles it."}'},
        {"when": "List the Python functions", "reply": _PLAN},
        {"when": "What does one record", "reply": _ENTITY},
        {
            "when": "assert lines",
            "reply": "2) == 4\nassert double_number(5) == 10\nassert double_number(-3) == -6\n",
        },
        *_votes(),
        {"when": "Greet whoever", "reply": "Welcome to Doubler, it is yours.\n"},
        {
            "when": "Write the user manual",
            "reply": "# Doubler of numbers\n\nSay `python3 main.py 2`.\n",
        },
        {"when": "at most five plain sentences", "reply": "It doubles whole numbers."},
    ]


def write_script(file: Path) -> Path:
    file.write_text(yaml.safe_dump(script(), allow_unicode=True))
    return file


GREETER = """---
description: You greet people.
produces: {files: [GREETING.md]}
begins: "Welcome to $title"
checks:
  - contains: {path: GREETING.md, text: "Welcome to $title"}
---
Greet whoever opens $title.
"""
_BUILD = """
  - {name: spec, role: product_manager}
  - {name: plan, role: architect, depends_on: [spec]}
"""
_WORKFLOWS = {
    "greeted": _BUILD
    + """
  - {name: program, role: engineer, depends_on: [plan]}
  - {name: proof, role: qa, depends_on: [program]}
  - {name: greeting, role: greeter, depends_on: [proof]}
""",
    "nobodys": _BUILD
    + """
  - {name: program, role: engineer, depends_on: [plan]}
  - {name: proof, role: qa, depends_on: [program]}
  - {name: poem, role: poet}
""",
    "round": _BUILD
    + """
  - {name: program, role: engineer, depends_on: [plan, proof]}
  - {name: proof, role: qa, depends_on: [program]}
""",
    "broken": "  - [",
}


def write_folders(folder: Path) -> tuple[Path, Path]:
    """Write a user's roles and workflows; return both folders."""
    roles, workflows = folder / "roles", folder / "workflows"
    roles.mkdir()
    workflows.mkdir()
    (roles / "greeter.md").write_text(GREETER)
    for name, items in _WORKFLOWS.items():
        (workflows / f"{name}.yaml").write_text(f"items:\n{items}")
    return roles, workflows
