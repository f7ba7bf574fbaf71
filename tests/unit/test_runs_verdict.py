"""What the record of a thread's last run says about its head."""

import time
from dataclasses import replace

import pytest

from backends.ids import checkpoint_id_at
from backends.model import StatusName
from backends.runs.run import Run, RunState
from backends.runs.verdict import verdict

NOW = time.time()
HEAD = "1f0a0000-0000-6000-8000-000000000001"
RUN = Run(
    "r1", "/r1", "t", "s", "k", "g", "./g.py:g", "resume", "me@here",
    state=RunState.CRASHED, reason="killed", started_at=NOW, ended_at=NOW + 5, head_before="before", head=HEAD,
)  # fmt: skip


def id_at(when):
    """A checkpoint id of a moment."""
    return f"{checkpoint_id_at(when)}-8001-0123456789ab"


def test_a_crashed_run_explains_the_head_that_it_named():
    found = verdict(RUN, HEAD)
    assert (found.status, found.reason, found.head, found.run_id) == (StatusName.CRASHED, "killed", HEAD, "r1")


@pytest.mark.parametrize("after", [0.1, 4.9, 6.0])
def test_a_killed_run_explains_a_checkpoint_that_it_could_not_tell_of(after):
    assert verdict(RUN, id_at(NOW + after)).status is StatusName.CRASHED


@pytest.mark.parametrize("after", [-60, 8, 3600])
def test_a_head_of_another_time_is_not_explained(after):
    assert verdict(RUN, id_at(NOW + after)) is None


@pytest.mark.parametrize("head", ["before", "hand-written", ""])
def test_a_head_of_someone_else_is_not_explained(head):
    assert verdict(RUN, head) is None


def test_a_run_that_died_before_its_first_checkpoint_explains_the_head_that_it_found():
    assert verdict(replace(RUN, head=None), "before").status is StatusName.CRASHED
    assert verdict(replace(RUN, head=None, head_before=None), "") is None


@pytest.mark.parametrize(
    ("state", "status", "reason"),
    [
        (RunState.PAUSED, StatusName.PAUSED, "Paused before review."),
        (RunState.DRAINED, StatusName.PAUSED, "Drained before review."),
        (RunState.CANCELLED, StatusName.PAUSED, "Cancelled before review."),
        (RunState.FAILED, StatusName.FAILED, "Failed."),
    ],
)
def test_the_other_ends_that_rows_do_not_show(state, status, reason):
    found = verdict(replace(RUN, state=state, reason="", next=("review",)), HEAD)
    assert (found.status, found.reason) == (status, reason)
    assert verdict(replace(RUN, state=state, reason="recursion limit"), HEAD).reason == "recursion limit"


@pytest.mark.parametrize(
    "state", [s for s in RunState if s not in ("paused", "drained", "cancelled", "failed", "crashed")]
)
def test_what_the_rows_or_the_lock_tell_is_left_to_them(state):
    assert verdict(replace(RUN, state=state), HEAD) is None


@pytest.mark.parametrize(("verb", "reason"), [("edit", "Edited by me@here"), ("fork", "Forked by me@here")])
def test_what_was_written_and_not_run_is_paused(verb, reason):
    written = replace(RUN, state=RunState.DONE, verb=verb, reason="")
    found = verdict(written, HEAD)
    assert (found.status, found.reason) == (StatusName.PAUSED, f"{reason}, not resumed since.")
    assert verdict(written, id_at(NOW + 1)) is None
    assert verdict(replace(written, verb="resume"), HEAD) is None
