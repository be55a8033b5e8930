"""Which messages of a chat are changes of the built app."""

import pytest

from diono.agents.codeact.typed_change import is_change
from diono.agents.spec import EntitySpec, FieldSpec, Spec
from diono.llm.fit.report import ModelFit

TODOS = Spec(
    name="todo_list",
    title="To-do",
    summary="Keeps to-dos.",
    blueprint="fastapi-app",
    shape="records",
    entity=EntitySpec(name="todo", plural="todos", fields=(FieldSpec(name="title"),)),
)
WEAK = ModelFit(window=4096, window_claimed=4096, prompt_budget=3000, strength=0.2, is_local=True)
STRONG = WEAK.model_copy(update={"strength": 0.9})


@pytest.mark.parametrize(
    ("message", "for_strong", "for_weak"),
    [
        ("add a due date to the to-do items", True, True),
        ("Each todo should also have a priority", True, True),
        ("Call the app Team List", True, True),
        ("make the background black", True, True),
        ("Add a joke about gardens", False, True),
        ("let users log in", False, True),
        ("Write a note that says remember", False, False),
        ("Add a file notes.txt with a due date", False, False),
    ],
)
def test_plain_changes_are_for_every_model_others_for_weak_ones(
    message: str, for_strong: bool, for_weak: bool
) -> None:
    assert is_change(message, TODOS, STRONG) is for_strong
    assert is_change(message, TODOS, WEAK) is for_weak
