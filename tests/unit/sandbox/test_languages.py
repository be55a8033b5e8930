"""Picking a language, and what its commands become."""

from pathlib import Path

import pytest

from diono.sandbox.config import REPOSITORY
from diono.sandbox.images.recipes import Recipes
from diono.sandbox.languages import Languages, LanguageUnknown

IMAGES = REPOSITORY / "workspace" / "images"


@pytest.fixture(scope="module")
def languages() -> Languages:
    return Languages.load()


@pytest.mark.parametrize(
    ("name", "file_name", "code", "expected"),
    [
        ("Python", "", "", "python"),
        ("c++", "", "", "cpp"),
        ("js", "main.py", "", "javascript"),
        ("", "folder/main.rs", "", "rust"),
        ("", "PROGRAM.PY", "", "python"),
        ("", "analysis.R", "", "r"),
        ("", "script", "#!/usr/bin/env python3\nprint()", "python"),
        ("", "script", "#!/bin/sh\nls", "bash"),
        ("", "", "#!/usr/bin/perl\n", "perl"),
    ],
)
def test_language_is_found(
    languages: Languages, name: str, file_name: str, code: str, expected: str
) -> None:
    assert languages.pick(name, file_name, code).name == expected


@pytest.mark.parametrize(
    ("name", "file_name", "code"),
    [("klingon", "main.py", ""), ("", "main.xyz", ""), ("", "", "print(1)"), ("", "", "#!\n")],
)
def test_unknown_language_names_the_known_ones(
    languages: Languages, name: str, file_name: str, code: str
) -> None:
    with pytest.raises(LanguageUnknown) as caught:
        languages.pick(name, file_name, code)
    assert "python" in caught.value.detail


@pytest.mark.parametrize(
    ("language", "code", "file_name", "expected"),
    [
        ("python", "", "", "main.py"),
        ("python", "", "job.py", "job.py"),
        ("python", "", "../../etc/job.py", "job.py"),
        ("python", "", "-c.py", "main.py"),
        ("python", "", "job.txt", "main.py"),
        ("python", "", "a b.py", "main.py"),
        ("java", "class Help {}\npublic class Go { void main(String[] a) {} }", "", "Go.java"),
        ("java", "class A { void main() {} } class B {}", "x.java", "A.java"),
        ("java", "nothing", "", "Main.java"),
        ("java", "class " * 20_000, "", "Main.java"),
    ],
)  # fmt: skip
def test_source_has_a_safe_name(
    languages: Languages, language: str, code: str, file_name: str, expected: str
) -> None:
    assert languages.pick(language).source_name(code, file_name) == expected


def test_argv_names_the_source_and_its_stem(languages: Languages) -> None:
    typescript = languages.pick("ts")
    assert typescript.argv(typescript.run, "job.ts") == ("node", ".build/job.js")


def test_every_language_has_a_recipe(languages: Languages) -> None:
    recipes = Recipes(IMAGES)
    for language in languages:
        assert recipes.find(language.template) is not None, language.name


def test_every_blueprint_has_a_template() -> None:
    recipes = Recipes(IMAGES)
    blueprints = (REPOSITORY / "workspace" / "blueprints").glob("*/blueprint.yaml")
    for blueprint in blueprints:
        assert recipes.find(blueprint.parent.name) is not None, blueprint.parent.name


def test_tag_follows_the_recipe_and_its_parents(tmp_path: Path) -> None:
    (tmp_path / "layer.sh").write_text("exit 0\n")
    low, high = "names: [low]\ntitle: Low", "names: [high]\ntitle: High\nparent: low"
    for name, data in (("low", low), ("high", high)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "template.yaml").write_text(data)
        (tmp_path / name / "packages.txt").write_text("")
    before = {recipe.name: recipe.tag for recipe in Recipes(tmp_path)}
    (tmp_path / "low" / "packages.txt").write_text("git\n")
    after = {recipe.name: recipe.tag for recipe in Recipes(tmp_path)}
    assert before["low"] != after["low"]
    assert before["high"] != after["high"]
    (tmp_path / "high" / "packages.txt").write_text("git\n")
    last = {recipe.name: recipe.tag for recipe in Recipes(tmp_path)}
    assert last["low"] == after["low"]
    assert last["high"] != after["high"]
