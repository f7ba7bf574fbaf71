"""What is done before a question is told from what others do around it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

from backends.audit.asking import beginnings, doubled
from backends.audit.effects import Doing, Effect
from backends.audit.trace import Trace

SAVED = Effect("log.txt", "saved")
PAID = Effect("ask", "paid")


def doing(*tasks: str, done: Sequence[Effect] = (), functional: bool = False) -> Doing:
    """A process by its tasks: ``1 ask`` begins, ``1 ask.`` comes to its end, ``1 ask?`` asks."""
    trace = Trace(functional=functional)
    for text in tasks:
        number, node = text.rstrip(".?").split()
        trace.begun[number] = node
        if text.endswith("?"):
            trace.asked.add(node)
        if text.endswith("."):
            trace.ended.add(number)
    return Doing(trace, Counter(done))


def never(node: str) -> Sequence[Doing]:
    raise AssertionError(f"nothing is in doubt about {node}")


def test_an_effect_before_a_question_is_one_that_comes_again() -> None:
    doings = [doing("1 ask?", done=[PAID, SAVED]), doing("1 ask.", "2 behind.", done=[PAID, SAVED])]
    assert doubled(doings, never) == {PAID: ("ask",), SAVED: ("ask",)}
    assert doubled(doings[1:], never) == {}
    assert beginnings(doings) == {"ask": 2}


@pytest.mark.parametrize(("by_asking", "found"), [((), {}), ((SAVED,), {SAVED: ("ask",)})])
def test_who_wrote_a_file_is_seen_where_the_node_runs_alone(by_asking: Sequence[Effect], found: object) -> None:
    doings = [doing("1 before.", "2 ask?", done=[SAVED]), doing("2 ask.", "3 behind.", done=[SAVED])]
    alone = [doing("2 ask?", done=by_asking), doing("2 ask.", "3 behind.", done=[SAVED])]
    assert doubled(doings, {"ask": alone}.__getitem__) == found
    assert doubled(doings, lambda node: []) == {}


def test_what_is_done_with_an_answer_is_not_done_before_the_next_question() -> None:
    doings = [doing("1 ask?"), doing("1 ask.", "2 ask?", done=[PAID]), doing("2 ask.", done=[PAID])]
    assert doubled(doings, {"ask": doings}.__getitem__) == {}
    assert beginnings(doings) == {"ask": 2}


def test_what_the_ledger_ascribes_to_others_is_theirs() -> None:
    other = Effect("plan", "other")
    doings = [doing("1 plan.", "2 ask?", done=[other, PAID]), doing("2 ask.", "3 plan.", done=[other, PAID])]
    assert doubled(doings, never) == {PAID: ("ask",)}


def test_the_innermost_is_named() -> None:
    inside = [doing("1 outer?", "2 outer/ask?", done=[SAVED]), doing("1 outer.", "2 outer/ask.", done=[SAVED])]
    assert doubled(inside, never) == {SAVED: ("outer/ask",)}
    a_task = [
        doing("1 flow?", "2 ask", done=[SAVED], functional=True),
        doing("1 flow.", "2 ask.", done=[SAVED], functional=True),
    ]
    assert doubled(a_task, never) == {SAVED: ("ask",)}
    the_entrypoint = [
        doing("1 flow?", "2 charge.", done=[SAVED], functional=True),
        doing("1 flow.", done=[SAVED], functional=True),
    ]
    assert doubled(the_entrypoint, lambda node: the_entrypoint) == {SAVED: ("flow",)}


def test_a_node_with_two_questions_begins_three_times() -> None:
    assert beginnings([doing("1 ask?"), doing("1 ask?"), doing("1 ask.")]) == {"ask": 3}
