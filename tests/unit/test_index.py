"""The index against a plain model: whatever happens, it shows what sorting and filtering anew would."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from backends.ids import checkpoint_id_at
from backends.index import ThreadIndex
from backends.model import ATTENTION, StatusName, Summary, ThreadHead, ThreadRow
from backends.order import SORTS, View
from backends.query import parse
from tests.work import steps

NOW = 1_790_000_000.0

IDS = [f"thread-{n}" for n in range(8)] + ["Älter", "zz"]
AGES = [None, 0.0, 1.0, 60.0, 4000.0]
SUMMARIES = [
    Summary(status, reason, nodes, 0, False)
    for status in (StatusName.RUNNING, StatusName.WAITING, StatusName.FAILED, StatusName.DONE, StatusName.UNKNOWN)
    for reason, nodes in (("", ()), ("Why", ("b", "a")), ("what", ("a",)))
]
QUERIES = ["", "thread", "status:waiting", "!status:done", "step>1", "age<1m", "checkpoints>2", "tenant:a", "z b"]


def head(thread_id: str, age: float | None = 0.0, step: int | None = 1, tenant: str = "a") -> ThreadHead:
    checkpoint_id = f"by-hand-{step}" if age is None else checkpoint_id_at(NOW - age) + "-8001-000000000000"
    metadata = f'{{"source": "loop", "step": {step or 0}, "parents": {{}}, "tenant": "{tenant}"}}'.encode()
    return ThreadHead(thread_id, "", checkpoint_id, checkpoint_id, metadata, step, "loop")


HEADS = st.builds(
    head,
    st.sampled_from(IDS),
    st.sampled_from(AGES),
    st.sampled_from([None, -1, 1, 2, 10**400]),
    st.sampled_from(["a", "b"]),
)
VIEWS = st.builds(View, st.sampled_from(QUERIES).map(parse), st.sampled_from(SORTS), st.booleans())


def plain_order(rows: dict[str, ThreadRow], view: View) -> list[str]:
    """Stable sorts, the least important first; a value that is absent comes last in either direction."""
    shown = sorted((row for row in rows.values() if view.query.matches(row, NOW)), key=lambda r: r.head.thread_id)
    if view.reverse:
        shown.reverse()
    shown.sort(key=lambda row: -(row.head.updated_at or 0.0))
    if view.sort == "active" and view.reverse:
        known = [row for row in reversed(shown) if row.head.updated_at is not None]
        ties = sorted(known, key=lambda row: row.head.thread_id, reverse=True)
        ties.sort(key=lambda row: row.head.updated_at)
        return [row.head.thread_id for row in ties + [r for r in shown if r.head.updated_at is None]]
    values = [(plain_value(row, view.sort), row) for row in shown]
    present = [pair for pair in values if pair[0] is not None]
    present.sort(key=lambda pair: pair[0], reverse=view.reverse)
    return [row.head.thread_id for _, row in present] + [r.head.thread_id for value, r in values if value is None]


def plain_value(row: ThreadRow, sort: str):
    summary = row.summary
    urgency = [StatusName.RUNNING, *ATTENTION]
    match sort:
        case "attention":
            return urgency.index(summary.status) if summary and summary.status in urgency else len(urgency)
        case "active":
            return 0
        case "status":
            return None if summary is None else [*urgency, StatusName.DONE, StatusName.UNKNOWN].index(summary.status)
        case "step":
            return None if row.head.step is None else -row.head.step
        case "checkpoints":
            return None if row.checkpoints is None else -row.checkpoints
        case "thread":
            return row.head.thread_id.lower()
        case "next":
            return (", ".join(summary.next).lower() or None) if summary else None
        case "reason":
            return (summary.reason.lower() or None) if summary else None


class IndexMachine(RuleBasedStateMachine):
    """Drives an index and a dictionary of rows through the same history."""

    def __init__(self):
        super().__init__()
        self.index = ThreadIndex(clock=lambda: NOW)
        self.rows: dict[str, ThreadRow] = {}
        self.view = View()
        self.frozen: list[str] | None = None
        self.present: set[str] = set()
        self.pending = None

    @rule(heads=st.lists(HEADS, max_size=4))
    def upsert(self, heads):
        differing = {h.thread_id for h in heads}
        before = {key: row.head for key, row in self.rows.items()}
        for one in heads:
            old = self.rows.get(one.thread_id, ThreadRow(one))
            self.rows[one.thread_id] = ThreadRow(one, old.summary, old.checkpoints)
        affected = self.index.upsert(heads)
        assert affected <= differing
        assert affected >= {key for key in differing if before.get(key) != self.rows[key].head}

    @rule(ids=st.lists(st.sampled_from(IDS), max_size=3))
    def remove(self, ids):
        known = set(ids) & self.rows.keys()
        assert self.index.remove(ids) == known
        for thread_id in known:
            del self.rows[thread_id]

    @rule(summaries=st.dictionaries(st.sampled_from(IDS), st.sampled_from(SUMMARIES), max_size=4))
    def analyse(self, summaries):
        differing = {key for key, new in summaries.items() if key in self.rows and self.rows[key].summary != new}
        assert self.index.set_summaries(summaries) == differing
        for key in differing:
            self.rows[key] = ThreadRow(self.rows[key].head, summaries[key], self.rows[key].checkpoints)

    @rule(counts=st.dictionaries(st.sampled_from(IDS), st.integers(1, 4), max_size=4))
    def count(self, counts):
        differing = {key for key, new in counts.items() if key in self.rows and self.rows[key].checkpoints != new}
        assert self.index.set_counts(counts) == differing
        for key in differing:
            self.rows[key] = ThreadRow(self.rows[key].head, self.rows[key].summary, counts[key])

    @rule(view=VIEWS)
    def look_otherwise(self, view):
        self.index.set_view(view.query, view.sort, view.reverse)
        self.pending = None
        self._seen(view)

    @rule(view=VIEWS)
    def ask_for_a_view(self, view):
        self.pending = self.index.arrangement(view)

    @rule()
    def compute(self):
        if self.pending is not None:
            assert self.pending.compute()

    @precondition(lambda self: self.pending is not None)
    @rule()
    def adopt(self):
        computed = self.pending.shown is not None
        assert self.index.adopt(self.pending) is computed
        if computed:
            self._seen(self.pending.view)
            self.pending = None

    @rule()
    def pause(self):
        self.index.paused = True
        if self.frozen is None:
            self._freeze()

    @rule()
    def go_on(self):
        self.index.paused = False
        self.frozen = None

    def _seen(self, view: View):
        self.view = view
        if self.frozen is not None:
            self._freeze()

    def _freeze(self):
        self.frozen = plain_order(self.rows, self.view)
        self.present = set(self.rows)

    @invariant()
    def shows_what_sorting_anew_would(self):
        expected = self.frozen if self.frozen is not None else plain_order(self.rows, self.view)
        order = self.index.order
        assert list(order) == expected
        assert [order[n] for n in range(len(order))] == expected
        assert order[1:-1] == expected[1:-1]
        for thread_id in IDS:
            place = expected.index(thread_id) if thread_id in expected else None
            assert self.index.position(thread_id) == place

    @invariant()
    def knows_every_row(self):
        gone = self.index.gone
        assert {key: row for key, row in self.index.rows.items() if key not in gone} == self.rows
        assert not gone & self.rows.keys()
        if self.frozen is None:
            assert not gone
            assert not self.index.arrived
        else:
            assert set(self.frozen) <= self.index.rows.keys()
            new = {key for key in self.rows if key not in self.present and self.view.query.matches(self.rows[key], NOW)}
            assert self.index.arrived == new

    @invariant()
    def counts_right(self):
        counts = self.index.counts
        assert counts.total == len(self.rows)
        assert counts.shown == len(self.index.order)
        statuses = [row.summary.status for row in self.rows.values() if row.summary is not None]
        assert {k: v for k, v in counts.by_status.items() if v} == {s: statuses.count(s) for s in statuses}
        assert counts.pending == len(self.rows) - len(statuses)


TestIndex = IndexMachine.TestCase
TestIndex.settings = settings(max_examples=150, stateful_step_count=30)


# --- what the model does not say --------------------------------------------------------------------------------


def summary(status: StatusName) -> Summary:
    return Summary(status, "", (), 0, False)


def test_attention_first_then_the_latest():
    index = ThreadIndex.built([head("done-new", 1), head("failed", 5), head("waiting", 9), head("done-old", 8)])
    index.set_summaries(
        {
            "done-new": summary(StatusName.DONE),
            "done-old": summary(StatusName.DONE),
            "failed": summary(StatusName.FAILED),
            "waiting": summary(StatusName.WAITING),
        }
    )
    assert list(index.order) == ["waiting", "failed", "done-new", "done-old"]


def test_new_threads_wait_while_paused():
    index = ThreadIndex.built([head("a", 10), head("b", 20)], View(parse("tenant:a")))
    index.paused = True
    index.upsert([head("new", 1), head("b", 0), head("other", 1, tenant="b")])
    index.remove(["a"])
    assert list(index.order) == ["a", "b"]
    assert index.arrived == {"new"}
    assert index.gone == {"a"}
    assert index.rows["b"].head.updated_at == pytest.approx(NOW)
    assert index.counts.total == 3
    index.paused = False
    assert list(index.order) == ["b", "new"]
    assert "a" not in index.rows


def test_approximate_until_the_filter_can_be_answered():
    index = ThreadIndex()
    index.upsert([head("a"), head("b")])
    assert index.approximate
    index.complete = True
    assert not index.approximate
    assert not index.counts.exact
    index.set_view(parse("status:waiting"))
    assert index.approximate
    index.set_summaries({"a": summary(StatusName.WAITING)})
    assert list(index.order) == ["a"]
    assert index.approximate
    index.set_summaries({"b": summary(StatusName.DONE)})
    assert not index.approximate
    assert index.counts.exact
    index.set_view(parse("checkpoints>1"))
    assert index.approximate
    index.set_counts({"a": 1, "b": 2})
    assert not index.approximate


def test_a_filter_by_age_is_judged_anew():
    now = [NOW]
    index = ThreadIndex(clock=lambda: now[0])
    index.upsert([head("a", 30)])
    index.set_view(parse("age<1m"))
    assert list(index.order) == ["a"]
    now[0] += 60
    again = index.arrangement()
    again.compute()
    index.adopt(again)
    assert list(index.order) == []
    index.upsert([head("b", -50)])
    assert list(index.order) == ["b"]


def test_only_the_latest_arrangement_counts():
    index = ThreadIndex.built([head("a"), head("b")])
    first, second = index.arrangement(View(parse("id:a"))), index.arrangement(View(parse("id:b")))
    assert first.compute()
    assert second.compute()
    assert not index.adopt(first)
    assert index.adopt(second)
    assert not index.adopt(second)
    assert list(index.order) == ["b"]


def test_a_row_that_changes_twice_meanwhile_is_shown_once():
    index = ThreadIndex.built([head("other", 30), head("a", 30), head("b", 20), head("c", 10)])
    asked = index.arrangement(View(parse("!other"), "active", True))
    index.upsert([head("a", 15)])
    asked.compute()
    index.upsert([head("a", 5)])
    index.remove(["b"])
    assert index.adopt(asked)
    assert list(index.order) == ["c", "a"]


def test_a_cancelled_arrangement_is_not_adopted():
    index = ThreadIndex.built([head("a")])
    asked = index.arrangement(View(parse("id:b")))
    assert not asked.compute(lambda: True)
    assert not index.adopt(asked)
    assert list(index.order) == ["a"]


def test_an_unknown_order_is_refused_and_changes_nothing():
    index = ThreadIndex.built([head("a")])
    with pytest.raises(KeyError):
        index.set_view(parse(""), "colour")
    assert list(index.order) == ["a"]
    assert index.view == View()


def test_revision_grows_with_every_change_and_only_then():
    index = ThreadIndex()
    seen = [index.revision]
    for change in (
        lambda: index.upsert([head("a")]),
        lambda: index.set_counts({"a": 1}),
        lambda: index.set_summaries({"a": summary(StatusName.DONE)}),
        lambda: index.set_view(parse("a")),
        lambda: index.remove(["a"]),
    ):
        change()
        seen.append(index.revision)
    assert seen == sorted(set(seen))
    index.upsert([])
    index.remove(["a"])
    index.set_counts({"gone": 1})
    assert index.revision == seen[-1]


@settings(max_examples=30)
@given(st.lists(st.tuples(st.sampled_from([0, 1, 2]), st.integers(0, 5000)), max_size=60), st.booleans())
def test_long_orders_split_and_join(operations, reverse):
    """Enough rows for several lists in a row; every operation touches a thousand of them."""
    index = ThreadIndex.built([], View(parse(""), "thread", reverse))
    model: set[str] = set()
    for operation, start in operations[:12]:
        ids = [f"{n:05d}" for n in range(start, start + 1500, 1 + start % 3)]
        if operation == 2:
            index.remove(ids)
            model.difference_update(ids)
        else:
            index.upsert([head(thread_id) for thread_id in ids])
            model.update(ids)
    expected = sorted(model, reverse=reverse)
    assert list(index.order) == expected
    assert [index.position(thread_id) for thread_id in expected[::97]] == list(range(0, len(expected), 97))
    assert all(index.order[n] == expected[n] for n in range(0, len(expected), 53))
    with pytest.raises(IndexError):
        index.order[len(expected)]


def test_a_hundred_thousand_rows_take_small_changes_quickly():
    heads = [head(f"t{n:06d}", float(n * 7919 % 100_003)) for n in range(100_000)]
    index = ThreadIndex.built(heads)
    index.set_view(parse(""), "active", True)
    moved = [head(f"t{n:06d}", -1.0 - n) for n in range(0, 100_000, 2000)]
    assert steps(lambda: index.upsert(moved)) < 1500 * len(moved)
