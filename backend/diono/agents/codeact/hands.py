"""Taking one action: checked, allowed, done in a recorded step, kept as a commit, told."""

from dataclasses import dataclass, field

from diono.agents.codeact.dialogue import Observation
from diono.agents.codeact.options import ChatOptions
from diono.agents.codeact.proving import Proving
from diono.agents.codeact.reading import Action
from diono.agents.port import Decision, JsonObject, Question, Stage
from diono.agents.runner import Work
from diono.agents.shapes import dict_of, list_of
from diono.agents.tools import repository
from diono.agents.tools.ask import ASK_USER, question_of
from diono.agents.tools.port import Tool, ToolContext, ToolRefused
from diono.agents.tools.registry import Toolbox, call
from diono.agents.tools.risk import FILES_LIMIT
from diono.agents.tools.text import one_line
from diono.kernel.errors import DionoError
from diono.kernel.events import EventDraft, EventType

_SAVED_FILES = 20
_SAVED_BYTES = 200_000
_SHOWN_CHARACTERS = 300
_MANY = 1_000_000


@dataclass
class Deeds:
    """What a turn has done so far, for its memory and its receipt."""

    errors: int = 0
    count: int = 0
    files: dict[str, str] = field(default_factory=dict[str, str])
    summaries: list[str] = field(default_factory=list[str])
    service_pids: dict[str, int] = field(default_factory=dict[str, int])
    preview_port: int | None = None


