"""The graph that is tortured: a loop of parallel tasks and a subgraph, each of which notes what it really does.

Stands alone, as a user's file does. The notes are lines ``begin|end THREAD TASK NODE``, appended to the file that the
state names; ``pace`` is the seconds that a task takes, and ``gate`` a file that the gate's node waits for.
"""

import operator
import os
import time
from typing import Annotated, Any, TypedDict

from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from langgraph.types import Send

ROUNDS = 2
PARTS = 3


class State(TypedDict, total=False):
    notes: str
    pace: float
    gate: str
    round: int
    part: int
    log: Annotated[list[str], operator.add]


def note(state: State, config: RunnableConfig, what: str) -> None:
    """Write a line that no death can tear or take back."""
    task = config["metadata"]["langgraph_checkpoint_ns"].rsplit(":", 1)[-1]
    node, thread = config["metadata"]["langgraph_node"], config["configurable"]["thread_id"]
    descriptor = os.open(state["notes"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, f"{what} {thread} {task} {node}\n".encode())
    os.close(descriptor)


def work(state: State, config: RunnableConfig, share: float = 1.0) -> None:
    """Take some time."""
    note(state, config, "begin")
    time.sleep(state["pace"] * share)
    note(state, config, "end")


def plan(state: State, config: RunnableConfig) -> State:
    work(state, config)
    return {"round": state.get("round", 0) + 1, "log": [f"plan {state.get('round', 0) + 1}"]}


def spread(state: State) -> list[Send]:
    return [Send("part", {**state, "part": number}) for number in range(1, PARTS + 1)]


def part(state: State, config: RunnableConfig) -> State:
    work(state, config, share=state["part"] / 2)
    return {"log": [f"part {state['round']}.{state['part']}"]}


def first(state: State, config: RunnableConfig) -> State:
    work(state, config)
    return {"log": ["first"]}


def second(state: State, config: RunnableConfig) -> State:
    work(state, config)
    return {"log": [f"second after {len(state['log'])}"]}


def wait(state: State, config: RunnableConfig) -> State:
    """Wait until the gate's file is there; it says what to log."""
    note(state, config, "begin")
    while not os.path.exists(state["gate"]):
        time.sleep(0.01)
    note(state, config, "end")
    return {"log": ["through the gate"]}


def _check() -> Any:
    builder = StateGraph(State)
    builder.add_sequence([("first", first), ("second", second)])
    builder.add_edge(START, "first")
    return builder.compile()


def _check_node(inner: Any) -> Any:
    def check(state: State, config: RunnableConfig) -> State:
        """Only what the subgraph adds: its log begins with ours."""
        done = inner.invoke(state, config)
        return {"log": done["log"][len(state["log"]) :]}

    return check


def looping() -> StateGraph:
    """Plan, three parts at once, a check in a subgraph; twice."""
    builder = StateGraph(State)
    builder.add_node("plan", plan)
    builder.add_node("part", part)
    builder.add_node("check", _check_node(_check()))
    builder.add_edge(START, "plan")
    builder.add_conditional_edges("plan", spread, ["part"])
    builder.add_edge("part", "check")
    builder.add_conditional_edges("check", lambda state: "plan" if state["round"] < ROUNDS else END)
    return builder


def gated() -> StateGraph:
    """A node before the gate, the gate, a node after it."""
    builder = StateGraph(State)
    builder.add_sequence([("first", first), ("wait", wait), ("second", second)])
    builder.add_edge(START, "first")
    return builder


loop = looping()
gate = gated()
