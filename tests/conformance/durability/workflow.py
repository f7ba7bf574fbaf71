"""A workflow to fail and to resume, for tests of what applications import from ``lgtop``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypedDict
from urllib.parse import quote

import pytest
from langgraph.graph import END, START, StateGraph

from backends.durability.checkpointer import CheckpointerManager
from tests.postgres import PASSWORD

PASSWORD_IN_URL = quote(PASSWORD, safe="")


class State(TypedDict, total=False):
    n: int


class Workflow:
    """Three steps; what the second does, and what follows it, is set from outside.

    Attributes:
        store: Where it is saved.
        ran: The steps that ran.
        second: What the second step does.
        route: What decides about the third.
    """

    def __init__(self, store: str) -> None:
        self.store = store
        self.ran: list[str] = []
        self.second: Callable[[], object] = fine
        self.route: Callable[[], str] = lambda: "third"

    def builder(self) -> StateGraph[State]:
        def step(name: str) -> Callable[[State], State]:
            def node(state: State) -> State:
                self.ran.append(name)
                if name == "second":
                    self.second()
                return {"n": state.get("n", 0) + 1}

            return node

        builder = StateGraph(State)
        for name in ("first", "second", "third"):
            builder.add_node(name, step(name))
        builder.add_edge(START, "first")
        builder.add_edge("first", "second")
        builder.add_conditional_edges("second", lambda _: self.route(), ["third", END])
        return builder

    def run(self, value: Any, thread_id: str = "w") -> Any:
        saver = CheckpointerManager.get_or_create(self.store).get_checkpointer()
        return self.builder().compile(checkpointer=saver).invoke(value, config(thread_id), durability="sync")

    def resume(self, thread_id: str) -> Any:
        return self.run(None, thread_id)

    def fail(self, thread_id: str = "w") -> None:
        """Begin it, and let the second step fail; it would succeed next time."""
        self.second = refuse
        with pytest.raises(ConnectionError):
            self.run({"n": 0}, thread_id)
        self.second = fine


def config(thread_id: str) -> Any:
    return {"configurable": {"thread_id": thread_id}}


def fine() -> None:
    """Do the work."""


def refuse() -> None:
    raise ConnectionError("refused")


def assert_covered(text: str) -> None:
    """No password is told."""
    assert PASSWORD not in text
    assert PASSWORD_IN_URL not in text
