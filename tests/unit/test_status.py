"""Status from snapshots made by hand: layouts that no present LangGraph writes, and rows that nothing sane writes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.decode import Decoder
from backends.model import NULL_TASK, Blob, CheckpointKey, Snapshot, StatusName, TaskState, Write
from backends.status import analyse, summarise
from backends.topology import Topology, learn
from backends.values import Encrypted, Typed

ID = "1f1e5735-2b77-6716-8001-693cfa3047a0"
DECODER = Decoder()


def snapshot(version: Any = 4, versions: Any = None, seen: Any = None, values: Any = None, **more: Any) -> Snapshot:
    fields: dict[str, Any] = {
        "key": CheckpointKey("t", "", ID),
        "parent_id": None,
        "version": version,
        "ts": None,
        "values": values or {},
        "channel_versions": versions or {},
        "versions_seen": seen or {},
        "pending_sends": (),
        "updated_channels": None,
        "metadata": {"step": 1, "source": "loop"},
        "writes": (),
    }
    return Snapshot(**(fields | more))


def row(channel: str, value: str = "", task: str = "task-1", path: str | None = None, idx: int = 0) -> Write:
    return Write(ID, task, path, idx, channel, Blob("json", f'"{value}"'.encode()))


def test_nothing_due_is_done() -> None:
    found = analyse(snapshot(versions={"log": 3, "branch:to:a": 2}, seen={"a": {"branch:to:a": 2}}), DECODER)
    assert (found.status, found.reason, found.inferred) == (StatusName.DONE, "", False)


def test_summary_keeps_what_the_list_shows() -> None:
    found = analyse(snapshot(versions={"branch:to:a": 2}, values={"branch:to:a": None}), DECODER)
    summary = summarise(found)
    assert (summary.status, summary.next, summary.interrupts) == (StatusName.STALLED, ("a",), 0)


def test_problem_is_unknown_with_its_reason() -> None:
    found = analyse(snapshot(problem="encrypted (msgpack+aes): no key"), DECODER)
    assert (found.status, found.reason) == (StatusName.UNKNOWN, "encrypted (msgpack+aes): no key")


def test_hand_written_row_is_unknown() -> None:
    found = analyse(snapshot(version=None, metadata={}), DECODER)
    assert found.status is StatusName.UNKNOWN
    assert "written by hand" in found.reason


def test_hand_written_row_with_an_error_has_failed() -> None:
    rows = (row("__error__", "it broke", idx=-1),)
    found = analyse(snapshot(version=None, key=CheckpointKey("t", "", "short-id"), writes=rows), DECODER)
    assert (found.status, found.reason, found.next) == (StatusName.FAILED, "it broke", ("?",))
    assert found.inferred


def test_a_consumed_channel_triggers_again_only_by_a_later_version() -> None:
    seen = {"a": {"branch:to:a": "00000000000000000000000000000002.9"}}
    for version, due in (("00000000000000000000000000000002.9", ()), ("00000000000000000000000000000003.1", ("a",))):
        found = analyse(snapshot(versions={"branch:to:a": version}, seen=seen, values={"branch:to:a": None}), DECODER)
        assert found.next == due


def test_join_with_plus_in_its_names() -> None:
    for arrived, due in ((["a+b"], ()), (["a+b", "c"], ("d",))):
        values = {"join:a+b+c:d": Typed("builtins", "set", arrived, "call")}
        assert analyse(snapshot(versions={"join:a+b+c:d": 1}, values=values), DECODER).next == due


def test_deferred_join_waits_for_the_end() -> None:
    arrived = Typed("builtins", "set", ["a", "b"], "call")
    for finished, due in ((False, ()), (True, ("d",))):
        values = {"join:a+b:d": [arrived, finished]}
        assert analyse(snapshot(versions={"join:a+b:d": 1}, values=values), DECODER).next == due


def test_error_beside_output_is_inferred_while_others_are_due() -> None:
    """It may be a router that raised, or an attempt before the one that worked."""
    rows = (
        row("log", "x", path="~__pregel_pull, a"),
        row("__error__", "E()", path="~__pregel_pull, a", idx=-1),
    )
    due = {"branch:to:a": None, "branch:to:b": None}
    found = analyse(snapshot(versions=dict.fromkeys(due, 2), values=due, writes=rows), DECODER)
    assert (found.status, found.next, found.inferred) == (StatusName.FAILED, ("b",), True)


def test_null_task_rows_are_no_task() -> None:
    rows = (row("__resume__", "yes", task=NULL_TASK, idx=-4),)
    assert analyse(snapshot(versions={"log": 1}, writes=rows), DECODER).status is StatusName.DONE


@pytest.mark.parametrize("channel", ["__pregel_tasks", "join:a+b:c", "branch:to:late"])
def test_trigger_that_cannot_be_read_is_unknown(channel: str) -> None:
    """A Postgres store without its key: the checkpoint itself is in clear, its channels are not."""
    value = Encrypted("msgpack+aes", "no key given", b"")
    head = snapshot(versions={channel: 2, "log": 2}, values={channel: value, "log": value})
    found = analyse(head, DECODER)
    assert (found.status, found.reason) == (StatusName.UNKNOWN, f"{channel} cannot be read: no key given")
    rows = (row("__error__", "E()", path="~__pregel_pull, late", idx=-1),)
    failed = snapshot(versions={channel: 2}, values={channel: value}, writes=rows)
    assert analyse(failed, DECODER).status is StatusName.FAILED


# --- old layouts -------------------------------------------------------------------------------------------------

OLD = {"start:a": 2, "a": 3, "log": 3}


def test_old_layout_names_what_it_can() -> None:
    for channel in ("start:b", "branch:a:route:b"):
        found = analyse(snapshot(version=1, versions={channel: 2}, values={channel: "a"}), DECODER)
        assert (found.status, found.next, found.inferred) == (StatusName.STALLED, ("b",), False)


def test_old_layout_alone_cannot_tell_what_follows_a_node() -> None:
    found = analyse(snapshot(version=1, versions=OLD, values={"a": "a"}, seen={"a": {"start:a": 2}}), DECODER)
    assert (found.status, found.inferred) == (StatusName.DONE, True)
    assert found.reason == "old layout v1: nothing in the store shows what follows 'a'"


def test_old_layout_learns_the_edge_from_a_sibling() -> None:
    sibling = snapshot(
        version=1,
        versions=OLD | {"b": 4},
        seen={"a": {"start:a": 2}, "b": {"a": 3}},
        key=CheckpointKey("sibling", "", ID),
    )
    stranger = snapshot(version=1, versions={"start:x": 1, "x": 2, "other": 2}, seen={"z": {"x": 2}})
    topology = learn([sibling, stranger])
    head = snapshot(version=1, versions=OLD, values={"a": "a"}, seen={"a": {"start:a": 2}})
    found = analyse(head, DECODER, topology)
    assert (found.status, found.next, found.inferred) == (StatusName.STALLED, ("b",), True)


def test_old_layout_knows_the_edge_from_the_thread_itself() -> None:
    seen = {"a": {"start:a": 5}, "b": {"a": 3}}
    head = snapshot(version=1, versions={"start:a": 5, "a": 6, "b": 4}, values={"a": "a"}, seen=seen)
    found = analyse(head, DECODER)
    assert (found.status, found.next, found.inferred) == (StatusName.STALLED, ("b",), False)


def test_pending_sends_of_old_layouts() -> None:
    sends = (Typed("langgraph.types", "Send", ["work", {}], "call*"), {"kwargs": {"node": "other", "arg": 1}})
    assert analyse(snapshot(version=3, versions={"log": 1}, pending_sends=sends), DECODER).next == ("work", "other")


def test_graph_that_is_no_state_graph_is_inferred() -> None:
    head = snapshot(versions={"in": 3, "out": 2}, values={"in": 1}, seen={"node": {"in": 1}})
    found = analyse(head, DECODER)
    assert (found.status, found.next, found.inferred) == (StatusName.STALLED, ("node",), True)


def test_functional_entrypoint_is_named_by_a_sibling() -> None:
    fresh = snapshot(versions={"__start__": 1}, values={"__start__": 7}, metadata={"step": -1, "source": "input"})
    done = snapshot(versions={"__start__": 1, "__end__": 2}, seen={"workflow": {"__start__": 1}, "step_one": {}})
    assert analyse(fresh, DECODER, learn([done])).next == ("workflow",)
    assert analyse(fresh, DECODER, learn([done])).inferred
    assert analyse(fresh, DECODER).next == ("__start__",)
    assert not analyse(fresh, DECODER).inferred


# --- whatever a store may hold -----------------------------------------------------------------------------------

texts = st.sampled_from(
    ["a", "a:b", "join:a+b:c", "join::", "branch:to:a", "branch:a:r:b", "start:a", "__start__", "__pregel_tasks", ""]
)
scalars = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.floats(), texts, st.binary(max_size=3))
things = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))
paths = st.sampled_from(
    [
        None,
        "",
        "~",
        ", , ,",
        "~__pregel_pull, a",
        "~__pregel_pull, ",
        "~__pregel_push, 0000000000, 0000000000",
        "~__pregel_push, x",
        "~__pregel_push, ~",
        "~__pregel_push, ~__pregel_pull, a, 0000000000, 0000000001",
    ]
)
channels = st.sampled_from(["__error__", "__interrupt__", "__resume__", "__error_source_node__", "__return__", "a"])
json_blobs = st.sampled_from([b"1", b'"x"', b"[]", b'[{"value": 1}]', b"{", b'{"kwargs": {"value": 2, "ns": [1]}}'])
rows = st.builds(
    Write,
    st.just(ID),
    st.sampled_from(["t1", "t2", NULL_TASK, ""]),
    paths,
    st.integers(-5, 5),
    channels,
    st.builds(Blob, st.sampled_from(["json", "null", "msgpack", "x"]), json_blobs),
)


@given(
    version=st.sampled_from([None, 1, 2, 3, 4, 99]),
    versions=st.dictionaries(texts, things, max_size=4),
    seen=st.dictionaries(texts, st.dictionaries(texts, things, max_size=3), max_size=3),
    values=st.dictionaries(texts, things, max_size=4),
    sends=st.lists(things, max_size=3),
    metadata=st.dictionaries(st.sampled_from(["step", "source"]), things),
    writes=st.lists(rows, max_size=6),
    checkpoint=st.sampled_from([ID, "short", "", "zz" * 18]),
)
def test_any_rows_give_an_answer(
    version: Any,
    versions: Any,
    seen: Any,
    values: Any,
    sends: list[Any],
    metadata: Any,
    writes: list[Write],
    checkpoint: str,
) -> None:
    head = snapshot(
        version,
        versions,
        seen,
        values,
        pending_sends=tuple(sends),
        metadata=metadata,
        writes=tuple(writes),
        key=CheckpointKey("t", "", checkpoint),
    )
    for topology in (None, Topology(), learn([head])):
        found = analyse(head, DECODER, topology)
        assert isinstance(found.status, StatusName)
        assert isinstance(found.reason, str)
        assert "\n" not in found.reason
        assert all(isinstance(task.state, TaskState) for task in found.tasks)


def test_a_step_of_many_sends_costs_little() -> None:
    count = 3000
    sends = [Typed("langgraph.types", "Send", ["work", {}], "call*")] * count
    written = tuple(
        row("log", task=f"task-{index}", path=f"~__pregel_push, {index:010d}, 0000000000") for index in range(count)
    )
    head = snapshot(versions={"__pregel_tasks": 1}, values={"__pregel_tasks": sends}, writes=written)
    found = analyse(head, DECODER)
    assert found.next == ()
    assert {task.state for task in found.tasks} == {TaskState.FINISHED}


@pytest.mark.parametrize("message", ["CancelledError()", "CancelledError('stopped')"])
def test_only_cancelled_tasks_are_cancelled(message: str) -> None:
    rows = (row("__error__", message, path="~__pregel_pull, a", idx=-1),)
    found = analyse(snapshot(versions={"branch:to:a": 1}, values={"branch:to:a": None}, writes=rows), DECODER)
    assert (found.status, found.reason) == (StatusName.CANCELLED, "cancelled")
