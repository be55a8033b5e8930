"""The steps of a template build on the E2B wire, checked and put in order.

Packages are installed by us, on our own recipe's image, before anything of the caller runs: this
is the only part of a build with a network, and it takes names only. What the caller runs has none.
"""

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import PurePosixPath

from pydantic import BaseModel, ConfigDict, Field

from diono.kernel.errors import InvalidInput
from diono.sandbox import checks

HOME = "/home/user"
STEPS_LIMIT = 80
PACKAGES_LIMIT = 200
_APT = re.compile(r"[a-z0-9][a-z0-9+.-]{1,100}(=[A-Za-z0-9.+:~-]{1,100})?")
_NPM = re.compile(r"(@[a-z0-9~][a-z0-9._~-]*/)?[a-z0-9~][a-z0-9._~-]*(@[A-Za-z0-9.^~-]{1,60})?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,100}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_HARMLESS = frozenset({"-y", "--yes", "-q", "-qq", "--no-install-recommends", "--fix-missing"})
_HARMLESS_PIP = frozenset({"--no-cache-dir", "-q", "--quiet", "-U", "--upgrade", "--user"})
_HARMLESS_NPM = frozenset({"-g", "--global", "--no-audit", "--no-fund", "--save", "-S"})


class Manager(StrEnum):
    APT = "apt"
    PIP = "pip"
    NPM = "npm"


class StepData(BaseModel):
    """One step as the wire has it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: str = Field(max_length=20)
    args: tuple[str, ...] = Field(default=(), max_length=400)
    files_hash: str = Field(default="", alias="filesHash")
    force: bool | None = False


@dataclass(frozen=True)
class Action:
    """Something done in the image: a command, or files put into it. ``number`` is the step's."""

    number: int
    is_root: bool
    cwd: str
    env: tuple[tuple[str, str], ...]
    command: str = ""
    files_hash: str = ""
    source: str = ""
    target: str = ""
    mode: str = ""
    is_forced: bool = False


@dataclass
class Plan:
    packages: dict[Manager, list[str]] = field(
        default_factory=lambda: {manager: list[str]() for manager in Manager}
    )
    actions: list[Action] = field(default_factory=list[Action])

    @property
    def has_packages(self) -> bool:
        return any(self.packages.values())


@dataclass
class _State:
    number: int = 0
    is_root: bool = False
    cwd: str = HOME
    env: dict[str, str] = field(default_factory=dict[str, str])
    is_forced: bool = False


def plan_of(steps: Sequence[StepData]) -> Plan:
    """Return what a build does. Raises InvalidInput that names the step."""
    if len(steps) > STEPS_LIMIT:
        raise InvalidInput(f"a template has at most {STEPS_LIMIT} steps; join some with &&")
    plan, state = Plan(), _State()
    for number, step in enumerate(steps, start=1):
        state.number = number
        state.is_forced = bool(step.force)
        if any("\0" in text for text in step.args):
            raise InvalidInput(f"step {number}: an argument holds a NUL character")
        take = _STEPS.get(step.type.upper())
        if take is None:
            raise InvalidInput(f"step {number}: {step.type!r} is not a step of a template")
        try:
            take(plan, state, step)
        except (ValueError, IndexError) as error:
            raise InvalidInput(
                f"step {number} ({step.type}): {error or 'bad arguments'}"
            ) from error
        except InvalidInput as error:
            raise InvalidInput(f"step {number} ({step.type}): {error.detail}") from error
    if sum(map(len, plan.packages.values())) > PACKAGES_LIMIT:
        raise InvalidInput(f"a template names at most {PACKAGES_LIMIT} packages")
    return plan


def _user(name: str) -> bool:
    """Return whether it is root; there are two users."""
    user = name.partition(":")[0]
    if user in {"root", "0"}:
        return True
    if user in {"user", "64100"}:
        return False
    raise InvalidInput(f"the user {name!r} does not exist in a sandbox; use user or root")


def _action(state: _State, user: str = "") -> Action:
    is_root = _user(user) if user else state.is_root
    env = tuple(state.env.items())
    return Action(state.number, is_root, state.cwd, env, is_forced=state.is_forced)


def _take_run(plan: Plan, state: _State, step: StepData) -> None:
    command = step.args[0]
    user = step.args[1] if len(step.args) > 1 else ""
    found = installs_of(command)
    if found is None:
        plan.actions.append(replace(_action(state, user), command=command))
        return
    for manager, names in found:
        plan.packages[manager] += names


def _take_copy(plan: Plan, state: _State, step: StepData) -> None:
    source, target, *rest = step.args
    user, mode = [*rest, "", ""][:2]
    if not _DIGEST.fullmatch(step.files_hash):
        raise InvalidInput("its files were not sent (no filesHash)")
    parts = PurePosixPath(source).parts
    if source.startswith("/") or ".." in parts or "\0" in source + target:
        raise InvalidInput(f"the path {source!r} leaves the folder of the files")
    if mode and not re.fullmatch(r"[0-7]{3,4}", mode):
        raise InvalidInput(f"the mode {mode!r} is not an octal number such as 0644")
    is_folder = target.endswith(("/", "/.")) or target in {".", ""}
    path = str(PurePosixPath(state.cwd) / target) + ("/" if is_folder else "")
    action = replace(_action(state, user), files_hash=step.files_hash, source=source)
    plan.actions.append(replace(action, target=path, mode=mode))


def _take_env(plan: Plan, state: _State, step: StepData) -> None:
    if len(step.args) % 2:
        raise InvalidInput("names and values come in pairs")
    for name, value in zip(step.args[::2], step.args[1::2], strict=True):
        if not _VARIABLE.fullmatch(name):
            raise InvalidInput(f"{name!r} is not a name of a variable")
        state.env[name] = value


def _take_workdir(plan: Plan, state: _State, step: StepData) -> None:
    state.cwd = str(PurePosixPath(state.cwd) / step.args[0])
    if state.cwd in {"/", HOME, "/work"}:
        return
    owner = "0" if state.is_root else "64100"
    folder = shlex.quote(state.cwd)
    command = f"[ -d {folder} ] || {{ mkdir -p {folder} && chown {owner} {folder}; }}"
    plan.actions.append(replace(_action(state, "root"), cwd="/", command=command))


def _take_user(plan: Plan, state: _State, step: StepData) -> None:
    state.is_root = _user(step.args[0])


def _take_packages(manager: Manager) -> "Callable[[Plan, _State, StepData], None]":
    def take(plan: Plan, state: _State, step: StepData) -> None:
        plan.packages[manager] += _checked(manager, step.args)

    return take


_STEPS: Mapping[str, Callable[[Plan, _State, StepData], None]] = {
    "RUN": _take_run,
    "COPY": _take_copy,
    "ADD": _take_copy,
    "ENV": _take_env,
    "ARG": _take_env,
    "WORKDIR": _take_workdir,
    "USER": _take_user,
    "APT": _take_packages(Manager.APT),
    "PIP": _take_packages(Manager.PIP),
    "NPM": _take_packages(Manager.NPM),
}


def _checked(manager: Manager, names: Sequence[str]) -> list[str]:
    if manager is Manager.PIP:
        return list(checks.requirements(names))
    pattern = _APT if manager is Manager.APT else _NPM
    for name in names:
        if not pattern.fullmatch(name):
            raise InvalidInput(f"{name!r} is not the name of a package; only names are installed")
    return list(names)


def installs_of(command: str) -> list[tuple[Manager, list[str]]] | None:
    """Return the packages that a command installs, None if it is another kind of command.

    Raises InvalidInput for one that does both.
    """
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        tokens = list(lexer)
    except ValueError:
        return None
    parts: list[list[str]] = [[]]
    for token in tokens:
        if token in {"&&", ";"}:
            parts.append([])
        else:
            parts[-1].append(token)
    read = [_read(part) for part in parts if part]
    found = [each for each in read if each is not None]
    if not any(names for _, names in found):
        return [] if found and len(found) == len(read) else None
    if len(found) < len(read):
        raise InvalidInput(
            "packages are installed in a step of its own; put the other commands into another RUN"
        )
    return [(manager, names) for manager, names in found if names]


def _read(argv: Sequence[str]) -> tuple[Manager, list[str]] | None:
    """Return what one command of a package manager installs; None for another command."""
    words = [word for word in argv if not re.fullmatch(r"[A-Z_]+=\S*", word)]
    words = words[1:] if words[:1] == ["sudo"] else words
    match words:
        case ["apt-get" | "apt", *rest]:
            return _of_apt(rest)
        case ["rm", "-rf", *paths] if all(path.startswith("/var/lib/apt") for path in paths):
            return Manager.APT, []
        case ["pip" | "pip3", "install", *rest] | [
            "python" | "python3", "-m", "pip", "install", *rest,
        ]:  # fmt: skip
            return Manager.PIP, _names(Manager.PIP, rest, _HARMLESS_PIP)
        case ["npm", "install" | "i" | "add", *rest] if {"-g", "--global"} & set(rest):
            return Manager.NPM, _names(Manager.NPM, rest, _HARMLESS_NPM)
        case _:
            return None


def _of_apt(words: Sequence[str]) -> tuple[Manager, list[str]] | None:
    verbs = [word for word in words if not word.startswith("-")]
    match verbs:
        case ["update" | "clean" | "autoclean" | "autoremove"]:
            return Manager.APT, []
        case ["install", *_]:
            rest = [word for word in words if word != "install"]
            return Manager.APT, _names(Manager.APT, rest, _HARMLESS)
        case _:
            return None


def _names(manager: Manager, words: Sequence[str], harmless: frozenset[str]) -> list[str]:
    refused = [word for word in words if word.startswith("-") and word not in harmless]
    if refused:
        raise InvalidInput(
            f"the option {refused[0]!r} of {manager} is not taken; name the packages"
        )
    return _checked(manager, [word for word in words if not word.startswith("-")])
