"""What is heard where LangGraph would stream it is what it streams."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Annotated, Any

import pytest
from langgraph.cache.memory import InMemoryCache
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.func import entrypoint, task
from langgraph.graph import END, START, StateGraph
from langgraph.types import CachePolicy, Command, Send, interrupt
from typing_extensions import TypedDict

from backends.worker import hearing
from backends.worker.driving import Plain
from backends.worker.hearing import Task, TaskEnd, heard, take


class State(TypedDict, total=False):
    text: str
    log: Annotated[list[str], operator.add]


@dataclass
class Book:
    """Notes all it hears; ids are made by time and chance, so they are numbered."""

    lines: list[tuple[Any, ...]] = field(default_factory=list)
    numbers: dict[str, str] = field(default_factory=dict)

    def announced(self, task: Task) -> None:
        self.numbers.setdefault(task.id, f"{task.name}-{task.step}")
        self.lines.append(("announced", self.plain(task.ns), task.step, self.numbers[task.id], task.name))

    def ended(self, task: Task, end: TaskEnd) -> None:
        asked = [question["value"] for question in end.questions]
        number = self.numbers.get(task.id)
        became = repr(end.error), asked, end.result()
        self.lines.append(("ended", self.plain(task.ns), task.step, number, task.name, *became))

    def described(self, ns: str, step: int | None, checkpoint_id: str, source: str | None, due: list[str]) -> None:
        self.lines.append(("described", self.plain(ns), step, bool(checkpoint_id), source, due))

    def custom(self, ns: str, value: Any) -> None:
        self.lines.append(("custom", self.plain(ns), value))

    def plain(self, ns: str) -> str:
        for found, number in self.numbers.items():
            ns = ns.replace(found, number)
        return ns


def chain(**nodes: Any) -> StateGraph[Any]:
    builder, before = StateGraph(State), START
    for name, node in nodes.items():
        builder.add_node(name, node)
        builder.add_edge(before, name)
        before = name
    builder.add_edge(before, END)
    return builder


def says(state: State) -> State:
    get_stream_writer()({"said": state["text"]})
    return {"log": ["said"]}


def asks(state: State) -> State:
    return {"log": [interrupt("well?"), interrupt({"and": 2})]}


def fails(state: State) -> State:
    raise ValueError("no")


async def awaits(state: State) -> State:
    await asyncio.sleep(0)
    return {"log": ["awaited"]}


def fans() -> Any:
    builder = StateGraph(State)
    builder.add_node("leaf", lambda state: {"log": [state["text"]]})
    builder.add_node("root", lambda state: {"log": ["root"]})
    builder.add_edge(START, "root")
    builder.add_conditional_edges("root", lambda state: [Send("leaf", {"text": word}) for word in ("a", "b")], ["leaf"])
    return builder


def cached() -> Any:
    builder = StateGraph(State)
    builder.add_node("kept", lambda state: {"log": ["kept"]}, cache_policy=CachePolicy())
    builder.add_edge(START, "kept")
    return builder


@task
def doubled(number: str) -> str:
    return number * 2


def functional(saver: InMemorySaver) -> Any:
    @entrypoint(checkpointer=saver)
    def work(given: dict[str, str]) -> str:
        return doubled(given["text"]).result() + doubled("y").result()

    return work


def nested() -> Any:
    inner = chain(says=says, asks=asks).compile()
    return chain(first=says, inner=inner, last=says)


MAKERS: dict[str, Callable[[InMemorySaver], Any]] = {
    "says": lambda saver: chain(says=says, again=says).compile(checkpointer=saver),
    "asks": lambda saver: chain(says=says, asks=asks).compile(checkpointer=saver),
    "fails": lambda saver: chain(says=says, fails=fails).compile(checkpointer=saver),
    "nested": lambda saver: nested().compile(checkpointer=saver),
    "called": lambda saver: chain(call=lambda state: chain(asks=asks).compile().invoke(state)).compile(saver),
    "fans": lambda saver: fans().compile(checkpointer=saver),
    "cached": lambda saver: cached().compile(checkpointer=saver, cache=InMemoryCache()),
    "functional": functional,
    "paused": lambda saver: chain(says=says, again=says).compile(checkpointer=saver, interrupt_after=["says"]),
}


def lines(graph: Any, streamed: bool) -> list[tuple[Any, ...]]:
    """What is heard of a run, of going on with an answer, and of a run that finds the results of the first."""
    book = Book()
    for thread_id, given in (("t", {"text": "x"}), ("t", Command(resume="yes")), ("again", {"text": "x"})):
        config: Any = {"configurable": {"thread_id": thread_id}}
        try:
            if streamed:
                for item in graph.stream(given, config, stream_mode=["debug", "custom"], subgraphs=True):
                    take(book, *item)
            else:
                Plain().stream(graph, given, config, book, {})
        except ValueError:
            book.lines.append(("raised",))
    return book.lines


@pytest.mark.parametrize("name", MAKERS)
def test_it_is_what_langgraph_streams(name: str) -> None:
    make = MAKERS[name]
    assert sorted(map(repr, lines(make(InMemorySaver()), False))) == sorted(
        map(repr, lines(make(InMemorySaver()), True))
    )


async def test_the_same_in_an_event_loop() -> None:
    said = []
    for streamed in (False, True):
        book, graph = Book(), chain(says=says, awaits=awaits).compile(checkpointer=InMemorySaver())
        config: Any = {"configurable": {"thread_id": "t"}}
        options: Any = {"config": config, "stream_mode": ["debug", "custom"], "subgraphs": True}
        async for item in graph.astream({"text": "x"}, **(options if streamed else heard(graph, config, book))):
            take(book, *item)
        said.append(sorted(map(repr, book.lines)))
    assert said[0] == said[1] != []


def test_nothing_of_it_is_in_the_store_nor_in_what_a_graph_streams() -> None:
    saver, seen = InMemorySaver(), []

    def looks(state: State) -> State:
        seen.extend(chain(says=says).compile().stream(state, stream_mode="debug"))
        return {}

    Plain().stream(chain(looks=looks).compile(saver), {"text": "x"}, {"configurable": {"thread_id": "t"}}, Book(), {})
    assert "listener" not in repr(seen)
    assert [item["type"] for item in seen] == ["checkpoint", "checkpoint", "task", "task_result", "checkpoint"]
    assert all("listener" not in repr(found) for found in saver.list(None))


class Unique(str):
    """A text that cannot be copied, as LangGraph's own stream would."""

    def __deepcopy__(self, memo: object) -> Unique:
        raise TypeError("there is but one")


