"""The functional API: an ordinary function whose calls are remembered one by one.

    report ──┬── fetch(page) … all at once
             └── publish(words)

Watch the *Writes* of a thread that failed in ``publish``: every finished ``fetch`` has left its result in a
``__return__`` row, so that a resumed run does not fetch again.
"""

from __future__ import annotations

from typing import TypedDict

from langgraph.func import entrypoint, task

from demo_graphs.ledger import begin, effect


class Order(TypedDict):
    """What is asked for.

    Attributes:
        pages: Pages to read.
        pace: Seconds that each call takes.
        closed: Whether the place to publish is closed.
    """

    pages: list[str]
    pace: float
    closed: bool


class Report(TypedDict):
    """What comes out."""

    words: dict[str, int]
    address: str


@task
def fetch(page: str, pace: float) -> int:
    """Return the number of words on a page; the network is only pretended."""
    begin(pace)
    effect(f"fetched {page}")
    return 100 * len(page)


@task
def publish(words: dict[str, int], pace: float, closed: bool) -> str:
    """Put the report up and return its address."""
    begin(pace)
    if closed:
        raise PermissionError("press.example takes no reports today")
    effect("published")
    return f"https://press.example/{sum(words.values())}"


@entrypoint()
def report(order: Order) -> Report:
    """Fetch every page at the same time, then publish the count."""
    pending = {page: fetch(page, order["pace"]) for page in order["pages"]}
    words = {page: future.result() for page, future in pending.items()}
    return {"words": words, "address": publish(words, order["pace"], order["closed"]).result()}


graph = report
