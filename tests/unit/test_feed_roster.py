"""The sorted list of heads, against a dictionary."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backends.model import ThreadHead
from backends.roster import Roster

IDS = st.text("abé\ud800", max_size=2)


def head(thread_id: str, step: int = 0) -> ThreadHead:
    return ThreadHead(thread_id, "", "c", "c", b"", step, None)


@given(st.lists(IDS, unique=True), st.lists(st.tuples(IDS, st.integers(0, 2))), IDS, st.integers(1, 3))
def test_is_a_sorted_dictionary(first, operations, after, limit):
    roster = Roster(map(head, first))
    model = {thread_id: head(thread_id) for thread_id in first}
    for thread_id, step in operations:
        if step == 0:
            roster.discard(thread_id)
            model.pop(thread_id, None)
        else:
            roster.put(head(thread_id, step))
            model[thread_id] = head(thread_id, step)
    assert list(roster) == [model[thread_id] for thread_id in sorted(model)]
    assert len(roster) == len(model)
    assert roster.get(after) == model.get(after)
    assert roster.after(None, limit) == list(roster)[:limit]
    assert roster.after(after, limit) == [one for one in roster if one.thread_id > after][:limit]
