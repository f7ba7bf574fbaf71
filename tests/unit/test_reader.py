"""The read side, on a small real store."""

from __future__ import annotations

import operator
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import START, StateGraph
from langgraph.types import Send

from backends.decode import Decoder
from backends.errors import NotFound
from backends.model import CheckpointKey
from backends.reader import Reader
from backends.store import Scope, open_store


class State(TypedDict, total=False):
    log: Annotated[list[str], operator.add]


CONFIG: Any = {"configurable": {"thread_id": "t"}}


@pytest.fixture(params=["with task_path", "without"])
def reader(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Reader]:
    """A thread of a -> b, c -> d (a join) -> three Sends to work, forked once at step 1, with a subgraph in b."""
    path = tmp_path / "store.sqlite"
    with sqlite3.connect(path, check_same_thread=False) as connection:
        inner = StateGraph(State)
        inner.add_node("x", lambda state: {"log": ["x"]}).add_edge(START, "x")
        builder = StateGraph(State)
        for name in ("a", "c", "d", "work"):
            builder.add_node(name, lambda state, name=name: {"log": [name]})
        builder.add_node("b", inner.compile()).add_edge(START, "a").add_edge("a", "b").add_edge("a", "c")
        builder.add_edge(["b", "c"], "d")
        builder.add_conditional_edges("d", lambda state: [Send("work", {})] * 3, ["work"])
        graph = builder.compile(checkpointer=SqliteSaver(connection))
        graph.invoke({"log": ["in"]}, CONFIG)
        old = next(one for one in graph.get_state_history(CONFIG) if one.metadata["step"] == 1)
        graph.invoke(None, old.config)
        if request.param == "without":
            connection.execute("ALTER TABLE writes DROP COLUMN task_path")
    connection.close()
    opened = Reader(open_store(str(path)), Decoder())
    yield opened
    opened.store.close()


def steps(reader: Reader) -> dict[str, int | None]:
    return {row.key.checkpoint_id: row.step for row in reader.store.history("t", "")}


def test_head(reader: Reader) -> None:
    assert reader.head("t").step == max(filter(None, steps(reader).values()))
    with pytest.raises(NotFound, match="No thread 'x'"):
        reader.head("x")


@pytest.mark.parametrize("ref", [None, "", "head", "~0"])
def test_head_by_reference(reader: Reader, ref: str | None) -> None:
    assert reader.resolve_checkpoint("t", ref) == reader.head("t").key


def test_checkpoint_by_id_prefix_and_step(reader: Reader) -> None:
    for key in (row.key for row in reader.store.history("t")):
        assert reader.resolve_checkpoint("t", key.checkpoint_id) == key, "also in namespaces of subgraphs"
    rows = reader.store.history("t", "")
    assert reader.resolve_checkpoint("t", rows[0].key.checkpoint_id[:-1]) == rows[0].key
    branch = {row.key.checkpoint_id for row in rows}
    assert reader.resolve_checkpoint("t", "@-1").checkpoint_id in branch
    assert steps(reader)[reader.resolve_checkpoint("t", "@3").checkpoint_id] == 3


def test_steps_back_follow_the_heads_own_branch(reader: Reader) -> None:
    rows = {row.key.checkpoint_id: row for row in reader.store.history("t", "")}
    row = rows[reader.head("t").checkpoint_id]
    for back in range(1, 5):
        row = rows[row.parent_id or ""]
        assert reader.resolve_checkpoint("t", f"~{back}") == row.key


@pytest.mark.parametrize(
    ("ref", "words"),
    [
        ("~99", "too far"),
        ("@77", "no checkpoint of step 77"),
        ("1f", "give more"),
        ("zz", "No checkpoint"),
        ("~x", "~2"),
    ],
)
def test_what_cannot_be_found_is_explained(reader: Reader, ref: str, words: str) -> None:
    with pytest.raises(NotFound, match=words):
        reader.resolve_checkpoint("t", ref)


def test_unknown_namespace(reader: Reader) -> None:
    with pytest.raises(NotFound, match="no namespace"):
        reader.resolve_checkpoint("t", None, "nowhere")


def test_snapshot(reader: Reader) -> None:
    key = reader.head("t").key
    assert reader.snapshot(key).complete
    assert reader.snapshot(key, Scope.CONTROL).key == key
    with pytest.raises(NotFound):
        reader.snapshot(CheckpointKey("t", "", "nothing"))


def test_state_and_changes(reader: Reader) -> None:
    head, before = reader.head("t").key, reader.resolve_checkpoint("t", "~1")
    assert reader.state(head)["log"][-4:] == ["d", "work", "work", "work"]
    assert [(one.op, one.path[0]) for one in reader.changes(before, head)] == [("add", "log")] * 3
    assert {one.path[0] for one in reader.changes(None, head)} == {"log"}


def test_nodes_that_wrote_each_checkpoint(reader: Reader) -> None:
    found = {key: nodes for key, nodes in reader.task_nodes("t").items() if not key.ns}
    by_step = {(steps(reader)[key.checkpoint_id], frozenset(nodes)) for key, nodes in found.items()}
    assert {
        (0, frozenset({"__start__"})),
        (1, frozenset({"a"})),
        (2, frozenset({"b", "c"})),
        (3, frozenset({"d"})),
        (4, frozenset({"work"})),
    } <= by_step
    inner = {key.ns: nodes for key, nodes in reader.task_nodes("t").items() if key.ns and nodes != ("__start__",)}
    assert set(inner.values()) == {("x",)}


def test_nodes_are_found_without_reading_state(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    if "task_path" in reader.store.info.schema and "without" not in reader.store.info.schema:
        monkeypatch.setattr(type(reader.store), "raw", None)
    assert reader.task_nodes("t")


def test_heads_in_batches(reader: Reader) -> None:
    heads = [reader.head("t")] * 450
    assert set(reader.analyse_heads(heads)) == {"t"}
    assert reader.analyse_heads([]) == {}
