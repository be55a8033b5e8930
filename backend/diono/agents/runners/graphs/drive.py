"""Runs a compiled graph so that a crash goes on at the node it hit.

Each node is one recorded step: its update of the state is kept, and given again on a replay
instead of running the node. Edges and routers run in between, on recorded state only.
"""

import asyncio
import base64
import copy
from collections import Counter
from typing import Any, cast

from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph import START
from langgraph.graph.state import CompiledStateGraph

from diono.agents.port import Check, JsonObject, Stage
from diono.agents.runners.graphs.current import (
    GraphFailed,
    GraphRefused,
    NodeRun,
    role_of,
    running_node,
)
from diono.kernel.errors import DionoError
from diono.kernel.events import EventDraft, EventType
from diono.kernel.ids import new_id

Graph = CompiledStateGraph[Any, Any, Any, Any]
UPDATE_BYTES = 256_000
_SERIALIZER = JsonPlusSerializer()


def checked(graph: object, name: str) -> Graph:
    """Return a graph that can be run durably. Raises GraphRefused."""
    if not isinstance(graph, CompiledStateGraph):
        raise GraphRefused(f"{name} has no compiled StateGraph named `graph`. See docs/runners.md.")
    loose: Any = cast("Any", graph)
    typed: Graph = loose
    if loose.checkpointer or loose.store is not None or loose.cache is not None:
        raise GraphRefused(
            f"The graph {name} has a checkpointer, store or cache of its own. Compile it without: "
            "Diono records every node, and two records would disagree after a crash."
        )
    if typed.interrupt_before_nodes or typed.interrupt_after_nodes:
        raise GraphRefused(f"The graph {name} has interrupts, which need a checkpointer.")
    _check_sequential(typed, name)
    return typed


def _check_sequential(graph: Graph, name: str) -> None:
    builder = graph.builder
    ways = Counter(source for source, _ in builder.edges)
    for source, branches in builder.branches.items():
        ways[source] += len(branches)
    forks = sorted(source for source, count in ways.items() if count > 1)
    if forks or builder.waiting_edges:
        raise GraphRefused(
            f"The graph {name} has parallel branches{' after ' + ', '.join(forks) if forks else ''}"
            ". Runs are sequential: chain the nodes, or do the parallel work within one node."
        )


class Drive:
    """One run of one graph."""

    def __init__(self, graph: Graph, stage: Stage) -> None:
        self._stage = stage
        self._graph = copy.copy(graph)
        self._graph.nodes = {
            name: node if name == START else node.copy({"bound": _Recorded(name, node.bound, self)})
            for name, node in graph.nodes.items()
        }
        self._last_superstep: object = None
        self._host_error: BaseException | None = None
        self.files: dict[str, JsonObject] = {}
        self.checks: dict[str, Check] = {}

    async def run(self, values: JsonObject, steps_limit: int) -> JsonObject:
        """Return the graph's output. Raises GraphFailed, GraphRefused, and what the host raises."""
        graph: Any = self._graph
        try:
            output = await graph.ainvoke(values, RunnableConfig(recursion_limit=steps_limit))
        except DionoError:
            raise
        except Exception as error:
            if error is self._host_error:
                raise
            raise GraphFailed(f"The graph failed: {_reason(error)}") from error
        return cast("JsonObject", output) if isinstance(output, dict) else {"output": output}

    async def node(self, name: str, bound: Runnable[Any, Any], state: Any, config: Any) -> Any:
        """Run a node's own part as a recorded step and return its update."""
        superstep = config.get("metadata", {}).get("langgraph_step")
        if superstep == self._last_superstep:
            raise GraphRefused(
                f"The node {name} was started beside another one. Runs are sequential: let a "
                "router name one next node, and send nothing side by side."
            )
        self._last_superstep = superstep
        await self._say(name, EventType.AGENT_START, title=name)

        async def action() -> JsonObject:
            return await _run_node(
                NodeRun(self._stage, name, asyncio.get_running_loop()), bound, state, config
            )

        try:
            result = await self._stage.steps.run(f"node {name}", action)
        except Exception as error:
            self._host_error = error
            raise
        await self._tell(name, result)
        return _unpacked(result)

    async def _tell(self, name: str, result: JsonObject) -> None:
        for file in result["files"]:
            self.files[file["path"]] = file
            await self._say(name, EventType.FILE, **file)
        for values in result["checks"]:
            self.checks[values["name"]] = Check.model_validate(values)
            await self._say(name, EventType.CHECK, **values)
        await self._say(name, EventType.AGENT_COMPLETE, title=name, seconds=result["step_seconds"])

    async def _say(self, node: str, event_type: EventType, **payload: Any) -> None:
        await self._stage.emit(
            EventDraft(event_type=event_type, agent_role=role_of(node), payload=payload)
        )


class _Recorded(Runnable[Any, Any]):
    """Stands in a graph for a node's own function."""

    def __init__(self, name: str, bound: Runnable[Any, Any], drive: Drive) -> None:
        self.name = name
        self._node = name
        self._bound = bound
        self._drive = drive

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002
        raise GraphRefused("A recorded graph runs asynchronously.")

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002
        return await self._drive.node(self._node, self._bound, input, config or {})


async def _run_node(run: NodeRun, bound: Runnable[Any, Any], state: Any, config: Any) -> JsonObject:
    token = running_node.set(run)
    try:
        update = _with_ids(await bound.ainvoke(state, config))
        kind, packed = _SERIALIZER.dumps_typed(update)
    except DionoError:
        raise
    except Exception as error:
        raise GraphFailed(f"The node {run.node} failed: {_reason(error)}") from error
    finally:
        run.is_over = True
        running_node.reset(token)
    if len(packed) > UPDATE_BYTES:
        raise GraphRefused(
            f"The node {run.node} returned {len(packed)} bytes; {UPDATE_BYTES} is the most. Keep "
            "large things in files of the project and pass their paths."
        )
    return {
        "kind": kind,
        "update": base64.b64encode(packed).decode(),
        "tokens_in": run.tokens_in,
        "tokens_out": run.tokens_out,
        "files": list(run.files.values()),
        "checks": [one.model_dump(mode="json") for one in run.checks],
    }


def _with_ids(update: Any) -> Any:
    # The graph gives messages without an id a random one when it takes them, which would differ
    # on a replay from what a later node noted of them.
    if isinstance(update, dict):
        for value in cast("dict[str, Any]", update).values():
            _with_ids(value)
    elif isinstance(update, list):
        for value in cast("list[Any]", update):
            _with_ids(value)
    elif isinstance(update, BaseMessage) and update.id is None:
        update.id = new_id("msg")
    return cast("Any", update)


def _unpacked(result: JsonObject) -> Any:
    return _SERIALIZER.loads_typed((result["kind"], base64.b64decode(result["update"])))


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:500]}"
