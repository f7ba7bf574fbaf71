"""The list of threads on a real PostgreSQL database."""

from __future__ import annotations

from typing import TypedDict

from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.graph import START, StateGraph
from langgraph.types import interrupt

from backends.address import parse_address
from tui.app import LgtopApp
from tui.dialogs.answer import Answer
from tui.terminal import Terminal
from tui.widgets.thread_list import ThreadList

from .conftest import lines_of, text_of, wait_for, wait_for_text
from .control_project import WAITING, make_threads
from .control_rig import Controlled, accept, dialog, until


class State(TypedDict, total=False):
    n: int


def ask(url: str, thread_id: str) -> None:
    """Run a graph until it asks."""
    builder = StateGraph(State)
    builder.add_node("review", lambda state: {"n": interrupt(f"may {thread_id}?")})
    builder.add_edge(START, "review")
    with PostgresSaver.from_conn_string(url) as saver:
        builder.compile(checkpointer=saver).invoke({"n": 1}, {"configurable": {"thread_id": thread_id}})


async def test_threads_of_postgres_are_listed_live_and_opened(postgres_url: str) -> None:
    ask(postgres_url, "first")
    app = LgtopApp(parse_address(postgres_url, {}), terminal=Terminal())
    async with app.run_test(size=(120, 30)) as pilot:
        await wait_for_text(pilot, "may first?")
        assert "postgres · read-only" in lines_of(app)[0]
        threads = app.screen.query_one(ThreadList)
        await wait_for(pilot, lambda: threads._settled)  # until then the cursor stays on the first row
        ask(postgres_url, "second")
        await wait_for_text(pilot, "may second?")
        assert threads.selected == "first"
        await pilot.press("enter")
        await wait_for_text(pilot, "› first")
        await wait_for(pilot, lambda: "review" in text_of(app))
        await pilot.press("escape")
        await wait_for_text(pilot, "STATUS")
        assert threads.selected == "first"


async def test_questions_of_a_thread_in_postgres_are_answered(controlled: Controlled, postgres_url: str) -> None:
    store = Controlled(controlled.project, make_threads(controlled.project, postgres_url))
    async with store.open(WAITING) as (app, pilot):
        await pilot.press("a")
        await dialog(pilot, Answer)
        await wait_for_text(pilot, "May the money be spent?")
        await pilot.press("y", "ctrl+n")
        await wait_for_text(pilot, "1 of 2 answered")
        await wait_for_text(pilot, "May the money be spent?")
        await pilot.press("y", "ctrl+o")
        await accept(pilot, "finance, legal")
        await until(pilot, app, WAITING, "done")
    assert store.state(WAITING).values["outcome"] == "approved"
