"""Change requests become operations on the spec; what is not plain is left to the model."""

import pytest

from diono.agents.changing.appearance import files_with
from diono.agents.changing.operations import (
    AddField,
    AddFunction,
    AddText,
    ChangeTitle,
    RemoveField,
    RemoveFunction,
    RenameField,
    RequireField,
    Restyle,
    apply,
)
from diono.agents.changing.reading import read_request
from diono.agents.errors import ChangeRefused
from diono.agents.spec import EntitySpec, FieldSpec, FunctionSpec, Parameter, Spec

TODO = Spec(
    name="todo",
    title="To-do",
    summary="Keeps tasks.",
    blueprint="fastapi-app",
    shape="records",
    entity=EntitySpec(
        name="todo_item",
        plural="todo_items",
        fields=(
            FieldSpec(name="title", is_required=True),
            FieldSpec(name="done", type="boolean"),
            FieldSpec(name="description", type="long_text"),
        ),
    ),
)
COUNTER = Spec(
    name="counter",
    title="Counter",
    summary="Counts.",
    blueprint="python-cli",
    shape="functions",
    functions=(
        FunctionSpec(name="count_words", description="Count.", parameters=(Parameter(name="t"),)),
    ),
)


@pytest.mark.parametrize(
    ("request_text", "expected"),
    [
        ("add a due date to the to-do items", [AddField(name="due_date", type="date")]),
        ("Each item should have a price", [AddField(name="price", type="number")]),
        (
            "also store the author and the year of each book",
            [AddField(name="author"), AddField(name="year", type="integer")],
        ),
        ("add a rating as an integer", [AddField(name="rating", type="integer")]),
        ("add an email address field", [AddField(name="email_address")]),
        ("I want to track the due date of each task", [AddField(name="due_date", type="date")]),
        (
            "add a required code field",
            [AddField(name="code", is_required=True)],
        ),
        (
            "Please add a field called estimated hours of type number",
            [AddField(name="estimated_hours", type="number")],
        ),
        (
            "Rename the description field to notes",
            [RenameField(name="description", new_name="notes")],
        ),
        ("rename description to notes", [RenameField(name="description", new_name="notes")]),
        ("add a description", [AddField(name="description", type="long_text")]),
        ("delete the done column", [RemoveField(name="done")]),
        ("make description required", [RequireField(name="description")]),
        (
            "The description should be optional",
            [RequireField(name="description", is_required=False)],
        ),
        ("Call the app Team Tasks.", [ChangeTitle(title="Team Tasks")]),
        ("change the title to 'My list'", [ChangeTitle(title="My list")]),
        (
            "Set the page background to light blue",
            [Restyle(property="background", value="lightblue")],
        ),
        (
            "use black text on a #ffe background",
            [
                Restyle(property="background", value="#ffe"),
                Restyle(property="color", value="black"),
            ],
        ),
        ("make the font bigger", [Restyle(property="font-size", value="1.25rem")]),
        ('Add a line that says "Don\'t panic"', [AddText(text="Don't panic")]),
    ],
)
def test_what_is_plain_is_read(request_text: str, expected: list[object]) -> None:
    assert list(read_request(request_text, TODO)) == expected


@pytest.mark.parametrize(
    "request_text",
    [
        "add a CSV export endpoint",
        "make the background shiny",
        "make the background blue and the buttons round",
        "change the page background to something nicer",
        "show 'hello' above the list as text",
        "add login",
        "add a search button",
        "sort the list by date",
        "remove the whole thing",
        "",
    ],
)
def test_what_is_not_plain_is_not_guessed(request_text: str) -> None:
    assert read_request(request_text, TODO) == ()


def test_a_function_is_removed_by_its_words() -> None:
    two = apply(
        COUNTER,
        [
            AddFunction(
                function=FunctionSpec(
                    name="reverse_text", description="Reverse.", parameters=(Parameter(name="t"),)
                )
            )
        ],
    )
    [operation] = read_request("remove the reverse command", two)
    assert operation == RemoveFunction(name="reverse_text")
    command = COUNTER.functions[0].command
    assert apply(two, [operation]) == COUNTER.model_copy(update={"default_command": command})


@pytest.mark.parametrize(
    ("request_text", "name"),
    [
        ("Remove the command that converts integers to Roman numerals", "int_to_roman"),
        ("delete the command that turns Roman numerals into integers", "roman_to_int"),
        ("remove the Roman command", ""),
        ("remove everything", ""),
    ],
)
def test_a_function_is_removed_by_its_description(request_text: str, name: str) -> None:
    functions = tuple(
        FunctionSpec(name=one, description="x", parameters=(Parameter(name="t"),))
        for one in ("int_to_roman", "roman_to_int")
    )
    spec = COUNTER.model_copy(update={"functions": functions})
    assert [one.name for one in read_request(request_text, spec)] == ([name] if name else [])


def test_operations_change_the_spec() -> None:
    changed = apply(
        TODO,
        [
            AddField(name="due_date", type="date"),
            RenameField(name="description", new_name="notes"),
            RemoveField(name="done"),
            RequireField(name="due_date"),
        ],
    )
    assert changed.entity is not None
    assert [(one.name, one.type, one.is_required) for one in changed.entity.fields] == [
        ("title", "text", True),
        ("notes", "long_text", False),
        ("due_date", "date", True),
    ]
    assert changed.entity.fields[1].former_name == "description"


def test_a_page_holds_what_was_asked_for_once() -> None:
    page, style = "<main>\n    <p>hi</p>\n  </main>\n", "li p { margin: 0; }\n"
    first = apply(TODO, [AddText(text="{{ 7 }} < 8"), Restyle(property="color", value="navy")])
    made = files_with(first, page, style)
    template, sheet = (one.decode() for one in made.values())
    assert "<p>&#123;&#123; 7 &#125;&#125; &lt; 8</p>" in template
    assert "body { color: navy; }" in sheet
    second = apply(first, [AddText(text="more"), Restyle(property="color", value="red")])
    template, sheet = (one.decode() for one in files_with(second, template, sheet).values())
    assert template.count("<p>") == 3
    assert (sheet.count("body {"), "navy" in sheet, "li p" in sheet) == (1, False, True)
    again = [one.decode() for one in files_with(TODO, template, sheet).values()]
    assert again == [page, style]


@pytest.mark.parametrize(
    ("spec", "operation", "reason"),
    [
        (COUNTER, Restyle(property="color", value="red"), "no page"),
        (TODO, AddField(name="done"), "already"),
        (TODO, AddField(name="id"), "already"),
        (TODO, RemoveField(name="price"), "no field price"),
        (TODO, RemoveField(name="title"), "stays"),
        (TODO, AddFunction(function=COUNTER.functions[0]), "no place"),
        (COUNTER, AddField(name="price"), "no records"),
        (COUNTER, RemoveFunction(name="count_words"), "only thing"),
        (COUNTER, AddFunction(function=COUNTER.functions[0]), "already"),
    ],
)
def test_what_cannot_be_done_is_refused(spec: Spec, operation: object, reason: str) -> None:
    with pytest.raises(ChangeRefused, match=reason):
        apply(spec, [operation])  # pyright: ignore[reportArgumentType]
