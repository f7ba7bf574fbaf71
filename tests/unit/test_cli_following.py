"""Ctrl+c while a run is waited for: passed on to the run, each time less gently; and what an end means."""

import os
import signal
from dataclasses import replace

import pytest

from backends.errors import Refused
from backends.runs import stop as stopping
from backends.runs.run import Run, RunState
from tui.cli.exits import Exit
from tui.cli.following import PassedOn, exit_of

RUN = Run("r1", "/nowhere", "t", "s", "k", "g", "g", "start", "me@here")


@pytest.fixture
def keys():
    with PassedOn() as keys:
        keys.run = RUN
        yield keys


@pytest.fixture
def stopped(monkeypatch):
    """Ways in which runs have been asked to stop."""
    ways = []
    monkeypatch.setattr(stopping, "stop", lambda run, how: ways.append(how))
    return ways


def press():
    os.kill(os.getpid(), signal.SIGINT)


def test_each_time_less_gently(keys, stopped, capsys):
    assert keys.heed() is False
    assert stopped == []
    for wanted in (["drain"], ["drain", "cancel"], ["drain", "cancel", "kill"], ["drain", "cancel", "kill"]):
        press()
        assert keys.heed() is False
        assert stopped == wanted
    assert keys.pressed == 4
    assert capsys.readouterr().err.count("\n") == 3


def test_several_at_once_are_all_passed_on(keys, stopped):
    press()
    press()
    keys.heed()
    assert stopped == ["drain", "cancel"]


def test_before_the_run_is_there_it_is_kept_for_it(keys, stopped):
    keys.run = None
    press()
    keys.heed()
    assert stopped == []
    keys.run = RUN
    keys.heed()
    assert stopped == ["drain"]


def test_afterwards_ctrl_c_is_ours_again(stopped):
    with PassedOn():
        pass
    with pytest.raises(KeyboardInterrupt):
        press()


def test_a_run_that_has_just_ended_is_no_error(keys, monkeypatch):
    def gone(run, how):
        raise Refused("Run r1 has ended already.")

    monkeypatch.setattr(stopping, "stop", gone)
    press()
    assert keys.heed() is False


def test_every_state_of_a_run_means_something():
    codes = {state: exit_of(replace(RUN, state=state)) for state in RunState}
    by_code = {code: {state.value for state in codes if codes[state] == code} for code in set(codes.values())}
    assert by_code == {
        Exit.DONE: {"done", "waiting", "paused", "drained"},
        Exit.FAILED: {"failed", "cancelled", "crashed", "starting", "running", "stopping"},
        Exit.REFUSED: {"refused"},
        Exit.BUSY: {"busy"},
    }
    assert exit_of(replace(RUN, state=RunState.FAILED, exit_code=6)) == Exit.STORE
