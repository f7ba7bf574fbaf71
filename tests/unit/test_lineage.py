"""The drawn history: every checkpoint once, and lines that lead from each checkpoint to its parent."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from backends.lanes import MAX_LANES, NODE, START, draw
from backends.lineage import CheckpointLine, FolderLine, Lineage, build
from backends.model import CheckpointKey, CheckpointRow
from tests.work import steps

THREAD = "t"


def checkpoint_id(number: int) -> str:
    """A uuid6 whose time is `number` seconds after 2023."""
    ticks = 0x1ED_8000_0000_0000 + number * 10_000_000
    return f"{ticks >> 28:08x}-{ticks >> 12 & 0xFFFF:04x}-6{ticks & 0xFFF:03x}-8000-000000000000"


def row(
    number: int, parent: int | None = None, ns: str = "", hosts: Mapping[str, int] | None = None, source: str = "loop"
) -> CheckpointRow:
    metadata = {"source": source, "step": number, "parents": {ns: checkpoint_id(n) for ns, n in (hosts or {}).items()}}
    return CheckpointRow(
        CheckpointKey(THREAD, ns, checkpoint_id(number)),
        None if parent is None else checkpoint_id(parent),
        json.dumps(metadata).encode(),
        number,
        source,
        100,
    )


def everything(lineage: Lineage) -> list[str]:
    """The history with all folders open, as it would be drawn."""
    return [
        line.graph + (f"▾ {line.label} {line.count}" if isinstance(line, FolderLine) else str(line.row.step))
        for line in lineage.lines(lineage.folders)
    ]


def test_a_straight_history_is_one_column():
    assert everything(build([row(0), row(1, 0), row(2, 1)])) == ["○ 2", "○ 1", "◇ 0"]


def test_a_fork_leaves_the_old_branch_beside_the_trunk():
    rows = [row(0), row(1, 0), row(2, 1), row(3, 2), row(4, 1, source="fork"), row(5, 4)]
    assert everything(build(rows)) == ["○ 5", "○ 4", "│ ○ 3", "├─○ 2", "○ 1", "◇ 0"]


def test_many_forks_from_one_checkpoint_stay_narrow():
    rows = [row(0), *(row(n, 0) for n in range(1, 40))]
    drawn = everything(build(rows))
    assert drawn[0] == "○ 39"
    assert drawn[1:-1] == [f"├─○ {n}" for n in range(38, 0, -1)]
    assert drawn[-1] == "◇ 0"


def test_lines_cross_between_a_branch_and_its_trunk():
    # 7 <- 1, 6 <- 2, 5 <- 3, then 4 joins the trunk of 1 across two others
    rows = [row(0), row(1, 0), row(2, 0), row(3, 0), row(4, 1), row(5, 3), row(6, 2), row(7, 1)]
    assert everything(build(rows)) == [
        "○ 7",
        "│ ○ 6",
        "│ │ ○ 5",
        "├─┼─┼─○ 4",
        "│ │ ○ 3",
        "│ ○ │ 2",
        "○ │ │ 1",
        "◇─┴─╯ 0",
    ]


def test_a_subgraph_call_hangs_below_the_checkpoint_whose_step_made_it():
    sub = "research:6f0f"
    rows = [
        row(0),
        row(1, 0),
        row(2, None, sub, {"": 1}),
        row(3, 2, sub, {"": 1}),
        row(4, None, f"{sub}|deep:77aa", {"": 1, sub: 3}),
        row(5, 1),
    ]
    lineage = build(rows)
    assert everything(lineage) == [
        "○ 5",
        "○ 1",
        "│ ▾ research 2",
        "│   ○ 3",
        "│   │ ▾ deep 1",
        "│   │   ◇ 4",
        "│   ◇ 2",
        "◇ 0",
    ]
    closed = lineage.lines()
    assert [type(line) for line in closed] == [CheckpointLine, CheckpointLine, FolderLine, CheckpointLine]
    assert not any(line.opened for line in closed if isinstance(line, FolderLine))
    deep = CheckpointKey(THREAD, f"{sub}|deep:77aa", checkpoint_id(4))
    assert [lineage.folders[key].label for key in lineage.folders_above(deep)] == ["deep", "research"]
    assert lineage.folders_above(CheckpointKey(THREAD, "", checkpoint_id(5))) == []


def test_a_second_call_in_one_task_is_numbered():
    rows = [row(0), row(1, None, "n:aa", {"": 0}), row(2, None, "n:aa|1", {"": 0})]
    labels = [line.label for line in build(rows).lines() if isinstance(line, FolderLine)]
    assert labels == ["n/#2", "n"]


def test_a_subgraph_with_its_own_checkpointer_has_a_folder_for_each_call():
    rows = [row(0), row(1, None, "sub", {"": 0}), row(2, 0), row(3, 1, "sub", {"": 2})]
    assert everything(build(rows)) == ["○ 2", "│ ▾ sub 1", "│   ○ 3", "◇ 0", "  ▾ sub 1", "    ◇ 1"]


def test_without_a_root_namespace_the_newest_namespace_has_the_head():
    lineage = build([row(1, None, "mine"), row(2, 1, "mine"), row(0, None, "other")])
    assert lineage.head == CheckpointKey(THREAD, "mine", checkpoint_id(2))
    assert [(folder.key.ns, folder.stray) for folder in lineage.folders.values()] == [("mine", True), ("other", True)]
    assert [line.key for line in lineage.lines(lineage.folders) if isinstance(line, CheckpointLine) and line.head] == [
        lineage.head
    ]


def test_a_call_whose_host_is_not_read_yet_stands_where_its_time_puts_it():
    rows = [row(9, 8), row(8), row(5, None, "s:1", {"": 3}), row(1)]
    assert everything(build(rows)) == ["○ 9", "◇ 8", "  ▾ s 1", "    ◇ 5", "◇ 1"]


def test_durations_and_the_head():
    lines = [line for line in build([row(0), row(7, 0), row(3, None)]).lines() if isinstance(line, CheckpointLine)]
    assert [(line.row.step, line.elapsed, line.head) for line in lines] == [
        (7, 7.0, True),
        (3, None, False),
        (0, None, False),
    ]


def test_ids_without_time_have_no_duration():
    ids = [
        CheckpointRow(CheckpointKey(THREAD, "", name), parent, b"", None, None, 1)
        for name, parent in (("b", "a"), ("a", None))
    ]
    assert [line.elapsed for line in build(ids).lines() if isinstance(line, CheckpointLine)] == [None, None]


def test_a_parent_written_by_a_slow_clock_is_still_below_its_child():
    drawn = everything(build([row(1, 5), row(5, None)]))
    assert drawn == ["○ 1", "◇ 5"]


def test_an_empty_history():
    lineage = build([])
    assert (lineage.head, lineage.count, lineage.lines()) == (None, 0, [])


@pytest.mark.parametrize(
    "metadata", [b"", b"not json", b"[]", b'{"parents": 3}', b'{"parents": {"": 3}}', b'{"parents": {"": null}}']
)
def test_metadata_that_makes_no_sense_leaves_a_folder_at_the_top(metadata: bytes):
    hostile = CheckpointRow(CheckpointKey(THREAD, "ns", "x"), "x", metadata, None, "??", 0)
    assert everything(build([hostile])) == ["▾ ns 1", "  ◇ None"]


def test_rings_of_parents_and_hosts_end():
    rows = [row(1, 2), row(2, 1), row(3, 3), row(4, None, "a", {"": 0, "bb": 5}), row(5, None, "bb", {"": 0, "a": 4})]
    lineage = build(rows)
    assert sorted(line.row.step for line in lineage.lines(lineage.folders) if isinstance(line, CheckpointLine)) == [
        1,
        2,
        3,
        4,
        5,
    ]


# Properties

forests = st.lists(st.one_of(st.none(), st.integers(0, 60)), max_size=60).map(
    lambda parents: [row(n, None if p is None or n == 0 else p % n) for n, p in enumerate(parents)]
)
"""Forests whose parents are older than their children."""

anything = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.one_of(st.none(), st.integers(0, 12)),
        st.sampled_from(["", "a:1", "a:1|b:2", "c"]),
        st.dictionaries(st.sampled_from(["", "a:1", "a:1|b:2", "c"]), st.integers(0, 12), max_size=3),
    ),
    max_size=30,
).map(lambda items: [row(number, parent, ns, hosts) for number, parent, ns, hosts in items])
"""Rows that point anywhere: rings, missing parents, repeated keys."""


@given(anything)
def test_every_checkpoint_is_listed_exactly_once(rows: list[CheckpointRow]):
    lineage = build(rows)
    listed = [line.key for line in lineage.lines(lineage.folders) if isinstance(line, CheckpointLine)]
    assert sorted(listed) == sorted({item.key for item in rows})
    assert len([line for line in lineage.lines(lineage.folders) if isinstance(line, FolderLine)]) == len(
        lineage.folders
    )
    assert sum(line.head for line in lineage.lines(lineage.folders) if isinstance(line, CheckpointLine)) == bool(rows)


@given(anything)
def test_opening_the_folders_above_a_checkpoint_lists_it(rows: list[CheckpointRow]):
    lineage = build(rows)
    for key in {item.key for item in rows}:
        lines = lineage.lines(set(lineage.folders_above(key)))
        assert key in {line.key for line in lines if isinstance(line, CheckpointLine)}


@given(forests)
def test_every_line_leads_from_a_checkpoint_to_its_parent(rows: list[CheckpointRow]):
    lines = [line for line in build(rows).lines() if isinstance(line, CheckpointLine)]
    graphs = [line.graph for line in lines]
    assume(not any("…" in graph for graph in graphs))
    for index, line in enumerate(lines):
        end = follow(graphs, index)
        assert (None if end is None else lines[end].row.key.checkpoint_id) == line.row.parent_id


def follow(graphs: Sequence[str], start: int) -> int | None:
    """Walk from a checkpoint along the drawn line; return the row of the checkpoint that it leads to."""
    line = graphs[start]
    if START in line:
        return None
    column = line.index(NODE)
    if line[column - 1 : column] == "─":
        column = line.rindex("├", 0, column)
    for below in range(start + 1, len(graphs)):
        cell = graphs[below][column]
        if cell in (NODE, START, "╯", "┴"):
            return below
        assert cell in "│┼├", "the line breaks off"
    return None


@given(forests)
def test_the_drawing_never_grows_beyond_its_columns(rows: list[CheckpointRow]):
    assert all(len(line.graph) <= 2 * MAX_LANES + 1 for line in draw(rows))


def test_ten_thousand_checkpoints_with_forks_are_drawn_in_a_moment():
    dice = random.Random(7)
    rows = [row(0)]
    for number in range(1, 10_000):
        rows.append(row(number, number - 1 if dice.random() < 0.95 else dice.randrange(number)))
    assert len(build(rows).lines()) == 10_000
    assert steps(lambda: build(rows).lines()) < 2_000 * len(rows)
