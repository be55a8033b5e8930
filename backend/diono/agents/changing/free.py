"""A change that is no operation on the spec: a failing test first, then the file, then proof."""

import re
from collections.abc import Mapping

from diono.agents import schemas
from diono.agents.asking import ask, ask_json
from diono.agents.blueprints import BlueprintCatalog
from diono.agents.changing.app import App, prove_saved
from diono.agents.changing.change import Change
from diono.agents.errors import Cancelled
from diono.agents.meter import Run
from diono.agents.parsing import code_of, fingerprint
from diono.agents.port import Check, JsonObject
from diono.agents.product_manager import request_of
from diono.agents.prompting import messages
from diono.agents.saved_proof import SavedProof, turned_red
from diono.agents.shapes import dict_of
from diono.agents.tools.patching import applied, syntax_error
from diono.agents.workspace import execute
from diono.kernel.errors import DionoError
from diono.kernel.events import EventType
from diono.llm.port import ChatRequest
from diono.sandbox.errors import FileMissing

MOST_FILE_BYTES = 6_000
_READS_SOURCE = re.compile(r"\bopen\(|\bread_text\(|\bgetsource\(")
_TEXT = (".py", ".js", ".html", ".css")
_NOT_SOURCE = ("tests/", ".diono/")
_ANSWER_TOKENS = 1500
_TEST_TOKENS = 400
_COLLECTED_AND_FAILED = 1
_REPEATS_ALLOWED = 2


