"""Which kind a project is, told from names and texts alone."""

import json
from collections.abc import Mapping

import pytest

from diono.sandbox.project_plan import ProjectKind, ProjectPlan
from diono.sandbox.project_types import detect, files_to_read
from diono.sandbox.requirement_files import requirements_of

GO = 'package main\nimport "net/http"\nfunc main() { http.ListenAndServe("127.0.0.1:9090", nil) }'


def plans_of(files: Mapping[str, str]) -> list[ProjectPlan]:
    read = {path: files[path] for path in files_to_read(files)}
    return detect(files, read)


def package(**fields: object) -> str:
    return json.dumps(fields)


CASES: dict[str, tuple[dict[str, str], ProjectKind, int | None]] = {
    "script": ({"main.py": "print(1)"}, ProjectKind.PYTHON, None),
    "module": ({"tool/__main__.py": "print(1)"}, ProjectKind.PYTHON, None),
    "fastapi": ({"main.py": "api = FastAPI()\n"}, ProjectKind.FASTAPI, 8000),
    "fastapi in a package": ({"app/main.py": "app: FastAPI = FastAPI()\n"}, ProjectKind.FASTAPI,
                             8000),
    "fastapi by a factory": ({"app/main.py": "    it = FastAPI()\napp = create_app(1)\n"},
                             ProjectKind.FASTAPI, 8000),
    "flask": ({"app.py": "from flask import Flask\napp = Flask(__name__)\n"}, ProjectKind.FLASK,
              5000),
    "django": ({"manage.py": "os.environ['DJANGO_SETTINGS_MODULE']"}, ProjectKind.DJANGO, 8000),
    "node command": ({"index.js": "console.log(1)"}, ProjectKind.NODE, None),
    "node server": ({"index.js": "http.createServer().listen(3000)"}, ProjectKind.NODE, 3000),
    "express": ({"package.json": package(main="a.js", dependencies={"express": "4"}), "a.js": ""},
                ProjectKind.NODE, 3000),
    "vite": ({"package.json": package(devDependencies={"vite": "5"}), "index.html": ""},
             ProjectKind.VITE, 5173),
    "next": ({"package.json": package(dependencies={"next": "15", "react": "19"})},
             ProjectKind.NEXT, 3000),
    "static": ({"index.html": "<p>", "style.css": ""}, ProjectKind.STATIC, 8000),
    "static with a script": ({"index.html": "<p>", "app.js": ""}, ProjectKind.STATIC, 8000),
    "go": ({"go.mod": "module x\n", "main.go": GO}, ProjectKind.GO, 9090),
    "go command": ({"go.mod": "module x\n", "main.go": "package main"}, ProjectKind.GO, None),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_kind_and_port(name: str) -> None:
    files, kind, port = CASES[name]
    plan = plans_of(files)[0]
    assert (plan.kind, plan.port, plan.root) == (kind, port, ".")


def test_application_is_found_by_its_variable() -> None:
    plan = plans_of({"app/main.py": "service = fastapi.FastAPI(title='x')\n"})[0]
    assert "app.main:service" in plan.run
    assert plan.develop[-1] == "--reload"


def test_package_is_no_program_of_its_own() -> None:
    plans = plans_of({"app/main.py": "app = FastAPI()\n", "frontend/index.html": "<p>"})
    assert [plan.root for plan in plans] == [".", "frontend"]


def test_nothing_to_run_gives_no_plan() -> None:
    assert plans_of({"README.md": "", "lib/util.py": ""}) == []
    assert plans_of({}) == []


def test_broken_package_file_is_no_plan() -> None:
    assert plans_of({"package.json": "{"}) == []
    assert plans_of({"package.json": "[1]"}) == []
    assert plans_of({"package.json": '{"scripts": 3}'}) == []


def test_servers_come_first_and_each_folder_has_its_own() -> None:
    files = {
        "main.py": "print('tool')",
        "backend/main.py": "app = FastAPI()\n",
        "frontend/package.json": package(devDependencies={"vite": "5"}),
        "frontend/node_modules/express/package.json": package(name="express"),
    }
    found = [(plan.kind, plan.root) for plan in plans_of(files)]
    assert found == [
        (ProjectKind.FASTAPI, "backend"),
        (ProjectKind.VITE, "frontend"),
        (ProjectKind.PYTHON, "."),
    ]


def test_modules_are_installed_only_where_there_are_some() -> None:
    some = plans_of({"package.json": package(dependencies={"express": "4"}), "index.js": ""})[0]
    none = plans_of({"package.json": package(name="x"), "index.js": ""})[0]
    assert (some.has_modules, none.has_modules) == (True, False)


def test_requirements_without_comments_markers_and_options() -> None:
    text = (
        "# tools\n-r other.txt\nhttpx>=0.27  # client\n\nrich ; python_version > '3'\n--index x\n"
    )
    assert requirements_of(text, "") == ("httpx>=0.27", "rich")
    pyproject = (
        '[project]\nname = "x"\ndependencies = ["flask>=3", "gunicorn; os_name == \'nt\'"]\n'
    )
    assert requirements_of("", pyproject) == ("flask>=3", "gunicorn")
    assert requirements_of("", "not toml [") == ()
    assert requirements_of("", "[project]\ndependencies = 3\n") == ()