def test_a_question_that_cannot_be_copied_ends_no_run() -> None:
    book, graph = Book(), chain(asks=lambda state: {"log": [interrupt(Unique("well?"))]}).compile(InMemorySaver())
    Plain().stream(graph, {"text": "x"}, {"configurable": {"thread_id": "t"}}, book, {})
    assert [line[6] for line in book.lines if line[0] == "ended"] == [["well?"]]


@pytest.mark.parametrize("broken", ["_emit", "map_debug_checkpoint", "langgraph.pregel._loop"])
def test_another_langgraph_is_heard_by_its_stream(monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    from langgraph.pregel import _loop

    places: dict[str, Any] = {name: getattr(_loop, name) for name in hearing._PLACES}
    if broken == "map_debug_checkpoint":
        places[broken] = lambda other, *names: iter(())
    loop = SimpleNamespace(**({} if broken == "_emit" else {"_emit": lambda *given: None}))
    module = SimpleNamespace(PregelLoop=loop, **places)
    monkeypatch.setattr("langgraph.pregel._loop", module)
    if broken.startswith("langgraph"):
        monkeypatch.setitem(__import__("sys").modules, broken, None)
        monkeypatch.delattr("langgraph.pregel._loop")
    graph = chain(says=says, fans=fans().compile()).compile(checkpointer=InMemorySaver())
    assert heard(graph, {"configurable": {}}, Book())["stream_mode"] == ["debug", "custom"]
