"""Names of files: what they say, and how they are made safe."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diono.inspection import naming


@pytest.mark.parametrize(
    ("path", "kind", "language"),
    [
        ("core/add.py", "code", "python"),
        ("tests/test_core.py", "test", "python"),
        ("test_solution.py", "test", "python"),
        ("core/add.test.js", "test", "javascript"),
        ("README.md", "documentation", "markdown"),
        ("README", "documentation", ""),
        ("requirements.txt", "configuration", "text"),
        ("package.json", "configuration", "json"),
        ("index.html", "markup", "html"),
        ("app/static/style.css", "style", "css"),
        ("logo.png", "binary", ""),
        ("things.csv", "data", "csv"),
        ("what", "other", ""),
    ],
)
def test_a_name_says_kind_and_language(path: str, kind: str, language: str) -> None:
    assert (naming.kind_of(path), naming.language_of(path)) == (kind, language)


@pytest.mark.parametrize(
    ("path", "safe"),
    [
        ("core/add.py", "core/add.py"),
        ("../../etc/passwd", "etc/passwd"),
        ("/etc/passwd", "etc/passwd"),
        ("a\\..\\b.py", "a/b.py"),
        ("CON", "_CON"),
        ("docs/aux.txt", "docs/_aux.txt"),
        ("-rf.py", "_rf.py"),
        ("a\u202egpj.py", "a_gpj.py"),
        ("line\nbreak.py", "line_break.py"),
        ("trailing. ", "trailing"),
        ("..", "unnamed"),
        ("a:b*c?.py", "a_b_c_.py"),
    ],
)
def test_an_unsafe_name_becomes_a_safe_one(path: str, safe: str) -> None:
    assert naming.sanitised(path) == safe


def test_safe_names_are_never_the_same() -> None:
    paths = ["a.py", "A.py", "a\n.py", "a_.py", "../a_.py"]
    names = naming.sanitised_names(paths)
    assert "a_.py" not in names
    all_names = [names.get(path, path).casefold() for path in paths]
    assert len(set(all_names)) == len(paths)


@given(st.lists(st.text(min_size=1, max_size=60), max_size=12, unique=True))
def test_any_names_become_distinct_and_stay_inside(paths: list[str]) -> None:
    names = naming.sanitised_names(paths)
    final = [names.get(path, path) for path in paths]
    assert len({one.casefold() for one in final}) == len(paths)
    for one in final:
        assert not one.startswith(("/", "-"))
        assert ".." not in one.split("/")
        assert one.isprintable()
    for path in paths:
        assert naming.sanitised(naming.sanitised(path)) == naming.sanitised(path)