class Hands:
    def __init__(
        self, work: Work, stage: Stage, toolbox: Toolbox, options: ChatOptions, proving: Proving
    ) -> None:
        self._work = work
        self._stage = stage
        self._toolbox = toolbox
        self._options = options
        self._proving = proving
        self.role = "CodeAct"
        self.limit_characters = 6000
        self.deeds = Deeds()

    async def say(self, event_type: EventType, **payload: object) -> None:
        draft = EventDraft(event_type=event_type, agent_role=self.role, payload=dict(payload))
        await self._stage.emit(draft)

    async def act(self, action: Action) -> Observation:
        """Do what the model asks for. What may not or cannot be done is an observation too."""
        deeds = self.deeds
        deeds.count += 1
        if action.problem:
            return await self._refused(action, action.problem)
        try:
            tool, arguments, risk = self._toolbox.check(action.tool, action.arguments)
        except ToolRefused as error:
            return await self._refused(action, error.detail)
        name = tool.facts.name
        if name == ASK_USER:
            return await self._ask(action, arguments)
        if self._options.approval == "always" and tool.facts.can_change:
            risk = risk or "you asked to see every change"
        if risk and self._options.approval != "never":
            decision = await self._allowed(name, arguments, risk)
            if not decision.is_approved:
                return await self._not_allowed(action, name, risk, decision)
        if tool.facts.can_change:
            await self._proving.begin()
        shown = shown_arguments(arguments)
        await self.say(EventType.TOOL_START, tool=name, call=deeds.count, arguments=shown)
        result = await self._done(tool, arguments, is_allowed=bool(risk))
        result = await self._with_deletions(name, result)
        return await self._told(action, name, shown, result)

    async def _done(self, tool: Tool, arguments: JsonObject, is_allowed: bool) -> JsonObject:
        stage, number = self._stage, self.deeds.count
        context = ToolContext(stage, f"{self._work.task_id}-{number}", self.limit_characters)
        watches = tool.facts.can_change
        deletions = FILES_LIMIT
        if is_allowed or self._options.approval == "never":
            deletions = _MANY
        title = commit_title(tool.facts.name, arguments)

        async def action() -> JsonObject:
            done = await call(tool, arguments, context)
            result = {"text": done.text, "is_error": done.is_error, "effects": done.effects}
            return {**result, **(await self._kept(title, deletions))} if watches else result

        return await stage.steps.run(f"{tool.facts.name} {number}", action)

    async def _kept(self, title: str, deletions: int, is_undeleting: bool = False) -> JsonObject:
        """Commit what changed, and keep its files for readers. Runs inside a step."""
        sandbox = await self._stage.sandbox()
        try:
            kept = await repository.keep(sandbox, title, deletions, is_undeleting)
            written = [one for one in kept.changes if one.action == "written"]
            for one in written[:_SAVED_FILES]:
                if one.size <= _SAVED_BYTES:
                    content = await sandbox.read_file(one.path, _SAVED_BYTES)
                    await self._stage.save_file(one.path, content)
        except DionoError as error:
            return {"unkept": error.detail}
        return {
            "commit": kept.commit,
            "changes": [one.model_dump() for one in kept.changes],
            "deleted": list(kept.deleted),
        }

    async def _with_deletions(self, name: str, result: JsonObject) -> JsonObject:
        """Many files are gone that nobody allowed to delete: the user decides, or they are
        brought back."""
        gone = [str(path) for path in list_of(result.get("deleted"))]
        if not gone:
            return result
        reason = f"it deleted {len(gone)} files"
        decision = await self._allowed(name, {"files": ", ".join(gone)}, reason)

        async def action() -> JsonObject:
            if decision.is_approved:
                return await self._kept(f"{name}: deleted {len(gone)} files", _MANY)
            return await self._kept(f"{name}: without its deletions", FILES_LIMIT, True)

        kept = await self._stage.steps.run(f"settle deletions {self.deeds.count}", action)
        if decision.is_approved:
            return {**result, **kept}
        text = f"{result['text']}\nThis deleted {len(gone)} files without leave; they are back."
        await self._warn(name, reason, "brought back")
        return {**result, **kept, "text": text, "is_error": True}

    async def _told(
        self, action: Action, name: str, shown: JsonObject, result: JsonObject
    ) -> Observation:
        deeds = self.deeds
        text, is_error = str(result["text"]), bool(result["is_error"])
        if result.get("unkept"):
            text += f"\nThe change could not be kept: {result['unkept']}"
            is_error = True
        deeds.errors += is_error
        summary = one_line(text, _SHOWN_CHARACTERS)
        await self.say(
            EventType.TOOL_COMPLETE,
            tool=name,
            call=deeds.count,
            ok=not is_error,
            seconds=result.get("step_seconds", 0.0),
            text=summary,
        )
        asked = one_line(" ".join(str(one) for one in shown.values()), 100)
        deeds.summaries.append(f"{name} {asked}: {'failed: ' if is_error else ''}{summary[:120]}")
        await self._announce(name, asked, result)
        return Observation(name, text, action.call_id)

    async def _announce(self, name: str, asked: str, result: JsonObject) -> None:
        """Tell of files and services, and keep a point to return to."""
        deeds = self.deeds
        commit = str(result.get("commit", ""))
        changes = [dict_of(one) for one in list_of(result.get("changes"))]
        for one in changes:
            deeds.files[str(one["path"])] = str(one["action"])
            await self.say(EventType.FILE, **one, commit=commit)
        service = dict_of(dict_of(result.get("effects")).get("service"))
        if service:
            deeds.service_pids[str(service["name"])] = int(service["pid"])
            if service.get("port"):
                deeds.preview_port = int(service["port"])
                await self.say(
                    EventType.PREVIEW,
                    port=service["port"],
                    title=service["name"],
                    state="running",
                    service=service["spec"],
                )
        if commit and changes:
            self._proving.head = commit
            await self._stage.checkpoint(one_line(f"{name} {asked}", 120), commit)

    async def _ask(self, action: Action, arguments: JsonObject) -> Observation:
        count = self.deeds.count
        await self.say(EventType.TOOL_START, tool=ASK_USER, call=count, arguments=arguments)
        question = question_of(arguments, f"question-{count}", self._options.approval_seconds)
        decision = await self._stage.decide(question)
        is_answered = not decision.is_expired and bool(decision.text or decision.is_approved)
        text = "The user gave no answer. Go on as well as you can, or say what is missing."
        if is_answered:
            text = f"The user answers: {decision.text or 'yes'}"
        await self.say(
            EventType.TOOL_COMPLETE,
            tool=ASK_USER,
            call=count,
            ok=is_answered,
            seconds=0.0,
            text=text,
        )
        self.deeds.summaries.append(f"{ASK_USER} {question.text[:100]}: {text[:120]}")
        return Observation("user", text, action.call_id)

    async def _allowed(self, name: str, arguments: JsonObject, risk: str) -> Decision:
        shown = shown_arguments(arguments)
        asked = one_line(" ".join(str(one) for one in shown.values()), 200)
        because = risk if risk.startswith(("it ", "its ", "you ")) else f"it {risk}"
        key = f"action-{self.deeds.count}"
        if risk.startswith("it deleted"):
            key += "-deletions"
        return await self._stage.decide(
            Question(
                key=key,
                kind="action",
                text=f"Allow {name}: {asked}? It waits for you, for {because}.",
                choices=("allow", "refuse"),
                details={"tool": name, "arguments": shown, "risk": risk},
                expires_seconds=self._options.approval_seconds,
            )
        )

    async def _not_allowed(
        self, action: Action, name: str, risk: str, decision: Decision
    ) -> Observation:
        why = "nobody allowed it in time" if decision.is_expired else "the user refused it"
        await self._warn(name, risk, why)
        said = f" The user says: {decision.text}" if decision.text else ""
        text = f"Not done: {why} ({risk}).{said} Do not try it another way."
        self.deeds.summaries.append(f"{name}: not done, {why}")
        await self.say(
            EventType.TOOL_COMPLETE,
            tool=name,
            call=self.deeds.count,
            ok=False,
            seconds=0.0,
            text=text,
        )
        return Observation(name, text, action.call_id)

    async def _refused(self, action: Action, detail: str) -> Observation:
        self.deeds.errors += 1
        name = one_line(action.tool or "unknown", 40)
        self.deeds.summaries.append(f"{name}: {detail[:120]}")
        await self.say(
            EventType.TOOL_COMPLETE,
            tool=name,
            call=self.deeds.count,
            ok=False,
            seconds=0.0,
            text=one_line(detail, _SHOWN_CHARACTERS),
        )
        return Observation(name, detail, action.call_id)

    async def _warn(self, name: str, risk: str, why: str) -> None:
        text = f"The action {name} was not carried out: {why} ({risk})."
        await self.say(EventType.LOG, text=text, level="warning", kind="action_refused", risk=risk)


def shown_arguments(arguments: JsonObject) -> JsonObject:
    """Return arguments short enough for an event."""
    return {
        key: value if isinstance(value, int | float) else one_line(str(value), _SHOWN_CHARACTERS)
        for key, value in arguments.items()
    }


def commit_title(name: str, arguments: JsonObject) -> str:
    told = next(
        (arguments[key] for key in ("path", "command", "name", "code") if key in arguments), ""
    )
    return one_line(f"{name} {told}", 72)
