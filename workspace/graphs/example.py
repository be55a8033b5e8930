"""An example graph: write a small Python program, prove that it runs, mend it if it does not.

Try it: DIONO_GRAPHS_DIR=workspace/graphs ./diono up, then make a task with the runner
`langgraph:example`. Each node is recorded: after a crash the run goes on at the node it was in.
"""

import re
from typing import TypedDict

from langchain_core.messages import HumanMessage
from langgraph.graph import END, START, StateGraph

from diono.agents.runners.graphs import DionoChatModel, diono_tools

MOST_TRIES = 3
TOOLS = {tool.name: tool for tool in diono_tools()}


class State(TypedDict, total=False):
    prompt: str
    tries: int
    verdict: str
    answer: str


async def write(state: State) -> State:
    """Ask for the program; a fresh try is told what went wrong, not shown its old code."""
    request = f"Write a Python program, one fenced code block: {state['prompt']}"
    if state.get("verdict"):
        request += f"\nAn earlier try failed: {state['verdict'][-400:]}"
    model = DionoChatModel(max_tokens=800, temperature=0.8 if state.get("tries") else 0.0)
    reply = await model.ainvoke([HumanMessage(content=request)])
    fenced = re.search(r"```\w*\n(.*?)```", str(reply.text), re.S)
    code = fenced.group(1) if fenced else str(reply.text)
    await TOOLS["write_file"].ainvoke({"path": "program.py", "content": code})
    return {"tries": state.get("tries", 0) + 1}


def prove(_state: State) -> State:
    """Run the program. A plain function works as well: it runs in a thread of its own."""
    check = {"name": "the program runs", "command": "python3 program.py </dev/null"}
    return {"verdict": TOOLS["check"].invoke(check)}


def report(state: State) -> State:
    return {"answer": f"program.py after {state['tries']} tries: {state['verdict']}"}


def after_proof(state: State) -> str:
    """Routers see the state only: what they did is not recorded, so they must not ask or act."""
    is_over = state["verdict"].startswith("passed") or state["tries"] >= MOST_TRIES
    return "report" if is_over else "write"


builder = StateGraph(State)
builder.add_node("write", write)
builder.add_node("prove", prove)
builder.add_node("report", report)
builder.add_edge(START, "write")
builder.add_edge("write", "prove")
builder.add_conditional_edges("prove", after_proof, ["write", "report"])
builder.add_edge("report", END)
graph = builder.compile()
