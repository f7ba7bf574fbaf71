"""The rows that the tabs of a thread make of what the store holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import pytest

from backends.decode import Decoder
from backends.diff import diff as compare
from backends.model import NULL_TASK, Analysis, Blob, CheckpointKey, Interrupt, StatusName, Task, TaskState, Write
from backends.outline import Node, Outline, Tone
from backends.unfold import value_node
from backends.values import DeltaValue, Encrypted, Typed, Undecodable
from tui.finding import Matches, find
from tui.tabs.cache import Cache
from tui.tabs.diff import change_nodes
from tui.tabs.request import Answer, Request, note
from tui.tabs.state import channel_nodes
from tui.tabs.states import State, States
from tui.tabs.tasks import task_nodes
from tui.tabs.writes import write_nodes


def rows(nodes: Iterable[Node], depth: int = 0) -> Iterator[str]:
    """Rows as they would be read, with what is unfolded from the start."""
    for node in nodes:
        text = node.brief if node.open and node.brief is not None else node.text
        parts = (node.mark, node.name, node.label, repr(node.value) if text is None else text)
        yield "  " * depth + " ".join(part for part in parts if part)
        if node.open and node.unfold is not None:
            yield from rows(node.unfold(), depth + 1)


def message(text: str, id: str) -> Typed:  # noqa: A002
    return Typed(
        "langchain_core.messages.human", "HumanMessage", {"content": text, "type": "human", "id": id}, "pydantic2"
    )


# State


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ([1, 2, 3], "list 3 · 7 B"),
        (DeltaValue([1], True, (2, 3, 4)), "seed + 3 deltas · 7 B"),
        (DeltaValue(None, False, ([1],)), "1 delta · 7 B"),
        (DeltaValue([1], True, ()), "seed · 7 B"),
        (DeltaValue(None, False, (1, 2), complete=False), "2 deltas, ancestors missing · 7 B"),
        (message("hi", "1"), "HumanMessage · 7 B"),
        (Encrypted("msgpack+aes", "no key", b""), "encrypted · 7 B"),
        (Undecodable("cut short", b""), "not readable · 7 B"),
    ],
)
def test_a_channel_says_its_type_and_size(value: object, label: str):
    (node,) = channel_nodes({"c": value}, {"c": 7}, 80)
    assert node.label == label


def test_small_channels_are_unfolded_and_long_ones_are_not():
    values = {"few": [1, 2], "many": list(range(13)), "none": [], "text": "x"}
    assert [node.open for node in channel_nodes(values, dict.fromkeys(values, 1), 80)] == [True, False, False, False]


def test_folded_messages_show_the_last_one():
    (node,) = channel_nodes({"messages": [message("first", "1"), message("last", "2")]}, {"messages": 9}, 80)
    assert node.text == "… human: last"


# Diff


def changes(old: object, new: object, width: int = 80) -> list[str]:
    return list(rows(change_nodes(compare(old, new), width)))


def test_nothing_changed():
    assert changes({"a": 1}, {"a": 1}) == ["no change"]


def test_scalars_stand_on_one_row_and_say_old_and_new():
    found = changes({"a": 1, "b": "x"}, {"a": 2, "b": "y"})
    assert found == ["~ a changed 1 → 2", '~ b changed "x" → "y"']


def test_appended_messages_are_counted_and_listed():
    old = {"messages": [message("a", "1")]}
    new = {"messages": [message("a", "1"), message("b", "2"), message("c", "3")]}
    assert changes(old, new) == ["~ messages +2 messages", "  + [1] human b", "  + [2] human c"]


def test_texts_are_compared_by_line_with_a_little_around():
    old = "\n".join(f"line {n}" for n in range(20))
    new = old.replace("line 10\n", "line ten\n")
    found = changes({"t": old}, {"t": new})
    assert found[0].endswith("+1 −1 line")
    assert [row.strip() for row in found[1:]] == [
        "… 8 unchanged lines",
        "line 8",
        "line 9",
        "− line 10",
        "+ line ten",
        "line 11",
        "line 12",
        "… 7 unchanged lines",
    ]


def test_long_lines_are_broken_to_the_width():
    found = changes({"t": "a\n" + "word " * 100}, {"t": "b\n" + "word " * 100}, width=40)
    assert all(len(row) <= 40 for row in found)


def test_values_that_do_not_fit_on_one_row_stand_one_above_the_other():
    found = changes({"v": "x" * 50}, {"v": [1, 2, 3]}, width=60)
    assert len(found) == 3
    assert found[1].startswith("  − ")
    assert found[2].startswith("  + ")


def test_a_change_deep_inside_says_where():
    found = changes({"o": {"lines": [{"sku": "a"}]}}, {"o": {"lines": [{"sku": "b"}]}})
    assert "~ lines[0].sku" in found[1]


def test_very_many_changes_come_in_ranges():
    nodes = change_nodes(compare({"l": []}, {"l": list(range(1000))}), 80)
    assert nodes[0].unfold is not None
    assert len(nodes[0].unfold()) == 10


def test_gone_and_new_channels():
    found = changes({"old": 1}, {"new": {"x": 1}})
    assert found[0].startswith("− old gone")
    assert found[1].startswith("+ new new")


# Tasks


def analysis(*tasks: Task, status: str = "stalled", reason: str = "crashed, or running elsewhere") -> Analysis:
    return Analysis(StatusName(status), reason, tasks=tasks)


def test_every_state_of_a_task_has_a_glyph_and_a_word():
    tasks = [Task(f"id{state}", "n", "pull", "", state) for state in TaskState]
    found = [node for node in task_nodes(analysis(*tasks), 80) if node.name]
    assert [(node.mark, (node.text or "").split()[0]) for node in found] == [
        ("○", "due"),
        ("✓", "finished"),
        ("?", "waiting"),
        ("✖", "failed"),
        ("✓", "handled"),
    ]


def test_what_was_concluded_is_marked():
    (_, node) = task_nodes(analysis(Task("i", "n", "pull", "", TaskState.DUE, inferred=True)), 80)
    assert (node.text or "").startswith("due?")
    assert node.unfold is not None
    assert any("concluded" in (row.text or "") for row in node.unfold())


def test_a_question_shows_its_value_its_schema_and_its_id():
    interrupt = Interrupt("q1", {"ask": "ok?"}, "n", "t", "n:t", {"type": "boolean"})
    task = Task("t", "n", "pull", "~__pregel_pull, n", TaskState.WAITING, (interrupt,))
    found = list(rows(task_nodes(analysis(task, status="waiting"), 80)))
    assert found[0] == "? n waiting"
    assert found[1:3] == ["  question", "    ask 'ok?'"]
    assert any("answer JSON Schema" in row for row in found)
    assert any("q1" in row for row in found)


def test_questions_errors_and_ids_are_found():
    asks = Task("t1", "ask", "pull", "", TaskState.WAITING, (Interrupt("q1", {"text": "approve?"}, "ask", "t1", ""),))
    fails = Task("t2", "load", "pull", "", TaskState.FAILED, error="ConnectionError('refused')")
    nodes = list(task_nodes(analysis(asks, fails, status="waiting"), 80))
    for text in ("approve", "refused", "q1", "t2", "load"):
        assert find(nodes, re.compile(text), lambda: False).trails, text


def test_the_status_is_said_where_the_tasks_do_not():
    assert list(rows(task_nodes(analysis(), 80))) == [
        "↯ stalled · crashed, or running elsewhere",
        "No task starts from this checkpoint.",
    ]


# Writes


def write(task: str, idx: int, channel: str, data: bytes = b"\x01", path: str | None = None) -> Write:
    return Write("c", task, path, idx, channel, Blob("msgpack", data))


def test_writes_are_grouped_by_task_with_idx_type_and_size():
    writes = [write("t1", 0, "a", path="~__pregel_pull, n"), write("t1", 1, "b"), write(NULL_TASK, 0, "__resume__")]
    found = list(rows(write_nodes(writes, {"t1": "n"}, Decoder(), 80)))
    assert found == [
        "n 2 rows ~__pregel_pull, n",
        "  a #0 msgpack 1 B 1",
        "  b #1 msgpack 1 B 1",
        f"command 1 row {NULL_TASK}",
        "  __resume__ #0 msgpack 1 B 1",
    ]


def test_a_write_without_bytes_says_so():
    found = list(rows(write_nodes([Write("c", "t", None, 0, "a", Blob(None, None))], {}, Decoder(), 80)))
    assert found[1].startswith("  a #0 - NULL")


# What was read is kept


def key(number: int) -> CheckpointKey:
    return CheckpointKey("t", "", f"c{number}")


def test_answers_are_kept_up_to_a_number_of_bytes_but_the_last_one_always():
    cache = Cache(budget=100)
    for number in range(5):
        cache.put("State", Request(key(number)), Answer((note("x"),), 40))
    assert [cache.get("State", Request(key(number))) is not None for number in range(5)] == [
        False,
        False,
        False,
        True,
        True,
    ]
    cache.put("State", Request(key(9)), Answer((note("x"),), 1000))
    assert cache.get("State", Request(key(9))) is not None
    assert cache.get("State", Request(key(4))) is None


def test_only_the_tabs_that_may_have_changed_are_forgotten():
    cache = Cache()
    for tab in ("State", "Tasks"):
        cache.put(tab, Request(key(1)), Answer((note("x"),)))
    cache.forget("Tasks", "Writes")
    assert cache.get("State", Request(key(1))) is not None
    assert cache.get("Tasks", Request(key(1))) is None


def test_states_are_read_once_and_let_go_of_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch):
    read: list[CheckpointKey] = []

    def fake(reader: object, wanted: CheckpointKey) -> State:
        read.append(wanted)
        return State({"x": 1}, {"x": 60})

    monkeypatch.setattr(States, "_read", staticmethod(fake))
    states = States(budget=100)
    for number in (1, 2, 1, 2, 3, 1):
        states.of(None, key(number))  # type: ignore[arg-type]
    assert read == [key(1), key(2), key(3), key(1)], "two are always kept: a checkpoint and what it is compared with"


# Going from match to match


def found(nodes: Sequence[Node], text: str) -> Matches:
    return find(nodes, re.compile(text), lambda: False)


def test_matches_are_gone_through_in_order_and_round_the_end():
    nodes = [
        value_node(("a",), "a", {"x": "hit"}),
        value_node(("b",), "b", "hit"),
        value_node(("c",), "c", ["no", "hit"]),
    ]
    matches, outline, cursor = found(nodes, "hit"), Outline(nodes), 0
    visited = []
    for _ in range(4):
        trail = matches.after(outline.rows, cursor)
        assert trail is not None
        cursor = outline.reveal(trail) or 0
        visited.append((outline.rows[cursor].node.path, matches.place(outline.rows[cursor].node.path)))
    assert visited == [
        (("a", "x"), "1 of 3"),
        (("b",), "2 of 3"),
        (("c", 1), "3 of 3"),
        (("a", "x"), "1 of 3"),
    ]
    trail = matches.after(outline.rows, cursor, forward=False)
    assert trail is not None
    assert trail[-1] == ("c", 1)


def test_a_match_in_the_row_of_the_cursor_counts_when_a_search_begins():
    nodes = [value_node(("a",), "a", "hit"), value_node(("b",), "b", "hit")]
    matches = found(nodes, "hit")
    rows_shown = Outline(nodes).rows
    assert matches.after(rows_shown, 0, here=True) == (("a",),)
    assert matches.after(rows_shown, 0, here=False) == (("b",),)


def test_no_match_and_too_many():
    assert found([value_node(("a",), "a", 1)], "zzz").place(()) == "no match"
    many = found([value_node(("a",), "a", ["x"] * 2000)], "x")
    assert many.place(()) == "1,000+ matches"
    assert many.more


def test_a_failed_tone_for_what_cannot_be_read():
    (node,) = channel_nodes({"c": Undecodable("cut short", b"")}, {"c": 0}, 80)
    assert node.tone is Tone.FAILED
