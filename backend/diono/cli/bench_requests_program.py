"""What a stranger can do with a built program: read its README and help, run it, call it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from diono.agents.blueprints import BlueprintCatalog
from diono.agents.shapes import dict_of, list_of
from diono.agents.workspace import execute, run_tool
from diono.kernel.errors import DionoError
from diono.sandbox.port import Sandbox, ServiceSpec

_MOST_WAYS = 40
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_SERVICE = "stranger"


@dataclass(frozen=True)
class Command:
    """``name`` is empty where the program has only one. Positional arguments by name, with their
    choices; ``options`` say whether they take a value."""

    name: str
    positional: tuple[tuple[str, tuple[str, ...]], ...] = ()
    options: Mapping[str, bool] = field(default_factory=dict[str, bool])


@dataclass(frozen=True)
class Way:
    """One way to call a command: ``None`` stands for the values, in their order."""

    command: Command
    words: tuple[str | None, ...]

    def argv(self, values: Sequence[str]) -> list[str]:
        rest = iter(values)
        words = [next(rest) if one is None else one for one in self.words]
        return [self.command.name, *words] if self.command.name else words


class Program:
    """A built program in its sandbox, seen from outside."""

    def __init__(self, sandbox: Sandbox, catalog: BlueprintCatalog) -> None:
        self.sandbox = sandbox
        self._catalog = catalog
        self._file = ""
        self._outputs: dict[tuple[str, ...], str | None] = {}

    async def read(self, path: str) -> str:
        """Return a file's text; empty if there is none."""
        try:
            return (await self.sandbox.read_file(path, 200_000)).decode(errors="replace")
        except DionoError:
            return ""

    # --- command lines ---

    async def run(self, *arguments: str) -> str | None:
        """Return what the program prints; None if it fails."""
        if arguments not in self._outputs:
            if not self._file:
                found = re.search(r"python3 (\S+\.py)", await self.read("README.md"))
                self._file = found[1] if found else "main.py"
            argv = ("env", "COLUMNS=500", "python3", self._file, *arguments)
            done = await execute(self.sandbox, *argv, seconds=20)
            self._outputs[arguments] = done.stdout if done.is_success else None
        return self._outputs[arguments]

    async def again(self, *arguments: str) -> str | None:
        """Run it once more, where chance plays a part."""
        self._outputs.pop(arguments, None)
        return await self.run(*arguments)

    async def commands(self) -> list[Command]:
        """Return what the help lists."""
        text = await self.run("--help") or ""
        usage = text.partition("\n\n")[0]
        if not usage.endswith(" ..."):
            return [command_of("", text)] if text else []
        section = text.partition("positional arguments:")[2].partition("\n\n")[0]
        names = re.findall(r"^    ([a-z][\w-]*)(?:\s|$)", section, re.MULTILINE)
        if not names:
            choices = re.search(r"\{([^}]+)\}", usage)
            names = choices[1].split(",") if choices else []
        return [command_of(one, await self.run(one, "--help") or "") for one in names]

    async def ways(self, values: int, words: Sequence[str] = ()) -> list[Way]:
        """Return the ways to call a command with so many values; other arguments get one of their
        choices, or one of ``words`` where the help names none."""
        found: list[Way] = []
        for command in await self.commands():
            plain = [name for name, choices in command.positional if not choices]
            spare = len(plain) - values
            if spare < 0 or (spare and not words):
                continue
            taken = set(plain[:values])
            slots = [
                (None,) if name in taken else (choices or tuple(words))
                for name, choices in command.positional
            ]
            found += [Way(command, one) for one in list(product(*slots))[:_MOST_WAYS]]
        return found

    # --- services and pages ---

    async def start(self, port: int = 8080) -> str:
        """Start the service as its README says. Returns why it does not run."""
        found = re.search(r"^(python3 .*\b8080\b.*)$", await self.read("README.md"), re.MULTILINE)
        if found is None:
            return "the README does not say how to start it"
        for name in ("app", _SERVICE):
            try:
                await self.sandbox.stop_service(name)
            except DionoError:
                continue
        spec = ServiceSpec(
            name=_SERVICE, argv=tuple(found[1].split()), port=port, start_timeout_seconds=90
        )
        status = await self.sandbox.start_service(spec)
        return "" if status.is_healthy else f"it does not start: {status.log_tail[-200:]}"

    async def send(
        self, method: str, path: str, body: Any = None, port: int = 8080
    ) -> dict[str, Any]:
        """Return status, text and json of the answer; status 0 if there is none."""
        task = {
            "base": f"http://127.0.0.1:{port}",
            "requests": [{"method": method, "path": path, "body": body}],
        }
        try:
            answers = await run_tool(self.sandbox, self._catalog.tool("http_checks.py"), task)
        except ValueError as error:
            return {"status": 0, "text": str(error), "json": None}
        return dict_of(list_of(answers)[0])

    async def play(self, actions: Sequence[Mapping[str, Any]]) -> tuple[str, list[Any]]:
        """Act on a fresh page; return (what went wrong, what was read)."""
        dom = self._catalog.tool("dom.js")
        task: dict[str, Any] = {"dom": dom, "plays": [list(actions)], "changes": {}}
        try:
            found = await run_tool(self.sandbox, self._catalog.tool("page_checks.py"), task)
        except ValueError as error:
            return str(error), []
        play = dict_of(list_of(found)[0])
        return str(play.get("error", "")), list_of(play.get("reads"))


def command_of(name: str, text: str) -> Command:
    """Read a command's help."""
    usage = text.partition("\n\n")[0].partition("main.py")[2].strip().removeprefix(name)
    options: dict[str, bool] = {}
    for option, value in re.findall(r"\[--([\w-]+)(?: \| --no-[\w-]+| ([^\]|]+))?\]", usage):
        options[option] = bool(value)
    rest = re.sub(r"\[[^\]]*\]", " ", usage)
    positional: list[tuple[str, tuple[str, ...]]] = []
    for word in rest.split():
        if word.startswith("{"):
            positional.append((word, tuple(word.strip("{}").split(","))))
            continue
        line = re.search(rf"^  {re.escape(word)}\b.*\(one of: (.*?)\)", text, re.MULTILINE)
        positional.append((word, tuple(line[1].split(", ")) if line else ()))
    return Command(name, tuple(positional), options)


def numbers_in(text: str | None) -> list[float]:
    return [float(one) for one in _NUMBER.findall(text or "")]


def has_number(text: str | None, expected: float, tolerance: float) -> bool:
    return any(abs(one - expected) <= tolerance for one in numbers_in(text))


def has_word(text: str | None, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text or "") is not None


async def put(program: Program, name: str, text: str) -> str:
    """Write a file beside the program; return the name to give on the command line."""
    path = f"stranger/{name}"
    await program.sandbox.write_file(path, text.encode())
    return path
