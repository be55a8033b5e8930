"""The records app: everything but ``app/entities.py`` is the verified skeleton."""

import datetime
from typing import Any

from diono.agents.spec import EntitySpec, FieldSpec, Spec

PATH = "app/entities.py"


def entities_module(spec: Spec, entity: EntitySpec) -> str:
    lines = [
        '"""What the app keeps."""',
        "",
        "from app.fields import Entity, EntityField",
        "",
        f"TITLE = {spec.title!r}",
        f"SUMMARY = {spec.summary!r}",
        "",
        "ENTITY = Entity(",
        f"    name={entity.name!r},",
        f"    plural={entity.plural!r},",
        "    fields=(",
    ]
    for one in entity.fields:
        required = ", is_required=True" if one.is_required else ""
        former = f", former_name={one.former_name!r}" if one.former_name else ""
        lines.append(f"        EntityField({one.name!r}, {one.type!r}{required}{former}),")
    return "\n".join([*lines, "    ),", ")", ""])


def sample_value(field: FieldSpec, number: int) -> Any:
    """A value for checks; texts of different numbers share no word."""
    word = ("alder", "birch", "cedar")[number % 3]
    return {
        "text": f"{word} {field.name.replace('_', ' ')}",
        "long_text": f"{word} in several words",
        "integer": 3 + number,
        "number": 2.5 + number,
        "boolean": number % 2 == 1,
        "date": datetime.date(2030, 1, 10 + number).isoformat(),
    }[field.type]


def sample(entity: EntitySpec, number: int) -> dict[str, Any]:
    return {field.name: sample_value(field, number) for field in entity.fields}


def readme(spec: Spec, entity: EntitySpec) -> str:
    address = f"/api/{entity.plural}"
    rows = "\n".join(
        f"- `{one.name}` ({one.type}{', required' if one.is_required else ''})"
        for one in entity.fields
    )
    return f"""# {spec.title}

{spec.summary}

## Run

```
python3 -m uvicorn app.main:app --port 8080
```

Open http://127.0.0.1:8080 for the page and http://127.0.0.1:8080/docs for the API.

## API

- `GET {address}` lists, `GET {address}?q=words` searches
- `POST {address}` adds, `GET {address}/ID` reads
- `PUT {address}/ID` replaces, `PATCH {address}/ID` changes, `DELETE {address}/ID` deletes

Fields of one {entity.name.replace("_", " ")}:

{rows}

## Test

```
python3 -m pytest tests
```
"""
