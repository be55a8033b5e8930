"""The runner ``codeact``: one turn of a chat in a project, proven where something was changed."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from diono.agents.blueprints import BlueprintCatalog
from diono.agents.changing.runner import ChangeRunner
from diono.agents.codeact.dialogue import Dialogue
from diono.agents.codeact.hands import Hands
from diono.agents.codeact.memory import Spent, memory_after, message_of, recalled, said_after
from diono.agents.codeact.options import ChatOptions
from diono.agents.codeact.protocols import Acting
from diono.agents.codeact.proving import Proving, failures_told
from diono.agents.codeact.turn import REPAIR_ITERATIONS, End, Turn, answer_or_reason
from diono.agents.codeact.typed_change import change_asked, make_change
from diono.agents.port import Check, JsonObject, Memory, Receipt, Stage
from diono.agents.runner import Work
from diono.agents.running import BaseRunner
from diono.agents.tools import guard
from diono.agents.tools.documents import document_tools, shelf_of
from diono.agents.tools.folder import read_folder
from diono.agents.tools.mcp_offers import offered_by
from diono.agents.tools.mcp_tools import McpServer, tools_of
from diono.agents.tools.port import RESULT_CHARACTERS, Tool, ToolRefused
from diono.agents.tools.python_tools import PythonTool
from diono.agents.tools.registry import Toolbox, built_in
from diono.agents.tools.text import data_block, one_line
from diono.agents.tools.web import SearchProvider
from diono.kernel.errors import DionoError, InvalidInput
from diono.kernel.events import EventType

SMALL_PROMPT_TOKENS = 3000
_REPAIR = (
    "Your changes broke checks that were green before. Mend the program, not the checks; then "
    "say what you did.\n{told}"
)


class CodeActRunner(BaseRunner):
    name = "codeact"

    def __init__(
        self,
        tools_folder: Path | None = None,
        catalog: BlueprintCatalog | None = None,
        search: SearchProvider | None = None,
    ) -> None:
        """``catalog`` knows how built apps are proven; without it only their tests are run."""
        super().__init__()
        self._tools_folder = tools_folder
        self.catalog = catalog
        self._search = search
        self._servers: tuple[McpServer, ...] = ()

    async def work(self, work: Work, stage: Stage) -> Receipt:
        try:
            options = ChatOptions.of(work.options)
        except ValidationError as error:
            first = error.errors()[0]
            raise InvalidInput(f"The option {first['loc']} is wrong: {first['msg']}.") from error
        try:
            return await _Chat(self, work, stage, options).run()
        finally:
            for server in self._servers:
                server.close()

    async def toolbox(self, stage: Stage) -> tuple[Toolbox, tuple[str, ...]]:
        """Return all tools of the run, and what is wrong in the tools folder."""
        content = await asyncio.to_thread(read_folder, self._tools_folder)
        self._servers = content.servers
        tools: list[Tool] = [*built_in(self._search), *await _over_documents(stage)]
        tools += [PythonTool(file, content.places) for file in content.python]
        problems = list(content.problems)
        for server in content.servers:
            offered, problem = await offered_by(stage, server, content.digest_of(server))
            tools += tools_of(server, offered)
            problems += [problem] if problem else []
        return Toolbox(tools), tuple(problems)


class _Chat:
    """One turn with its surroundings: memory before and after, proof, receipt."""

    def __init__(
        self, runner: CodeActRunner, work: Work, stage: Stage, options: ChatOptions
    ) -> None:
        self._runner = runner
        self._work = work
        self._stage = stage
        self._options = options
        self._proving = Proving(stage, runner.catalog, options.is_proven, "CodeAct")
        self._checks: list[Check] = []
        self._unproven: list[str] = []
        self._is_rolled_back = False

    async def run(self) -> Receipt:
        stage, work, options = self._stage, self._work, self._options
        toolbox, problems = await self._runner.toolbox(stage)
        hands = Hands(work, stage, toolbox, options, self._proving)
        await hands.say(EventType.AGENT_START, title="Chat")
        for problem in problems:
            await hands.say(EventType.LOG, text=f"A tool was left out. {problem}", level="warning")
        known = await recalled(stage)
        busy = known.memory.model_copy(update={"phase": "working"})
        await stage.remember([message_of("user", work.prompt)], busy)
        turn, dialogue = self._turn(toolbox, hands)
        dialogue.remember(known.said)
        dialogue.files = known.files
        changer = (
            await change_asked(work, stage, self._runner.catalog) if options.is_proven else None
        )
        if changer is not None:
            return await self._changed(changer, turn, known.memory, hands)
        try:
            end = await turn.think(options.max_iterations)
            end = await self._proven(end, turn, hands)
        except DionoError as error:
            await self._break_off(error.detail, turn, known.memory, hands)
            raise
        answer = answer_or_reason(end, hands.deeds.summaries)
        await self._answer(answer, end, turn, known.memory, hands)
        return self._receipt(end, answer, hands, turn)

    async def _changed(
        self, changer: ChangeRunner, turn: Turn, before: Memory, hands: Hands
    ) -> Receipt:
        """The message asks for a change of the built app: make it the way that proves it."""
        try:
            receipt = await make_change(
                changer, self._work, self._stage, self._options, self._runner.watch
            )
        except DionoError as error:
            await self._break_off(error.detail, turn, before, hands)
            raise
        end = End(answer=receipt.answer, reason=receipt.reason)
        await self._answer(receipt.answer, end, turn, before, hands)
        return receipt

    async def _answer(
        self, answer: str, end: End, turn: Turn, before: Memory, hands: Hands
    ) -> None:
        await self._remember(answer, end, turn, before, hands)
        await hands.say(EventType.MESSAGE, text=answer, is_answer=True)
        await hands.say(EventType.AGENT_COMPLETE, title="Chat", iterations=turn.iterations)

    def _turn(self, toolbox: Toolbox, hands: Hands) -> tuple[Turn, Dialogue]:
        fit = self._stage.fit
        acting = Acting(fit, toolbox.tools, lambda name: _has(toolbox, name))
        budget = fit.prompt_budget
        if fit.protocol == "fenced" or fit.is_weak:
            budget = min(budget, SMALL_PROMPT_TOKENS)
        hands.limit_characters = max(800, min(RESULT_CHARACTERS, budget))
        dialogue = Dialogue(
            system=acting.system(),
            request=self._work.prompt,
            files="",
            budget_tokens=budget,
            specs=acting.specs(),
            token_ratio=fit.token_ratio,
        )
        return Turn(self._stage, acting, dialogue, hands, self._options), dialogue

    async def _proven(self, end: End, turn: Turn, hands: Hands) -> End:
        """Hold the changes against the checks that were green: mend once, else take back."""
        if not self._proving.has_changed:
            return end
        self._checks, red = await self._proving.check("check the changes")
        if not red:
            return self._with_notes(end)
        told = data_block("checks", failures_told(red), 2000)
        await hands.say(
            EventType.LOG, text=f"{len(red)} checks turned red; mending.", level="warning"
        )
        turn.tell(end.answer or end.reason, _REPAIR.format(told=told))
        mended = await turn.think(REPAIR_ITERATIONS)
        self._checks, still_red = await self._proving.check("check the mended changes")
        if not still_red:
            return self._with_notes(mended if mended.answer else end)
        names = ", ".join(one.name for one in still_red[:3])
        await self._proving.take_back(one_line(f"red: {names}", 120))
        self._is_rolled_back = True
        self._checks, _ = await self._proving.check("check the files taken back")
        hands.deeds.files.clear()
        reason = (
            f"The changes broke checks that were green ({one_line(names, 200)}), also after one "
            "repair, so they were taken back; the files are as they were."
        )
        return End(reason=reason)

    def _with_notes(self, end: End) -> End:
        """Say what the checks do not prove."""
        green = {one.name for one in self._proving.before if one.passed}
        if not self._checks:
            self._unproven.append("The project has no checks, so the changes are not proven.")
        elif not any(one.passed and one.name not in green for one in self._checks):
            self._unproven.append(
                "No new check shows what was asked for; what worked before still works."
            )
        failing = [one.name for one in self._checks if one.passed is False]
        if failing:
            names = one_line(", ".join(failing), 300)
            self._unproven.append(f"Failing, as before or as new checks: {names}.")
        return end

    async def _break_off(self, why: str, turn: Turn, before: Memory, hands: Hands) -> None:
        """Leave the last green state and a memory of it, as far as that can still be done."""
        answer = f"I stopped: {why}"
        # TimeoutError: what cleans up after a cancel has little time.
        with suppress(DionoError, TimeoutError):
            if self._proving.was_green:
                await self._proving.take_back("the turn was broken off")
                answer += (
                    " The changes of this turn were not checked any more: they were taken back."
                )
        with suppress(DionoError, TimeoutError):
            await self._remember(answer, End(reason=why), turn, before, hands)

    async def _remember(
        self, answer: str, end: End, turn: Turn, before: Memory, hands: Hands
    ) -> None:
        deeds, watch = hands.deeds, self._runner.watch
        spent = Spent(watch.tokens_in, watch.tokens_out)
        memory = memory_after(before, end, turn.thoughts, deeds, spent)
        await self._stage.remember(said_after(deeds, answer), memory)

        async def action() -> JsonObject:
            if deeds.count:
                await guard.forget(await self._stage.sandbox())
            return {}

        # Marks that stay do no harm: each is of its own task.
        with suppress(TimeoutError):
            await self._stage.steps.run("clean up marks", action)

    def _receipt(self, end: End, answer: str, hands: Hands, turn: Turn) -> Receipt:
        failed = any(one.is_required and not one.passed for one in self._checks)
        status = "FAILED" if end.reason or failed else "SUCCEEDED"
        receipt = self._runner.receipt(status, end.reason)
        return receipt.model_copy(
            update={
                "answer": answer,
                "files": tuple(sorted(hands.deeds.files)),
                "checks": tuple(self._checks),
                "unproven": tuple(self._unproven),
                "attempts": turn.iterations,
                "commit": self._proving.head,
                "preview_port": hands.deeds.preview_port,
                "details": {
                    "errors": hands.deeds.errors,
                    "actions": hands.deeds.count,
                    "is_rolled_back": self._is_rolled_back,
                },
            }
        )


async def _over_documents(stage: Stage) -> Sequence[Tool]:
    """Return the tools over documents where there are any; on replay the same ones."""
    shelf = shelf_of(stage)
    if shelf is None:
        return ()

    async def action() -> JsonObject:
        return {"count": await shelf.count()}

    has_any = bool((await stage.steps.run("look for documents", action))["count"])
    return document_tools(shelf, is_weak=stage.fit.is_weak) if has_any else ()


def _has(toolbox: Toolbox, name: str) -> bool:
    if not name:
        return False
    try:
        toolbox.find(name)
    except ToolRefused:
        return False
    return True