class FreeChange:
    """Nothing is touched before there is a test that fails on the app as it is."""

    def __init__(
        self, run: Run, catalog: BlueprintCatalog, request: str, app: App, saved: SavedProof
    ) -> None:
        self._run = run
        self._catalog = catalog
        self._request = request_of(request)
        self._app = app
        self._saved = saved
        self.change = Change(run, catalog, request, app, saved)
        number = sum(path.startswith("tests/test_change_") for path in app.files) + 1
        self.test_path = f"tests/test_change_{number}.py"

    async def make(self) -> str:
        """Make the change. Returns why nothing is changed, or an empty text."""
        files = await self._read_sources()
        path = await self._choose(files)
        if not path:
            return "no file of the app is small enough to be changed as a whole"
        test = await self._failing_test(path, files[path])
        if not test:
            return (
                "no test could be written that fails now and would pass once it is done; say "
                "more precisely what should be different, or use a stronger model"
            )
        before = await prove_saved(
            self._run, self._catalog, "checks before the change", self._saved
        )
        try:
            return await self._tries(path, files[path], test, before)
        except Cancelled:
            if self.change.is_touched:
                await self.change.restore("the task was cancelled")
            raise
        except DionoError as error:
            if self.change.is_touched:
                await self.change.take_back(error.detail)
            raise

    async def _read_sources(self) -> dict[str, str]:
        paths = [
            path
            for path in self._app.files
            if path.endswith(_TEXT) and not path.startswith(_NOT_SOURCE)
        ]

        async def action() -> JsonObject:
            sandbox = await self._run.stage.sandbox()
            found: dict[str, str] = {}
            for path in paths[:40]:
                try:
                    content = await sandbox.read_file(path, MOST_FILE_BYTES)
                    found[path] = content.decode()
                except (FileMissing, DionoError, UnicodeDecodeError):
                    continue
            return {"files": found}

        return dict((await self._run.step("read the sources", action))["files"])

    async def _choose(self, files: Mapping[str, str]) -> str:
        names = tuple(path for path in files if files[path].strip())
        if len(names) <= 1:
            return names[0] if names else ""
        listed = "\n".join(f"- {path}" for path in names)
        chat = messages("change_choice", request=self._request, files=listed)
        raw = await ask_json(self._run, "choose the file", chat, schemas.file_of(names), 60)
        answered = str(dict_of(raw).get("path", ""))
        return answered if answered in names else names[0]

    # --- the test ---

    async def _failing_test(self, path: str, content: str) -> str:
        hint = ""
        for attempt in range(1, self._run.stage.fit.tries + 1):
            about = f"The file `{path}` of the app:\n```\n{content}\n```"
            chat = messages("change_test", about=about, request=self._request, hint=hint)
            request = ChatRequest(
                messages=chat, max_tokens=_TEST_TOKENS, temperature=_warmth(attempt), seed=attempt
            )
            answer = await ask(self._run, f"write a test.{attempt}", request, self.test_path)
            if answer.problem:
                return ""
            test = code_of(answer.text, "python")
            problem = syntax_error(test) or await self._judged(test, path, attempt)
            if not problem:
                return test
            hint = f"An earlier test was useless: {problem}."
        return ""

    async def _judged(self, test: str, path: str, attempt: int) -> str:
        """Say why a test is no evidence; empty if it runs and fails as it should."""
        if "assert" not in test and "raises" not in test:
            return "it asserts nothing"
        if path.endswith(".py") and _READS_SOURCE.search(test):
            return "it reads the source, where a comment would satisfy it; import and call it"
        code, output = await self._run_test(test, f"try the test.{attempt}")
        if code == 0:
            return "it passes without the change"
        if code != _COLLECTED_AND_FAILED:
            return f"it could not be run: {output[-200:]}"
        return ""

    async def _run_test(self, test: str, step: str) -> tuple[int, str]:
        async def action() -> JsonObject:
            sandbox = await self._run.stage.sandbox()
            path = ".diono/candidate_test.py"
            await sandbox.write_file(path, test.encode())
            options = ("-q", "-p", "no:cacheprovider", "--rootdir", ".", "--tb=line")
            done = await execute(
                sandbox, "env", "PYTHONPATH=.", "python3", "-m", "pytest", *options, path
            )
            await sandbox.remove(path)
            return {"code": done.exit_code, "output": (done.stdout or done.stderr)[-600:]}

        result = await self._run.step(step, action)
        code = result["code"]
        return (int(code) if code is not None else -1), str(result["output"])

    # --- the file ---

    async def _tries(self, path: str, old: str, test: str, before: list[Check]) -> str:
        hint, seen, repeats = "", set[str](), 0
        problem = "no usable answer came"
        for attempt in range(1, self._run.stage.fit.tries + 1):
            chat = messages(
                "change_file", request=self._request, path=path, content=old, test=test, hint=hint
            )
            request = ChatRequest(
                messages=chat, max_tokens=_ANSWER_TOKENS, temperature=_warmth(attempt), seed=attempt
            )
            answer = await ask(self._run, f"change {path}.{attempt}", request, path)
            if answer.problem:
                return answer.problem
            new, unusable = _new_version(old, answer.text, path, is_cut=answer.is_cut)
            if not unusable and fingerprint(new) in seen:
                # What was wrong with it is known, and stays the reason.
                repeats += 1
                if repeats > _REPEATS_ALLOWED:
                    break
                continue
            if not unusable:
                seen.add(fingerprint(new))
            problem = unusable or await self._hold(path, new, test, before, attempt)
            if not problem:
                return ""
            hint = f"An earlier attempt went wrong: {problem}. Avoid that."
        return problem

    async def _hold(self, path: str, new: str, test: str, before: list[Check], attempt: int) -> str:
        """Put a candidate in and prove it; take it back if it does not hold."""
        change = self.change
        change.is_touched = True
        await change.workspace.write(
            f"{self._request[:60]} ({attempt})",
            {path: new.encode(), self.test_path: test.encode()},
        )
        await change.workspace.serve(restart=True)
        code, output = await self._run_test(test, f"test candidate {attempt}")
        shown = Check(
            name="the change's own test",
            kind="unit",
            passed=code == 0,
            detail="failed before, passes now" if code == 0 else output[-200:],
        )
        after: list[Check] = []
        problem = f"the test still fails: {' '.join(output.split())[-200:]}" if code else ""
        if not problem:
            after = await prove_saved(
                self._run, self._catalog, f"checks of candidate {attempt}", self._saved
            )
            red = turned_red(before, after)
            problem = f"{red[0].name} passed before and fails now: {red[0].detail}" if red else ""
        change.checks = [shown, *after]
        for check in change.checks:
            await self._run.say(EventType.CHECK, **check.model_dump())
        if problem:
            await change.take_back(problem)
            change.is_touched = False
        else:
            change.head = change.workspace.head
        return problem


def _warmth(attempt: int) -> float:
    return 0.0 if attempt == 1 else min(0.6 + 0.1 * attempt, 1.0)


def _new_version(old: str, answer: str, path: str, is_cut: bool) -> tuple[str, str]:
    """Return (new content, why it is unusable)."""
    if is_cut:
        return "", "the answer was cut"
    try:
        return applied(old, answer if "<<<<" in answer else code_of(answer), path), ""
    except DionoError as error:
        return "", error.detail
