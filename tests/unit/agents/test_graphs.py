"""Graphs of the operator: what is refused, and what a node may do."""

import itertools
from pathlib import Path
from typing import Any

import pytest
from contract.runner_rigs import RunnerStage, RunnerTape
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command, interrupt
from pydantic import BaseModel
from typing_extensions import TypedDict

from diono.agents.port import Receipt
from diono.agents.runner import Work
from diono.agents.runners.graphs import DionoChatModel, diono_tools
from diono.agents.runners.graphs.current import GraphRefused
from diono.agents.runners.graphs.drive import checked
from diono.agents.runners.langgraph import LangGraphRunner
from diono.agents.runners.trusted import ExtensionRefused, load_trusted, trusted_files
from diono.kernel.events import EventType
from diono.llm.port import ChatRequest


class State(TypedDict, total=False):
    prompt: str
    answer: str
    count: int


WORK = Work(task_id="tsk", project_id="prj", kind="build", prompt="Count")


def _graph(*nodes: Any, **options: Any) -> Any:
    builder = StateGraph(options.pop("state", State))
    for node in nodes:
        builder.add_node(node.__name__, node)
    names = [START, *(node.__name__ for node in nodes), END]
    for source, target in itertools.pairwise(names):
        builder.add_edge(source, target)
    return builder.compile(**options)


async def _run(
    root: Path, graph: Any, tape: RunnerTape | None = None, **work: Any
) -> tuple[Receipt, RunnerStage]:
    stage = RunnerStage(root, _answer, tape)
    runner = LangGraphRunner("langgraph:test", checked(graph, "test"))
    return await runner.start(WORK.model_copy(update=work), stage), stage


def _answer(request: ChatRequest) -> str:
    return '{"number": 7}' if request.json_schema else f"said: {request.messages[-1].content}"


def first(state: State) -> State:
    return {"count": state.get("count", 0) + 1}


def second(state: State) -> State:
    return {"answer": f"counted {state.get('count')}"}


def test_a_graph_with_a_checkpointer_is_refused() -> None:
    with pytest.raises(GraphRefused, match="checkpointer"):
        checked(_graph(first, checkpointer=InMemorySaver()), "test")
    with pytest.raises(GraphRefused, match="interrupts"):
        checked(_graph(first, interrupt_before=["first"]), "test")
    with pytest.raises(GraphRefused, match="no compiled StateGraph"):
        checked(None, "test")


def test_a_fork_is_refused_before_anything_runs() -> None:
    builder = StateGraph(State)
    builder.add_node("first", first)
    builder.add_node("second", second)
    builder.add_edge(START, "first")
    builder.add_edge(START, "second")
    with pytest.raises(GraphRefused, match="parallel branches"):
        checked(builder.compile(), "test")


async def test_nodes_sent_side_by_side_end_the_run(tmp_path: Path) -> None:
    def fork(_state: State) -> Command[Any]:
        return Command(goto=["first", "second"])

    builder = StateGraph(State)
    builder.add_node("fork", fork, destinations=("first", "second"))
    builder.add_node("first", first)
    builder.add_node("second", second)
    builder.add_edge(START, "fork")
    receipt, _ = await _run(tmp_path, builder.compile())
    assert (receipt.status, "sequential" in receipt.reason) == ("FAILED", True)


async def test_a_crash_goes_on_at_the_node_it_hit(tmp_path: Path) -> None:
    calls: list[str] = []

    def third(state: State) -> State:
        calls.append("third")
        return second(state)

    _, whole = await _run(tmp_path, _graph(first, third))
    receipt, again = await _run(
        tmp_path, _graph(first, third), RunnerTape(whole.steps.recorded[:1])
    )
    assert receipt.answer == "counted 1"
    assert calls == ["third", "third"]
    assert again.steps.actions_run == 1
    starts = [one.agent_role for one in again.drafts if one.event_type is EventType.AGENT_START]
    assert starts == ["first", "third"]


async def test_messages_keep_their_ids_on_a_replay(tmp_path: Path) -> None:
    async def speak(state: MessagesState) -> dict[str, Any]:
        reply = await DionoChatModel().ainvoke(state["messages"])
        return {"messages": [reply, AIMessage(content="and more")]}

    seen: list[list[str | None]] = []

    def look(state: MessagesState) -> dict[str, Any]:
        seen.append([message.id for message in state["messages"]])
        return {}

    graph = _graph(speak, look, state=MessagesState)
    receipt, whole = await _run(tmp_path, graph)
    assert receipt.answer == "and more"
    assert receipt.tokens_out == 5
    await _run(tmp_path, graph, RunnerTape(whole.steps.recorded[:1]))
    assert seen[0] == seen[1]


