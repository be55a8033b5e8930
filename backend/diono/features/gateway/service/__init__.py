"""Models and agents behind OpenAI's chat completions."""

import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing

from diono.features.accounts.access import Identity
from diono.features.gateway.errors import NotSupported, TooManyAnswers
from diono.features.gateway.schemas import ChatCompletionRequest, OpenAIModel, OpenAIModelList
from diono.features.gateway.service.agents import AGENTS, Agents, read_talk
from diono.features.gateway.service.pieces import AnswerFailed, Form, Piece
from diono.features.gateway.service.raw import chat_request, raw_answer
from diono.features.models.service import ModelFits
from diono.features.tasks.service import Runs
from diono.kernel.errors import NotFound
from diono.kernel.ids import new_id
from diono.llm.catalog import Asker, ModelCatalog

__all__ = ["Agents", "AnswerFailed", "Form", "Gateway", "Piece"]

AGENT = "diono/"
ANSWERS_AT_ONCE = 8


class ModelUnknown(NotFound):
    code = "model_not_found"


class Gateway:
    def __init__(self, catalog: ModelCatalog, fits: ModelFits, agents: Agents) -> None:
        self._catalog = catalog
        self._fits = fits
        self._agents = agents
        self._answering: Counter[str] = Counter()

    async def models(self, caller: Identity, project: str = "") -> OpenAIModelList:
        """List the agents, then every model that the caller may use."""
        agents = [OpenAIModel(id=f"{AGENT}{name}", owned_by="diono") for name in AGENTS]
        models = [
            OpenAIModel(id=info.name, owned_by=info.provider)
            for info in await self._catalog.list(_asker(caller, project))
            if info.is_available
        ]
        return OpenAIModelList(data=[*agents, *models])

    async def model(self, name: str, caller: Identity, project: str = "") -> OpenAIModel:
        """Raises ModelUnknown."""
        found = [one for one in (await self.models(caller, project)).data if one.id == name]
        if not found:
            raise ModelUnknown(f"There is no model {name[:100]!r}. GET /v1/models lists them.")
        return found[0]

    async def begin(
        self, caller: Identity, wanted: ChatCompletionRequest, project: str, runs: Runs
    ) -> tuple[Form, AsyncGenerator[Piece]]:
        """Start an answer. What is wrong with the request is raised here, before a stream begins:
        NotSupported, ScopeMissing, TooManyAnswers, ModelNotFound, and what creating a task
        raises."""
        if (wanted.n or 1) != 1:
            raise NotSupported("One answer at a time: leave `n` out.")
        owner_id = caller.account.user_id
        if self._answering[owner_id] >= ANSWERS_AT_ONCE:
            raise TooManyAnswers(
                f"You have {ANSWERS_AT_ONCE} answers under way, the most at once. Wait for one."
            )
        form = Form(
            answer_id=new_id("chatcmpl").replace("_", "-"),
            model=wanted.model,
            created=int(time.time()),
            has_usage=wanted.stream_options is not None and wanted.stream_options.include_usage,
        )
        if wanted.model.startswith(AGENT):
            pieces = await self._by_agent(caller, wanted, project, runs)
        else:
            caller.need("chat")
            model = await self._catalog.bind(wanted.model, _asker(caller, project))
            fit = await self._fits.of(model, may_measure=False)
            if not fit.is_assumed:
                model.keep_to(fit)
            pieces = raw_answer(model, chat_request(wanted, model.fit.window))
        # What goes wrong before the first piece is an HTTP error, also where a stream was wanted.
        counted = self._counted(owner_id, pieces)
        return form, _again(await anext(counted), counted)

    async def _by_agent(
        self, caller: Identity, wanted: ChatCompletionRequest, project: str, runs: Runs
    ) -> AsyncGenerator[Piece]:
        runner, _, model = wanted.model.removeprefix(AGENT).partition("@")
        if runner not in AGENTS and not runner.startswith(("langgraph:", "custom:")):
            raise ModelUnknown(
                f"There is no agent {runner[:80]!r}. Known: "
                f"{', '.join(AGENT + name for name in AGENTS)}, each also with @provider/model."
            )
        caller.need("tasks" if runner in {"team", "solve"} else "chat")
        talk = read_talk(caller, wanted, runner, model or None, project)
        task, since = await self._agents.begin(talk, runs)
        return self._agents.follow(caller.account.user_id, task, since)

    async def _counted(self, owner_id: str, pieces: AsyncGenerator[Piece]) -> AsyncGenerator[Piece]:
        self._answering[owner_id] += 1
        try:
            async with aclosing(pieces):
                async for piece in pieces:
                    yield piece
        finally:
            self._answering[owner_id] -= 1


async def _again(first: Piece, rest: AsyncGenerator[Piece]) -> AsyncGenerator[Piece]:
    async with aclosing(rest):
        yield first
        async for piece in rest:
            yield piece


def _asker(caller: Identity, project: str) -> Asker:
    return Asker(caller.account.user_id, caller.in_project(project or None))
