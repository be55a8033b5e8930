"""The parts of the program that runs in the analysers' sandbox, each on text of its own."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

import diono.inspection

GUEST = Path(diono.inspection.__file__).parent / "guest"


def _part(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, GUEST / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SECRETS = _part("secrets_in_text")
DECLARED = _part("declared")
KEY = "AKIA" + "IOSFODNN7QWERTYU"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (f'key = "{KEY}"', "aws-access-key"),
        ("-----BEGIN " + "RSA PRIVATE KEY-----", "private-key"),
        ("token: ghp_" + "a1B2" * 9, "github-token"),
        ("postgres://app:" + "h7Gq2xLp9@db/things", "password-in-address"),
        ('PASSWORD = "' + 'kX9vQ2mZ7t"', "assigned"),
    ],
)
def test_a_credential_is_found_and_never_shown(text: str, rule: str) -> None:
    found = SECRETS.secrets_of(f"first line\n{text}\n", True)
    assert [(one[0], one[1]) for one in found] == [(rule, 2)]
    shown = found[0][2]
    assert len(shown) <= 40
    assert shown.partition("…")[0] in text
    assert len(shown.partition("…")[0]) <= 4


@pytest.mark.parametrize(
    "text",
    [
        'password = "changeme-please"',
        'api_key = os.environ["API_KEY"]',
        'token = "<your token here>"',
        'password: "aaaaaaaaaaaa"',
        "secret = get_secret()",
        "https://user:password@example.org/",
    ],
)
def test_a_placeholder_is_no_credential(text: str) -> None:
    assert SECRETS.secrets_of(text, True) == []


def test_made_up_passwords_of_tests_do_not_count_but_real_formats_do() -> None:
    text = f'password = "kX9vQ2mZ7t"\nkey = "{KEY}"\n'
    assert [one[0] for one in SECRETS.secrets_of(text, False)] == ["aws-access-key"]


def test_very_long_lines_take_no_time() -> None:
    assert SECRETS.secrets_of("password = '" + "a" * 2_000_000, True) == []


def test_requirements_say_whether_they_are_pinned() -> None:
    text = "# ours\nflask==3.0.2\nhttpx>=0.27 ; python_version > '3'\n-r other.txt\nnumpy\n\n"
    found = {one["name"]: (one["wanted"], one["is_pinned"]) for one in DECLARED.requirements(text)}
    assert found == {"flask": ("==3.0.2", True), "httpx": (">=0.27", False), "numpy": ("", False)}


def test_other_manifests_are_read_and_broken_ones_are_empty() -> None:
    toml = '[project]\ndependencies = ["rich>=13"]\n[project.optional-dependencies]\nx = ["a==1"]\n'
    assert [one["name"] for one in DECLARED.pyproject(toml)] == ["rich", "a"]
    packages = '{"dependencies": {"left-pad": "^1.3.0", "vue": "3.4.1"}}'
    pinned = {one["name"]: one["is_pinned"] for one in DECLARED.package_json(packages, False)}
    assert pinned == {"left-pad": False, "vue": True}
    assert all(one["is_pinned"] for one in DECLARED.package_json(packages, True))
    for broken in ("[project", '{"project": 1', "[" * 100_000, '{"dependencies": [1]}'):
        assert DECLARED.pyproject(broken) == []
        assert DECLARED.package_json(broken, False) == []
        assert DECLARED.lock_versions(broken) == {}


def test_scripts_of_a_page_keep_their_lines() -> None:
    page = "<h1>\n<script src='a.js'></script>\n<script>\nlet a = 1;\n</script>\n"
    assert _part("scripts_in_pages").scripts_of(page) == [(2, "\nlet a = 1;\n")]


def test_python_is_counted_and_hostile_source_is_nothing() -> None:
    facts_of = _part("python_facts").facts_of
    source = 'import os, yaml.x\nfrom . import y\ndef a():\n    "d"\nclass B:\n    def c(self): 1\n'
    assert facts_of(source) == {"functions": 3, "documented": 1, "imports": ["os", "yaml"]}
    nothing = {"functions": 0, "documented": 0, "imports": []}
    for hostile in ("def (", "\0", "(" * 5000, "-" * 200_000 + "1"):
        assert facts_of(hostile) == nothing


def test_repeated_passages_are_found_once() -> None:
    passage = "".join(f"value_{n} = compute({n})\n" for n in range(8))
    found = _part("repeated").repeated({0: passage, 1: f"other = 1\n{passage}", 2: "alone = 2\n"})
    assert found["repeated"] == 8
    assert found["lines"] == 18
    assert found["places"][0] == [0, 1, 1, 2]
