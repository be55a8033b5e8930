"""What kind of program a project is, and how it is installed, built and run. Pure: it reads
nothing but the names and texts it is given."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from diono.sandbox.project_plan import Folder, ProjectKind, ProjectPlan
from diono.sandbox.requirement_files import requirements_of

READ_LIMIT_BYTES = 200_000
FILES_LIMIT = 60
_HOST = "127.0.0.1"
_SKIPPED = frozenset({"node_modules", "dist", "build", "venv", ".venv", "__pycache__", "target"})
_ROOTS = ("backend", "server", "api", "app", "frontend", "web", "client", "src")
_PAGES = ("index.html", "public/index.html", "site/index.html")
_PYTHON_ENTRIES = (
    *("main.py", "app.py", "api.py", "server.py", "wsgi.py", "asgi.py"),
    *("app/main.py", "app/app.py", "app/__init__.py"),
    *("src/main.py", "src/app.py", "src/__init__.py"),
)
_NODE_ENTRIES = ("server.js", "index.js", "app.js", "main.js", "src/index.js", "src/server.js")
_GO_ENTRIES = ("main.go", "server.go")
_READ = ("package.json", "pyproject.toml", "requirements.txt", "go.mod", "manage.py")
_NODE_SERVERS = ("express", "fastify", "koa", "hono", "@nestjs/core", "socket.io", "ws", "restify")
_LISTENS = re.compile(r"\.listen\(|createServer|Bun\.serve")
_FASTAPI = re.compile(r"^(\w+)\s*(?::[^=\n]+)?=\s*(?:fastapi\.)?FastAPI\(", re.MULTILINE)
_FLASK = re.compile(r"^(\w+)\s*(?::[^=\n]+)?=\s*(?:flask\.)?Flask\(", re.MULTILINE)
_FACTORY = re.compile(
    r"^(\w+)\s*(?::[^=\n]+)?=\s*(?:create|make|build|get)_app(?:lication)?\(", re.MULTILINE
)
_GO_PORT = re.compile(r"\"(?:[\w.]*):(\d{4,5})\"")


class _Package(BaseModel):
    """The parts of package.json that matter."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    main: str = ""
    scripts: Mapping[str, str] = Field(default_factory=dict)
    dependencies: Mapping[str, Any] = Field(default_factory=dict)
    devDependencies: Mapping[str, Any] = Field(default_factory=dict)  # noqa: N815 - npm's name

    def has(self, name: str) -> bool:
        return name in self.dependencies or name in self.devDependencies


def _python_packages(folder: Folder) -> tuple[str, ...]:
    return requirements_of(folder.text("requirements.txt"), folder.text("pyproject.toml"))


