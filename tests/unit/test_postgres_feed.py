"""The change feed against a simulated server: rows in blocks, transactions that overlap, counters that lag."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends import postgres_feed as feed
from backends.postgres_feed import Position, acquainted, advance, begin, first_look, plan, reason_to_reload
from backends.postgres_xids import Found, Heap, Probe, Scan, Xids

FIRST_XID = (7 << 32) - 5
"""So that 32-bit ids wrap early in every run."""


@dataclass
class Row:
    heap: int
    block: int
    xid: int
    thread_id: str


@dataclass
class Server:
    """A cluster with two heaps; ``tests`` decide who writes where and when it commits."""

    lengths: list[int] = field(default_factory=lambda: [200, 200])
    rows: list[Row] = field(default_factory=list)
    running: set[int] = field(default_factory=set)
    aborted: set[int] = field(default_factory=set)
    parents: dict[int, int] = field(default_factory=dict)
    next_xid: int = FIRST_XID
    written: list[int] = field(default_factory=lambda: [0, 0])
    counted: list[int] = field(default_factory=lambda: [0, 0])
    deleted: int = 0

    def begin(self) -> int:
        self.next_xid += 1
        self.running.add(self.next_xid - 1)
        return self.next_xid - 1

    def write(self, xid: int, heap: int, thread_id: str, block: int | None = None) -> None:
        if block is None:
            block = self.lengths[heap]
            self.lengths[heap] += 1
        self.rows.append(Row(heap, block, xid, thread_id))

    def nested(self, parent: int) -> int:
        """A subtransaction: it has an id of its own, which no snapshot names."""
        self.next_xid += 1
        self.parents[self.next_xid - 1] = parent
        return self.next_xid - 1

    def top(self, row: Row) -> int:
        return self.parents.get(row.xid, row.xid)

    def end(self, xid: int, commit: bool = True) -> None:
        """Rows are counted when their transaction ends, committed or not."""
        self.running.discard(xid)
        for row in self.rows:
            self.written[row.heap] += self.top(row) == xid
        if not commit:
            self.aborted.add(xid)

    def commit(self, heap: int, thread_id: str, block: int | None = None) -> None:
        xid = self.begin()
        self.write(xid, heap, thread_id, block)
        self.end(xid)

    def flush_counters(self) -> None:
        self.counted = list(self.written)

    def probe(self) -> Probe:
        xids = Xids(min(self.running, default=self.next_xid), self.next_xid, frozenset(self.running))
        heaps = (Heap(1, length, count, self.deleted) for length, count in zip(self.lengths, self.counted, strict=True))
        return Probe(xids, tuple(heaps))

    def visible(self) -> set[str]:
        return {row.thread_id for row in self.rows if self.top(row) not in self.running | self.aborted}

    def answer(self, scan: Scan) -> list[Found]:
        """What PostgreSQL would return for a scan, at this moment."""
        return [
            Found(scan.heap, row.thread_id, row.xid % (1 << 32), row.block, 1, scan.swept)
            for row in self.rows
            if row.heap == scan.heap
            and any(first <= row.block < end for first, end in scan.ranges)
            and row.xid >= scan.oldest
            and self.top(row) not in self.running | self.aborted
        ]


class Poller:
    def __init__(self, server: Server) -> None:
        self.server = server
        self.now = 100.0
        probe = server.probe()
        writing = any(server.top(row) in server.running for row in server.rows)
        position = begin(probe, self.now, writing=writing)
        found = [row for scan in first_look(position, probe) for row in server.answer(scan)]
        self.position: Position = acquainted(position, found)
        self.known = server.visible()
        self.scanned = 0

    def poll(self, seconds: float = 0.1) -> frozenset[str]:
        self.now += seconds
        probe = self.server.probe()
        assert not reason_to_reload(self.position, probe, self.now, blind=False)
        scans = plan(self.position, probe)
        self.scanned = sum(end - first for scan in scans for first, end in scan.ranges)
        found = [row for scan in scans for row in self.server.answer(scan)]
        self.position, changed = advance(self.position, probe, found, self.now)
        self.known |= changed
        return changed


actions = st.lists(
    st.one_of(
        st.tuples(st.just("begin"), st.just(0)),
        st.tuples(st.sampled_from(["append", "nested", "middle", "commit", "abort"]), st.integers(0, 9)),
        st.tuples(st.sampled_from(["poll", "flush"]), st.just(0)),
    ),
    max_size=60,
)


def play(server: Server, poller: Poller | None, script: list[tuple[str, int]], middle: bool) -> None:
    for number, (action, choice) in enumerate(script):
        open_ = sorted(server.running)
        xid = open_[choice % len(open_)] if open_ else None
        match action:
            case "begin":
                server.begin()
            case "nested" if xid is not None:
                server.write(server.nested(xid), choice % 2, f"thread {len(server.rows)}")
            case "append" | "middle" if xid is not None:
                block = (number * 7) % server.lengths[choice % 2] if action == "middle" and middle else None
                server.write(xid, choice % 2, f"thread {len(server.rows)}", block)
            case "commit" | "abort" if xid is not None:
                server.end(xid, commit=action == "commit")
            case "flush":
                server.flush_counters()
            case "poll" if poller is not None:
                poller.poll()


@settings(max_examples=200)
@given(actions)
def test_appended_rows_are_reported_by_the_first_poll_after_their_commit(script: list[tuple[str, int]]) -> None:
    server = Server()
    poller = Poller(server)
    for step in script:
        play(server, None, [step], middle=False)
        if step[0] == "poll":
            poller.poll()
            assert poller.known == server.visible()
    poller.poll()
    assert poller.known == server.visible()


@settings(max_examples=200)
@given(actions, actions)
def test_rows_anywhere_are_reported_once_the_counters_tell(
    before: list[tuple[str, int]], script: list[tuple[str, int]]
) -> None:
    server = Server()
    play(server, None, before, middle=True)
    poller = Poller(server)
    play(server, poller, script, middle=True)
    for xid in list(server.running):
        server.end(xid)
    server.flush_counters()
    for _ in range(12):
        poller.poll()
    assert poller.known == server.visible()


@settings(max_examples=800)
@given(actions)
def test_without_counters_a_calm_sweep_finds_them(script: list[tuple[str, int]]) -> None:
    server = Server()
    poller = Poller(server)
    play(server, poller, [step for step in script if step[0] != "flush"], middle=True)
    for xid in list(server.running):
        server.end(xid)
    poller.poll(feed.SWEEP_EVERY)
    for _ in range(12):
        poller.poll()
    poller.poll(feed.SWEEP_EVERY + 1)
    for _ in range(12):
        poller.poll()
    assert poller.known == server.visible()


@settings(max_examples=800)
@given(actions, actions)
def test_nothing_is_reported_twice_nor_what_was_there(
    before: list[tuple[str, int]], script: list[tuple[str, int]]
) -> None:
    """Unless a sweep finds it, which cannot always tell; heaps of this size are swept on no hunch."""
    server = Server(lengths=[feed.LARGEST_STUDY, 200])
    play(server, None, before, middle=False)
    for xid in list(server.running):
        if any(server.top(row) == xid for row in server.rows):
            server.end(xid)
    server.flush_counters()
    poller = Poller(server)
    reported: list[str] = sorted(server.visible())
    for step in (step for step in script if step[0] != "flush"):
        play(server, None, [step], middle=False)
        if step[0] == "poll":
            reported += poller.poll()
    assert len(reported) == len(set(reported))


def test_an_idle_server_is_not_scanned() -> None:
    server = Server()
    server.commit(0, "a")
    poller = Poller(server)
    assert poller.poll() == frozenset()
    assert poller.scanned == 0


def test_other_databases_cost_a_look_at_the_tail() -> None:
    server = Server(lengths=[100_000, 100_000])
    poller = Poller(server)
    for _ in range(100):
        server.end(server.begin())
        poller.poll()
        assert poller.scanned <= 2 * feed.MARGIN


def test_a_long_transaction_does_not_make_polls_dearer_until_it_ends() -> None:
    server = Server(lengths=[1000, 1000])
    poller = Poller(server)
    slow = server.begin()
    server.write(slow, 0, "slow")
    for number in range(2000):
        server.commit(0, f"thread {number}")
        assert poller.poll(seconds=0.001) == {f"thread {number}"}
        assert poller.scanned <= 2 * feed.MARGIN + 2
    server.end(slow)
    assert poller.poll() == {"slow"}


def test_a_writer_in_freed_space_is_followed() -> None:
    """The counters reveal the first row; the next ones are found where it was."""
    server = Server(lengths=[50_000, 10])
    poller = Poller(server)
    server.commit(0, "first", block=20_000)
    assert poller.poll() == frozenset()
    server.flush_counters()
    seen: set[str] = set()
    for _ in range(20):
        seen |= poller.poll()
    assert "first" in seen
    for number in range(500):
        server.commit(0, f"next {number}", block=20_000 + number)
        assert f"next {number}" in poller.poll()


def test_a_hunch_finds_the_first_row_in_freed_space_before_the_counters_do() -> None:
    server = Server(lengths=[20_000, 10])
    poller = Poller(server)
    server.commit(0, "first", block=15_000)
    assert poller.poll() == frozenset()
    assert poller.position.hunting
    seen = [poller.poll(0.0) for _ in range(4)]
    assert frozenset({"first"}) in seen
    assert not poller.position.hunting
    server.commit(0, "elsewhere", block=3)
    assert poller.poll() == frozenset()
    assert poller.position.hunting  # the last hunch was right


def test_hunches_that_come_to_nothing_become_rare() -> None:
    server = Server(lengths=[100, 100])
    poller = Poller(server)
    hunts = 0
    for _ in range(1200):  # two minutes of commits to other tables
        server.end(server.begin())
        hunting = poller.position.hunting
        poller.poll()
        hunts += poller.position.hunting and not hunting
    assert 5 <= hunts <= 9


def test_where_rows_were_deleted_the_first_sweep_learns_where_they_are_written() -> None:
    server = Server(lengths=[50_000, 10], deleted=1)
    for number in range(100):
        server.commit(0, f"old {number}", block=20_000 + number)
    poller = Poller(server)
    reported = [poller.poll() for _ in range(20)]
    assert not any(reported)
    for number in range(100, 300):
        server.commit(0, f"next {number}", block=20_000 + number)
        assert poller.poll() == {f"next {number}"}


def test_an_update_in_place_is_reported_when_counted() -> None:
    server = Server(lengths=[10, 5000])
    poller = Poller(server)
    server.commit(1, "answered", block=17)
    server.flush_counters()
    assert any("answered" in poller.poll() for _ in range(5))


def test_a_sweep_leaves_the_counters_explained() -> None:
    """A rolled back insert is counted too; it must not cause sweeps for ever."""
    server = Server(lengths=[5000, 10])
    poller = Poller(server)
    xid = server.begin()
    server.write(xid, 0, "never", block=3)
    server.end(xid, commit=False)
    server.flush_counters()
    for _ in range(10):
        poller.poll()
    server.commit(0, "later")
    server.flush_counters()
    poller.poll()
    assert poller.position.sweep is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"deleted": 1}, "deleted"),
        ({"file": 2}, "rewritten"),
        ({"file": None}, "rewritten"),
        ({"written": 9}, "reset"),
    ],
)
def test_reasons_to_reload(change: dict[str, int], reason: str) -> None:
    heap = Heap(1, 100, 10, 0)
    position = begin(Probe(Xids(5, 5, frozenset()), (heap,)), 0.0, writing=False)
    changed = Probe(Xids(6, 6, frozenset()), (replace(heap, **change),))
    assert reason in reason_to_reload(position, changed, 1.0, blind=False)
    assert not reason_to_reload(position, Probe(Xids(6, 6, frozenset()), (heap,)), 1.0, blind=False)


def test_a_restored_database_is_read_again() -> None:
    heap = Heap(1, 100, 10, 0)
    position = begin(Probe(Xids(50, 50, frozenset()), (heap,)), 0.0, writing=False)
    assert "set back" in reason_to_reload(position, Probe(Xids(40, 40, frozenset()), (heap,)), 1.0, blind=False)


def test_a_server_that_does_not_count_is_reloaded_now_and_then() -> None:
    server = Server()
    poller = Poller(server)
    server.commit(0, "a")
    poller.poll()
    later = poller.now + feed.RELOAD_EVERY + 1
    assert reason_to_reload(poller.position, server.probe(), later, blind=True)
    assert not reason_to_reload(poller.position, server.probe(), later, blind=False)
    assert not reason_to_reload(poller.position, server.probe(), poller.now, blind=True)


def test_snapshots_are_parsed() -> None:
    assert Xids.parse("10:20:10,14,15") == Xids(10, 20, frozenset((10, 14, 15)))
    assert Xids.parse("10:10:") == Xids(10, 10, frozenset())


@given(st.integers(3, 1 << 40), st.integers(0, (1 << 31) - 1))
def test_short_ids_are_widened(xmax: int, age: int) -> None:
    xid = max(0, xmax - age)
    assert Xids(xmax, xmax, frozenset()).widen(xid % (1 << 32)) == xid


def test_transactions_that_have_ended_are_counted() -> None:
    earlier = Xids(10, 20, frozenset((10, 14)))
    assert Xids(14, 25, frozenset((14, 22, 24))).ended_count(earlier) == 4  # 10, 20, 21, 23
    assert earlier.ended_count(earlier) == 0
