"""A graph describes itself as data that survives JSON."""

import dataclasses
import json
import operator
import typing
from typing import Annotated, Any

import pytest
from langgraph.channels.delta import DeltaChannel
from langgraph.func import entrypoint
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Command
from pydantic import BaseModel
from typing_extensions import TypedDict

from backends.graphs.drawing import Drawing, Edge
from backends.worker.drawing import draw


class State(TypedDict, total=False):
    plain: str
    log: Annotated[list[str], operator.add]
    delta: Annotated[list[Any], DeltaChannel(lambda state, writes: [*state, *writes])]


class Unknown:
    pass


class Old(typing.TypedDict):
    count: int
    model: "Model"
    unknown: Unknown


class Model(BaseModel):
    n: int


class Broken(TypedDict):
    missing: "NobodyHasThis"  # type: ignore[name-defined]  # noqa: F821


def nothing(state: Any) -> dict[str, Any]:
    return {}


def drawn(builder: StateGraph[Any], **options: Any) -> Drawing:
    made = draw(builder.compile(**options), "name")
    assert Drawing.from_json(json.loads(json.dumps(dataclasses.asdict(made)))) == made
    return made


@pytest.fixture
def builder() -> StateGraph[Any]:
    inner = StateGraph(State)
    inner.add_node("deep", nothing)
    inner.add_edge(START, "deep")
    built = StateGraph(State)
    built.add_node("a", nothing)
    built.add_node("b", nothing)
    built.add_node("inner", inner.compile())
    built.add_node("route", nothing)
    built.add_node("goes", lambda state: Command(goto="last"), destinations=("last",))
    built.add_node("last", nothing, defer=True)
    built.add_edge(START, "a")
    built.add_edge("a", "b")
    built.add_edge("a", "inner")
    built.add_edge(["b", "inner"], "route")
    built.add_conditional_edges("route", lambda state: "yes", {"yes": "goes", "no": END})
    built.add_edge("last", END)
    return built


def test_nodes_edges_and_subgraphs(builder: StateGraph[Any]):
    drawing = drawn(builder)
    nodes = {node.name: node for node in drawing.nodes}
    assert list(nodes) == ["__start__", "a", "b", "inner", "route", "goes", "last", "__end__"]
    assert [node.name for node in nodes["inner"].subgraph.nodes] == ["__start__", "deep", "__end__"]
    assert [node.name for node in drawing.nodes if node.deferred] == ["last"]
    assert {Edge("a", "b"), Edge("a", "inner"), Edge("b", "route"), Edge("goes", "last", True)} <= set(drawing.edges)
    assert Edge("route", "goes", True, "yes") in drawing.edges
    assert not drawing.functional


def test_channels_say_how_they_take_writes(builder: StateGraph[Any]):
    assert drawn(builder).channels == {"plain": "last", "log": "reducer", "delta": "delta"}


def test_the_consequence_of_each_node(builder: StateGraph[Any]):
    after = drawn(builder).next_after
    assert set(after["a"]) == {"b", "inner"}
    assert after["last"] == ("__end__",)
    assert [name for name, to in after.items() if to is None] == ["b", "inner", "route", "goes"]


@pytest.mark.parametrize(("given", "told"), [(["a"], ("a",)), ("*", ("*",)), (None, ())])
def test_breakpoints(builder: StateGraph[Any], given: Any, told: tuple[str, ...]):
    drawing = drawn(builder, interrupt_before=given, interrupt_after=given)
    assert (drawing.interrupt_before, drawing.interrupt_after) == (told, told)


def simple(schema: Any) -> Drawing:
    built = StateGraph(schema)
    built.add_node("node", nothing)
    built.add_edge(START, "node")
    return drawn(built)


def test_schemas():
    found = simple(MessagesState).input_schema
    assert found is not None
    assert "messages" in found["properties"]


def test_a_type_that_has_no_schema_leaves_the_others_theirs():
    found = simple(Old).input_schema
    assert found is not None
    assert found["properties"]["count"] == {"type": "integer"}
    assert found["properties"]["unknown"] == {}
    assert found["properties"]["model"]["properties"]["n"]["type"] == "integer"
    assert found["required"] == ["count", "model", "unknown"]


def test_a_functional_graph():
    @entrypoint()
    def run(number: int) -> str:
        return str(number)

    drawing = draw(run, "name")
    assert drawing.functional
    assert "run" in [node.name for node in drawing.nodes]
    assert drawing.next_after == {}
    assert drawing.input_schema is not None
    assert drawing.input_schema["type"] == "integer"


def test_a_graph_that_cannot_draw_itself_still_has_nodes(builder: StateGraph[Any], monkeypatch: pytest.MonkeyPatch):
    graph = builder.compile()

    def raising(*_: Any, **__: Any) -> Any:
        raise RuntimeError("no drawing")

    monkeypatch.setattr(type(graph), "get_graph", raising)
    drawing = draw(graph, "name")
    assert [node.name for node in drawing.nodes] == ["a", "b", "inner", "route", "goes", "last"]
    assert drawing.edges == ()
