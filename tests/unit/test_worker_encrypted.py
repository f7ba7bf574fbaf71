"""Each thread is written on as it is: encrypted where it is encrypted, in clear where it is not."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from backends.runs.events import Kind
from backends.runs.spec import Verb
from tests.child import Bench, project

KEY = "0123456789abcdef"
SOURCE = """
from typing import TypedDict
from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt

class State(TypedDict, total=False):
    secret: str
    answer: str

def ask(state):
    return {"answer": interrupt("well?")}

builder = StateGraph(State)
builder.add_node(ask)
builder.add_edge(START, "ask")
builder.add_edge("ask", END)
graph = builder.compile()
"""
SEALED = SOURCE.replace(
    "graph = builder.compile()",
    """
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
graph = builder.compile(checkpointer=InMemorySaver(serde=EncryptedSerializer.from_pycryptodome_aes()))
""",
)


def bench(folder: Path, name: str, source: str, key: str | None) -> Bench:
    environment = {} if key is None else {"LANGGRAPH_AES_KEY": key}
    graph = replace(project(folder / name / "p", source), env=environment)
    return Bench(folder / name, str(folder / "s.sqlite"), graph)


def kinds(folder: Path, thread: str) -> set[str]:
    connection = sqlite3.connect(folder / "s.sqlite")
    with connection:
        found = {row[0] for row in connection.execute("select type from checkpoints where thread_id = ?", [thread])}
    connection.close()
    return found


@pytest.mark.parametrize("sealed_last", [True, False])
def test_a_thread_is_written_on_as_it_is(tmp_path: Path, sealed_last: bool) -> None:
    plain, sealed = bench(tmp_path, "plain", SOURCE, None), bench(tmp_path, "sealed", SEALED, KEY)
    given = {"input": {"secret": "x"}}
    first, second = (plain, sealed) if sealed_last else (sealed, plain)
    assert first.do(Verb.START, "first", create_store=True, **given).end["outcome"] == "waiting"
    started = second.do(Verb.START, "second", **given)
    if not sealed_last:  # a new thread in a store whose newest is encrypted: refused rather than written in clear
        assert started.end["outcome"] == "refused"
        started = bench(tmp_path, "later", SOURCE, KEY).do(Verb.START, "second", **given)
    assert started.end["outcome"] == "waiting", started.report()
    keyed = bench(tmp_path, "keyed", SOURCE, KEY)
    for thread in ("first", "second"):
        before = kinds(tmp_path, thread)
        assert len(before) == 1
        asked = keyed.do(Verb.RESUME, thread)
        assert asked.end["outcome"] == "waiting", asked.report()
        (question,) = [event["id"] for event in asked.of(Kind.INTERRUPT)]
        assert keyed.do(Verb.ANSWER, thread, answers={question: "yes"}).end["outcome"] == "done"
        assert kinds(tmp_path, thread) == before
    assert not Path(f"{tmp_path / 's.sqlite'}-wal").exists(), "the last run has emptied the WAL"
