"""The page around the planned functions: forms, a ticking display, or a list kept locally."""

from html import escape

from diono.agents import text
from diono.agents.spec import EntitySpec, FunctionSpec, Parameter, Spec

_INPUT_TYPES = {"integer": "number", "number": "number", "boolean": "checkbox", "date": "date"}


def path_of(function: FunctionSpec) -> str:
    return f"logic/{text.camel(function.name)}.js"


def stub(function: FunctionSpec) -> str:
    name = text.camel(function.name)
    return f'function {name}() {{\n  throw new Error("{name} is not built");\n}}\n'


def page(spec: Spec, functions: list[FunctionSpec]) -> str:
    """index.html for the spec's shape."""
    scripts = [path_of(one) for one in functions]
    if spec.shape == "ticker":
        sections, widget = [_ticker(spec)], "ticker"
    elif spec.shape == "local_records" and spec.entity is not None:
        sections, widget = [_records(spec.entity)], "records"
    else:
        sections, widget = [_form(one) for one in functions], "form"
    scripts.append(f"widgets/{widget}.js")
    body = "\n".join(sections)
    tags = "\n".join(f'  <script src="{path}"></script>' for path in scripts)
    return f"""<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>{escape(spec.title)}</title>
  <link rel="stylesheet" href="style.css">
</head>
<body>
  <main>
    <h1>{escape(spec.title)}</h1>
    <p>{escape(spec.summary)}</p>
{body}
  </main>
{tags}
</body>
</html>
"""


def _label(name: str) -> str:
    return escape(name.replace("_", " ").capitalize())


def _control(parameter: Parameter) -> str:
    facts = f'name="{parameter.name}" data-type="{parameter.type}"'
    if parameter.choices:
        last = len(parameter.choices) - 1
        # The two ends of a conversion shall not begin on the same unit.
        chosen = min(1, last) if parameter.name.startswith("to_") else 0
        options = "".join(
            f'<option value="{escape(one)}"{" selected" if index == chosen else ""}>'
            f"{escape(one)}</option>"
            for index, one in enumerate(parameter.choices)
        )
        control = f"<select {facts}>{options}</select>"
    elif parameter.is_file:
        control = f'<textarea {facts} rows="6"></textarea>'
    elif parameter.type == "bool":
        control = f'<input type="checkbox" {facts}{" checked" if parameter.default else ""}>'
    elif parameter.type in ("int", "float"):
        step = "1" if parameter.type == "int" else "any"
        control = f'<input type="number" step="{step}" {facts}>'
    else:
        control = f"<input {facts}>"
    return f"        <label><span>{_label(parameter.name)}</span>{control}</label>"


def _form(function: FunctionSpec) -> str:
    controls = "\n".join(_control(parameter) for parameter in function.parameters)
    return f"""    <section class="widget">
      <h2>{_label(function.name)}</h2>
      <form data-function="{text.camel(function.name)}" id="{function.name}">
{controls}
        <button type="submit">{_label(function.name.split("_")[0])}</button>
        <output></output>
        <p class="problem" role="alert"></p>
      </form>
    </section>"""


def _ticker(spec: Spec) -> str:
    inputs = ""
    if spec.counts_down:
        inputs = "\n".join(
            f'        <label><span>{name}</span><input type="number" min="0" value="{value}" '
            f'name="{name.lower()}" data-seconds="{seconds}"></label>'
            for name, value, seconds in (("Hours", 0, 3600), ("Minutes", 5, 60), ("Seconds", 0, 1))
        )
        inputs = f"      <form>\n{inputs}\n      </form>\n"
    direction = "down" if spec.counts_down else "up"
    return f"""    <section class="widget" data-ticker="{direction}">
{inputs}      <p class="display" role="timer" aria-live="off"></p>
      <div class="buttons">
        <button type="button" class="main start">Start</button>
        <button type="button" class="reset">Reset</button>
      </div>
    </section>"""


def _records(entity: EntitySpec) -> str:
    controls = "\n".join(
        f'        <label><span>{_label(one.name)}</span><input name="{one.name}" '
        f'type="{_INPUT_TYPES.get(one.type, "text")}" data-type="{one.type}"'
        f"{' required' if one.is_required else ''}></label>"
        for one in entity.fields
    )
    return f"""    <section class="widget" data-records="{entity.plural}">
      <form>
{controls}
        <button type="submit">Add {_label(entity.name).lower()}</button>
      </form>
      <ul class="rows"></ul>
    </section>"""


def readme(spec: Spec) -> str:
    return f"""# {spec.title}

{spec.summary}

## Run

Open `index.html` in a browser, or serve the folder:

```
python3 serve.py 8080
```

## Test

```
python3 -m pytest tests
```
"""
