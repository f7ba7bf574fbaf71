"""What undisturbed runs do not agree on is not held against a crash; the rest still is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

import pytest

from backends.audit.course import Course
from backends.audit.effects import Deeds, Effect
from backends.audit.final import Final
from backends.audit.order import Cell
from backends.audit.samples import Samples
from backends.audit.undisturbed import Undisturbed
from backends.audit.verdict import Kind, Verdict, judge, sentences
from backends.faults import parse
from backends.model import StatusName


def course(state: Any = 0, done: Sequence[Effect] = (), problem: str = "") -> Course:
    final = Final(StatusName.DONE, "", {"status": "done", "state": {"a": state}}, ())
    found = Deeds(Counter(done), Counter("n"), Counter("n"))
    return Course(final, found, {}, ("n",), frozenset(), True, False, problem, 2)


def judged(struck: Course, *left_alone: Course, later: Callable[[str], Course] | None = None) -> tuple[Kind, str]:
    """A verdict and its reason, or what the undisturbed runs say where it has none."""
    base = Undisturbed(left_alone[0], {}, Samples(left_alone, later))
    found = judge(CELL, struck, base)
    return found.kind, sentences(found, base)


CELL = Cell("sync", parse("after:n=kill"))


def ids(*states: str) -> dict[str, Any]:
    return {"fixed": 1} | {str(uuid4()): {"state": one} for one in states}


def test_keys_that_are_ids_are_not_compared_and_the_others_are() -> None:
    base = course(ids("open")), course(ids("open"))
    assert judged(course(ids("open")), *base) == (Kind.SURVIVED, "")
    assert judged(course(ids("open") | {"fixed": 2}), *base)[0] is Kind.DIFFERENT
    lost = {key: value for key, value in ids("open").items() if key != "fixed"}
    assert judged(course(lost), *base) == (Kind.DIFFERENT, "state.a.fixed is missing, undisturbed 1")
    told = list(Samples(base).varying.warnings())
    assert len(told) == 1
    assert told[0].startswith("state.a has other keys or items in two undisturbed runs")


def test_keys_are_compared_where_they_agree() -> None:
    assert judged(course({"x": 1, "y": 1}), course({"x": 1}), course({"x": 1}))[0] is Kind.DIFFERENT


def test_of_a_list_of_varying_length_the_items_that_all_have_are_compared() -> None:
    base = course([1, 2, 3]), course([1, 2, 3, 4])
    for n in (2, 5):
        assert judged(course(list(range(1, n + 1))), *base)[0] is Kind.SURVIVED
    assert judged(course([9, 2, 3]), *base) == (Kind.DIFFERENT, "state.a[0] is 9, undisturbed 1")


def stamped(where: str = "orders.txt", what: str = "order {} created") -> Effect:
    return Effect(where.format(uuid4().hex), what.format(uuid4()))


@pytest.mark.parametrize(
    "make",
    [
        stamped,
        lambda: stamped("{}.txt", "ready"),
        lambda: stamped("{}.txt"),
        lambda: Effect("charge", f"paid at 2026-11-22T01:44:{uuid4().int % 60:02}Z", f"key-{uuid4()}"),
    ],
)
def test_an_id_or_a_time_in_an_effect_does_not_make_it_another_one(make: Callable[[], Effect]) -> None:
    base = [course(done=[make(), make(), Effect("log.txt", "step 1")]) for _ in range(2)]
    same = [make(), make(), Effect("log.txt", "step 1")]
    assert judged(course(done=same), *base)[0] is Kind.SURVIVED
    kind, reason = judged(course(done=[*same, make()]), *base)
    assert kind is Kind.REPEATED
    assert reason.endswith("3× (undisturbed 2×)")
    assert judged(course(done=[make(), Effect("log.txt", "step 1")]), *base)[0] is Kind.DIFFERENT
    kind, reason = judged(course(done=[*same, Effect("log.txt", "step 2")]), *base)
    assert (kind, reason) == (Kind.REPEATED, 'log.txt "step 2" 1× (undisturbed 0×)')


def test_numbers_that_undisturbed_runs_agree_on_tell_effects_apart() -> None:
    one, two = Effect("log.txt", "order 1"), Effect("log.txt", "order 2")
    assert judged(course(done=[one, one]), *[course(done=[one, two])] * 2)[0] is Kind.DIFFERENT


def test_a_shape_in_different_numbers_is_not_compared() -> None:
    base = course(done=[stamped()]), course(done=[stamped(), stamped()])
    assert judged(course(done=[stamped()] * 4), *base)[0] is Kind.SURVIVED


class Later:
    """More undisturbed runs; counts them."""

    def __init__(self, *courses: Course) -> None:
        self.courses = courses
        self.runs: list[str] = []

    def __call__(self, durability: str) -> Course:
        self.runs.append(durability)
        return self.courses[min(len(self.runs), len(self.courses)) - 1]


def test_a_minute_that_has_passed_is_no_different_result() -> None:
    now = Later(course("01:35", [Effect("log.txt", "at 01:35")]))
    struck, base = now.courses[0], [course("01:34", [Effect("log.txt", "at 01:34")])] * 2
    assert judged(struck, *base, later=now) == (Kind.SURVIVED, "")
    assert now.runs == ["sync"]


def test_of_two_values_the_other_one_is_waited_for_a_while() -> None:
    assert judged(course("tails"), *[course("heads")] * 2, later=Later(course("heads"), course("tails")))[0] is (
        Kind.SURVIVED
    )


def test_what_stays_different_is_called_so_and_asked_for_once_an_audit() -> None:
    later = Later(course("same", problem="It raised."), course("same"))
    base = Undisturbed(course("same"), {}, Samples([course("same")] * 2, later))
    verdicts: list[Verdict] = [judge(CELL, course(state), base) for state in ("other", "another", "same")]
    assert [verdict.kind for verdict in verdicts] == [Kind.DIFFERENT, Kind.DIFFERENT, Kind.SURVIVED]
    assert len(later.runs) == 2
