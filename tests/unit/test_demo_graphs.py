"""The demo's graphs as LangGraph's own tools find them: by ``langgraph.json``, each from its file."""

import json
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.pregel import Pregel

from demo_graphs import scenes
from tui.demo.seed import LETTER, OWN

ROOT = Path(__file__).resolve().parents[2]
GRAPHS = json.loads((ROOT / "langgraph.json").read_text())["graphs"]


def load(reference, monkeypatch):
    """The module and object that ``./path.py:name`` means, as ``langgraph dev`` loads them."""
    path, _, name = reference.rpartition(":")
    spec = spec_from_file_location(path.removesuffix(".py").replace("/", "__"), ROOT / path)
    module = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module, getattr(module, name)


@pytest.mark.parametrize("reference", GRAPHS.values(), ids=GRAPHS)
def test_a_graph_can_be_loaded_and_says_what_to_watch(reference, monkeypatch):
    module, graph = load(reference, monkeypatch)
    assert isinstance(graph, Pregel)
    assert graph.checkpointer is None
    assert "\nWatch " in module.__doc__


def test_every_listed_graph_is_played_and_every_scene_has_a_thread_of_its_own():
    every = [*scenes.SETTLED, *scenes.AWAITED, *scenes.KILLED, *scenes.LIVE]
    played = [(scene["graph"], scene["thread"]) for scene in every] + [(own.graph, own.thread) for own in OWN]
    assert {graph for graph, _ in played} == set(GRAPHS)
    assert len({thread for _, thread in played}) == len(played)
    assert next(scene["input"]["content"] for scene in every if scene["thread"] == "doc-letter") == LETTER


def test_only_what_both_allow_is_approved():
    from langgraph.types import Command

    from demo_graphs.approval import builder

    graph = builder.compile(checkpointer=InMemorySaver())
    config = {"configurable": {"thread_id": "one"}}
    graph.invoke({"purpose": "paint", "amount": 90, "pace": 0}, config)
    asked = {task.name: task.interrupts[0].id for task in graph.get_state(config).tasks}
    graph.invoke(Command(resume={asked["finance"]: {"approved": True}}), config)
    assert graph.get_state(config).next == ("legal",)
    done = graph.invoke(Command(resume={asked["legal"]: {"approved": False, "comment": "no contract"}}), config)
    assert done["outcome"] == "refused by legal"
    assert done["decisions"]["legal"] == {"approved": False, "comment": "no contract"}