async def test_models_and_tools_work_in_threads_and_in_async_nodes(tmp_path: Path) -> None:
    tools = {tool.name: tool for tool in diono_tools()}

    def sync(_state: State) -> State:
        tools["write_file"].invoke({"path": "a.txt", "content": "seven"})
        return {"answer": str(DionoChatModel().invoke("hello").text)}

    async def later(state: State) -> State:
        listed = await tools["list_files"].ainvoke({})
        read = await tools["read_file"].ainvoke({"path": "a.txt"})
        await tools["check"].ainvoke({"name": "it is there", "command": "test -f a.txt"})
        return {"answer": f"{state.get('answer')} {listed} {read}"}

    receipt, stage = await _run(tmp_path, _graph(sync, later))
    assert receipt.status == "SUCCEEDED", receipt.reason
    assert receipt.answer == "said: hello a.txt seven"
    assert receipt.files == ("a.txt",)
    assert [check.name for check in receipt.checks] == ["it is there"]
    assert stage.saved == {"a.txt": b"seven"}
    assert stage.points[0][1] == receipt.commit != ""


async def test_a_failed_check_fails_the_task(tmp_path: Path) -> None:
    check = next(tool for tool in diono_tools() if tool.name == "check")

    async def prove(_state: State) -> State:
        await check.ainvoke({"name": "it holds", "command": "echo no; exit 3"})
        return {"answer": "done"}

    receipt, _ = await _run(tmp_path, _graph(prove))
    assert (receipt.status, "it holds" in receipt.reason) == ("FAILED", True)


async def test_a_schema_reaches_the_model_and_comes_back_typed(tmp_path: Path) -> None:
    class Found(BaseModel):
        number: int

    async def ask(_state: State) -> State:
        found = (
            await DionoChatModel()
            .with_structured_output(Found)
            .ainvoke([HumanMessage(content="a number")])
        )
        assert isinstance(found, Found)
        return {"answer": str(found.number)}

    receipt, _ = await _run(tmp_path, _graph(ask))
    assert receipt.answer == "7"


@pytest.mark.parametrize("case", ["router", "fault", "interrupt", "huge", "endless", "waits"])
async def test_what_cannot_be_done_ends_in_a_reason(tmp_path: Path, case: str) -> None:
    def node(state: State) -> State:
        if case == "fault":
            raise ZeroDivisionError("by zero")
        if case == "interrupt":
            interrupt("really?")
        return {"answer": "x" * (400_000 if case == "huge" else 1), **state}

    async def waits(_state: State) -> State:
        return {"answer": str(DionoChatModel().invoke("hello").text)}

    def router(_state: State) -> str:
        return str(DionoChatModel().invoke("where to?").text) if case == "router" else "node"

    builder = StateGraph(State)
    builder.add_node("node", waits if case == "waits" else node)
    builder.add_edge(START, "node")
    if case in {"router", "endless"}:
        builder.add_conditional_edges("node", router, ["node", END])
    receipt, _ = await _run(tmp_path, builder.compile(), options={"iterations": 5})
    expected = {
        "router": "inside nodes only",
        "fault": "ZeroDivisionError: by zero",
        "interrupt": "node failed",
        "huge": "256000 is the most",
        "endless": "Recursion limit of 5",
        "waits": "ainvoke",
    }
    assert receipt.status == "FAILED"
    assert expected[case] in receipt.reason


async def test_an_input_that_has_no_place_for_the_request_is_refused(tmp_path: Path) -> None:
    class Odd(TypedDict):
        weight: int

    def weigh(_state: Odd) -> Odd:
        return {"weight": 2}

    receipt, _ = await _run(tmp_path, _graph(weigh, state=Odd))
    assert "has the keys weight" in receipt.reason
    receipt, _ = await _run(tmp_path, _graph(weigh, state=Odd), options={"input": {"weight": 1}})
    assert receipt.answer == '{"weight": 2}'


async def test_a_chat_brings_its_past_and_is_remembered(tmp_path: Path) -> None:
    async def speak(state: MessagesState) -> dict[str, Any]:
        return {"messages": [AIMessage(content=f"{len(state['messages'])} messages")]}

    receipt, stage = await _run(tmp_path, _graph(speak, state=MessagesState), kind="chat")
    assert receipt.answer == "1 messages"
    assert [one.content for one in stage.said] == ["Count", "1 messages"]


def test_a_program_that_others_may_write_is_not_loaded(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("graph = None\n")
    assert load_trusted(tmp_path, "mine").graph is None
    file.chmod(0o666)
    with pytest.raises(ExtensionRefused, match="go-w"):
        load_trusted(tmp_path, "mine")
    file.chmod(0o644)
    file.write_text("raise SystemExit(3)\n")
    with pytest.raises(ExtensionRefused, match="did not load"):
        load_trusted(tmp_path, "mine")
    (tmp_path / "Not-a-name.py").write_text("")
    assert set(trusted_files(tmp_path)) == {"mine"}
    with pytest.raises(ExtensionRefused, match="no program"):
        load_trusted(None, "mine")
