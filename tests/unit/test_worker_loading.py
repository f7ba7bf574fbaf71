"""Every form of graph that ``langgraph dev`` takes, and what is said about those that it does not."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from backends.errors import Refused
from backends.runs.spec import GraphRef
from backends.worker.loading import attach, load_target, open_graph, prepare_path
from backends.worker.loop import Loop
from tests.child import project

SOURCE = """
import asyncio, functools
from contextlib import asynccontextmanager, contextmanager
from typing_extensions import TypedDict
from langchain_core.runnables import RunnableConfig
from langgraph.func import entrypoint
from langgraph.graph import END, START, StateGraph
from langgraph.checkpoint.memory import InMemorySaver
from langgraph_sdk.runtime import ServerRuntime

closed = []

class State(TypedDict, total=False):
    seen: str

def made(seen="plain"):
    builder = StateGraph(State)
    builder.add_node("node", lambda state: {"seen": seen})
    builder.add_edge(START, "node")
    builder.add_edge("node", END)
    return builder

builder = made()
compiled = made().compile()
own_saver = made().compile(checkpointer=InMemorySaver())

def factory():
    return made("factory").compile()

def factory_of_builder():
    return made("builder")

def factory_with_config(config: RunnableConfig):
    return made(config["configurable"]["flavour"]).compile()

def factory_with_runtime(runtime: ServerRuntime):
    return made(type(runtime.store).__name__).compile()

def factory_with_both(config: RunnableConfig, runtime: ServerRuntime):
    return made(config["configurable"]["flavour"] + str(runtime.user)).compile()

def factory_with_defaults(flavour="default", *, config=None):
    return made(flavour + config["configurable"]["flavour"]).compile()

async def coroutine():
    await asyncio.sleep(0)
    return made("coroutine").compile()

@contextmanager
def manager():
    yield made("manager").compile()
    closed.append("manager")

@asynccontextmanager
async def async_manager(config):
    yield made("async " + config["configurable"]["flavour"]).compile()
    closed.append("async_manager")

class Maker:
    def __call__(self):
        return made("instance").compile()

instance = Maker()
partial = functools.partial(factory_with_config)

@entrypoint()
def functional(seen: State) -> State:
    return {"seen": "functional"}

number = 3
def gives_nothing():
    return None
def wants_much(a, b, c):
    return None
"""

FORMS = {
    "builder": "plain",
    "compiled": "plain",
    "own_saver": "plain",
    "factory": "factory",
    "factory_of_builder": "builder",
    "factory_with_config": "sweet",
    "factory_with_runtime": "InMemoryStore",
    "factory_with_both": "sweetNone",
    "factory_with_defaults": "defaultsweet",
    "coroutine": "coroutine",
    "manager": "manager",
    "async_manager": "async sweet",
    "instance": "instance",
    "partial": "sweet",
    "functional": "functional",
}

HELD = ("coroutine", "manager", "async_manager")
"""Forms whose graph may hold something that belongs to an event loop."""


@pytest.fixture
def ref(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GraphRef:
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    return project(tmp_path / "project", SOURCE)


def ran(ref: GraphRef) -> str:
    """What the graph's only node wrote."""

    config = {"configurable": {"flavour": "sweet"}}
    with Loop(lambda: True) as loop, open_graph(load_target(ref), ref, config, loop) as (graph, held):
        assert held is (ref.target.rpartition(":")[2] in HELD)
        return str(attach(graph, None).invoke({"seen": ""})["seen"])


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_target(ref: GraphRef, form: str):
    target = replace(ref, target=f"./app.py:{form}")
    assert ran(target) == FORMS[form]
    if "manager" in form:
        assert load_target(replace(ref, target="./app.py:closed")) == []  # each load is a fresh module


def test_a_manager_is_left_when_the_run_is_over(ref: GraphRef):
    target = load_target(replace(ref, target="./app.py:async_manager"))
    module = sys.modules[target.__module__]

    with Loop(lambda: True) as loop, open_graph(target, ref, {"configurable": {"flavour": "x"}}, loop):
        assert module.closed == []
    assert module.closed == ["async_manager"]


def test_a_saver_is_attached_to_a_copy(ref: GraphRef):
    graph = load_target(replace(ref, target="./app.py:own_saver"))
    own = graph.checkpointer
    assert attach(graph, None).checkpointer is None
    assert graph.checkpointer is own


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (
            "./app.py:nothing",
            "There is no 'nothing' in ./app.py. Graphs in it: builder, compiled, own_saver, functional.",
        ),
        ("./other.py:graph", "There is no file"),
        ("./src/agent.ts:graph", "JavaScript"),
        ("nobody.has.this:graph", "There is no module 'nobody'"),
        ("graph", "names no graph"),
        ("./app.py:number", "is an int, not a graph"),
        ("./app.py:gives_nothing", "gave a NoneType, not a graph"),
        ("./app.py:wants_much", "wants_much wants 3 arguments"),
    ],
)
def test_what_is_no_graph_is_refused(ref: GraphRef, target: str, said: str):
    with pytest.raises(Refused, match=said.replace("[", r"\[").replace("(", r"\(")):
        ran(replace(ref, target=target))


def test_an_error_inside_the_module_is_its_own(ref: GraphRef):
    Path(ref.root, "broken.py").write_text("import nobody_has_this_either")
    prepare_path(ref)
    with pytest.raises(ModuleNotFoundError, match="nobody_has_this_either"):
        load_target(replace(ref, target="broken:graph"))


def test_the_projects_own_packages_come_before_ours(ref: GraphRef, monkeypatch: pytest.MonkeyPatch):
    for name in ("backends", "tui"):
        package = Path(ref.root, name)
        package.mkdir()
        (package / "__init__.py").write_text(f"mine = {name!r}")
        for loaded in [each for each in sys.modules if each == name or each.startswith(f"{name}.")]:
            monkeypatch.delitem(sys.modules, loaded)
    Path(ref.root, "uses.py").write_text("import backends, tui\nfound = [backends.mine, tui.mine]")
    prepare_path(ref)
    assert load_target(replace(ref, target="uses:found")) == ["backends", "tui"]


def test_dependencies_are_importable(ref: GraphRef, tmp_path: Path):
    library = tmp_path / "library"
    library.mkdir()
    (library / "shared_by_tests.py").write_text("value = 7")
    Path(ref.root, "needs.py").write_text("from shared_by_tests import value")
    needing = replace(ref, target="./needs.py:value", dependencies=(str(library),))
    prepare_path(needing)
    assert load_target(needing) == 7