def _module(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _application(folder: Folder, pattern: re.Pattern[str], maker: str) -> tuple[str, str] | None:
    """Return (module, variable) of the first file that makes such an application, itself or by a
    function of its own."""
    for path in _PYTHON_ENTRIES:
        text = folder.text(path)
        found = pattern.search(text) or (_FACTORY.search(text) if maker in text else None)
        if found:
            return _module(path), found.group(1)
    return None


def _fastapi(folder: Folder) -> ProjectPlan | None:
    found = _application(folder, _FASTAPI, "FastAPI(")
    if found is None:
        return None
    has_sockets = any("WebSocket" in text for text in folder.texts.values())
    served = ("fastapi", "uvicorn", *(("websockets",) if has_sockets else ()))
    command = ("python3", "-m", "uvicorn", ":".join(found), "--host", _HOST, "--port", "8000")
    return ProjectPlan(
        kind=ProjectKind.FASTAPI,
        packages=tuple(dict.fromkeys((*_python_packages(folder), *served))),
        run=command,
        develop=(*command, "--reload"),
        port=8000,
        health_path="/docs",
    )


def _flask(folder: Folder) -> ProjectPlan | None:
    found = _application(folder, _FLASK, "Flask(")
    if found is None:
        return None
    command = ("python3", "-m", "flask", "--app", ":".join(found), "run", "--port", "5000")
    return ProjectPlan(
        kind=ProjectKind.FLASK,
        packages=tuple(dict.fromkeys((*_python_packages(folder), "flask"))),
        run=command,
        develop=(*command, "--debug"),
        port=5000,
    )


def _django(folder: Folder) -> ProjectPlan | None:
    if "django" not in folder.text("manage.py").lower():
        return None
    command = ("python3", "manage.py", "runserver", f"{_HOST}:8000")
    return ProjectPlan(
        kind=ProjectKind.DJANGO,
        packages=tuple(dict.fromkeys((*_python_packages(folder), "django"))),
        build=("python3", "manage.py", "migrate", "--noinput"),
        is_always_built=True,
        run=(*command, "--noreload"),
        develop=command,
        port=8000,
    )


def _python(folder: Folder) -> ProjectPlan | None:
    entry = folder.first(("main.py", "app.py", "cli.py", "__main__.py", "src/main.py"))
    package = next((p for p in sorted(folder.paths) if p.endswith("/__main__.py")), "")
    run: tuple[str, ...] = ("python3", entry)
    if not entry and package:
        run = ("python3", "-m", _module(package.removesuffix("/__main__.py")))
    elif not entry:
        return None
    return ProjectPlan(kind=ProjectKind.PYTHON, packages=_python_packages(folder), run=run)


def _package(folder: Folder) -> _Package | None:
    if "package.json" not in folder.paths:
        return None
    try:
        return _Package.model_validate_json(folder.text("package.json"))
    except ValidationError:
        return None


def _npm_plan(package: _Package, **parts: Any) -> ProjectPlan:
    return ProjectPlan(
        template="node",
        tool="node",
        has_modules=bool(package.dependencies or package.devDependencies),
        build=("npm", "run", "build") if "build" in package.scripts else (),
        **parts,
    )


def _next(folder: Folder) -> ProjectPlan | None:
    package = _package(folder)
    if package is None or not package.has("next"):
        return None
    place = ("-H", _HOST, "-p", "3000")
    plan = _npm_plan(
        package,
        kind=ProjectKind.NEXT,
        run=("npx", "next", "start", *place),
        develop=("npx", "next", "dev", *place),
        port=3000,
        env={"NEXT_TELEMETRY_DISABLED": "1"},
    )
    return plan.model_copy(update={"build": ("npx", "next", "build")})


def _vite(folder: Folder) -> ProjectPlan | None:
    package = _package(folder)
    if package is None or not package.has("vite"):
        return None
    place = ("--host", _HOST, "--port", "5173", "--strictPort")
    plan = _npm_plan(
        package,
        kind=ProjectKind.VITE,
        run=("npx", "vite", "preview", *place),
        develop=("npx", "vite", *place),
        port=5173,
    )
    return plan.model_copy(update={"build": ("npx", "vite", "build")})


def _node(folder: Folder) -> ProjectPlan | None:
    package = _package(folder)
    entry = folder.first((*((package.main,) if package and package.main else ()), *_NODE_ENTRIES))
    if package is None:
        if not entry or "index.html" in folder.paths:
            return None
        package = _Package()
    if not entry and "start" not in package.scripts:
        return None
    is_server = any(package.has(name) for name in _NODE_SERVERS)
    is_server = is_server or bool(_LISTENS.search(folder.text(entry)))
    run = ("npm", "start") if "start" in package.scripts else ("node", entry)
    develop = ("npm", "run", "dev") if "dev" in package.scripts else ()
    if not develop and entry and is_server:
        develop = ("node", "--watch", entry)
    return _npm_plan(
        package,
        kind=ProjectKind.NODE,
        run=run,
        develop=develop,
        port=3000 if is_server else None,
        env={"PORT": "3000", "HOST": _HOST},
    )


def _go(folder: Folder) -> ProjectPlan | None:
    if "go.mod" not in folder.paths:
        return None
    source = "".join(folder.text(name) for name in _GO_ENTRIES)
    is_server = "ListenAndServe" in source or "net/http" in source
    named = _GO_PORT.search(source)
    port = int(named.group(1)) if named else 8080
    return ProjectPlan(
        kind=ProjectKind.GO,
        template="go",
        tool="go",
        build=("go", "build", "-o", ".build/app", "."),
        run=("./.build/app",),
        port=port if is_server and 1024 <= port <= 65535 else None,
        env={"PORT": str(port), "GOCACHE": "/work/.build/cache", "GOFLAGS": "-buildvcs=false"},
    )


def _static(folder: Folder) -> ProjectPlan | None:
    page = folder.first(_PAGES)
    if not page:
        return None
    place = page.rpartition("/")[0] or "."
    command = ("python3", "-m", "http.server", "8000", "--bind", _HOST, "--directory", place)
    return ProjectPlan(kind=ProjectKind.STATIC, run=command, port=8000)


_Rule = Callable[[Folder], ProjectPlan | None]
# Asked in this order; the first that knows the folder decides.
RULES: tuple[_Rule, ...] = (
    *(_next, _vite, _django, _fastapi, _flask, _go, _node, _python, _static),
)


def _roots(paths: Iterable[str]) -> list[str]:
    folders = {path.partition("/")[0] for path in paths if "/" in path}
    return [".", *(name for name in _ROOTS if name in folders)]


def _below(root: str, path: str) -> str | None:
    if root == ".":
        return path
    return path.removeprefix(f"{root}/") if path.startswith(f"{root}/") else None


def _is_own(path: str) -> bool:
    return not _SKIPPED & set(path.split("/")[:-1])


def files_to_read(paths: Iterable[str]) -> list[str]:
    """Return which files ``detect`` wants the text of, at most FILES_LIMIT."""
    known = {path for path in paths if _is_own(path)}
    names = (*_READ, *_PYTHON_ENTRIES, *_NODE_ENTRIES, *_GO_ENTRIES)
    wanted = [f"{root}/{name}".removeprefix("./") for root in _roots(known) for name in names]
    wanted += [_main_of(path) for path in known if path.endswith("package.json")]
    return [path for path in dict.fromkeys(wanted) if path in known][:FILES_LIMIT]


def _main_of(path: str) -> str:
    return path.removesuffix("package.json") + "index.js"


def detect(paths: Iterable[str], texts: Mapping[str, str]) -> list[ProjectPlan]:
    """Return a plan for each folder that can be run, the likeliest first; none: nothing to run."""
    known = {path for path in paths if _is_own(path)}
    plans: list[ProjectPlan] = []
    for root in _roots(known):
        inside = {p: below for p in known if (below := _below(root, p)) is not None}
        folder = Folder(
            root,
            frozenset(inside.values()),
            {inside[path]: text for path, text in texts.items() if path in inside},
        )
        plan = next((plan for rule in RULES if (plan := rule(folder)) is not None), None)
        if plan is not None and not any(_is_package_of(other, root) for other in plans):
            plans.append(plan.model_copy(update={"root": root}))
    return sorted(plans, key=_rank)


def _is_package_of(plan: ProjectPlan, root: str) -> bool:
    """Whether the plan's program is a Python package in that folder, which cannot be run there."""
    return any(part.startswith(f"{root}.") for part in plan.run)


def _rank(plan: ProjectPlan) -> tuple[bool, bool]:
    """A server before a command, and the project's own folder before those below it."""
    return plan.port is None, plan.root != "."
