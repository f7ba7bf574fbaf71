"""When a feed looks for changes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backends.pace import GAP, TICK, Pace


def test_an_alarm_is_answered_at_once():
    pace = Pace(100.0)
    pace.alarmed = True
    assert pace.due(rung=True) <= 100.0
    assert pace.due(rung=False) == 100.0 + TICK


def test_changes_are_gathered():
    pace = Pace(100.0)
    pace.alarmed = True
    pace.looked(100.5, changed=True, rung=True)
    assert pace.due(rung=True) == 100.5 + GAP


def test_an_alarm_before_its_commit_is_followed_by_more_looks():
    pace = Pace(100.0)
    pace.alarmed = True
    now, looks = 100.0, []
    pace.looked(now, changed=False, rung=True)
    while (now := pace.due(rung=False)) < 102:
        looks.append(round(now - 100.0, 2))
        pace.looked(now, changed=False, rung=False)
    assert looks[:6] == [0.01, 0.03, 0.07, 0.15, 0.31, 0.63]
    assert looks[-1] - looks[-2] <= TICK


def test_without_an_alarm_it_slows_down():
    pace = Pace(0.0)
    assert pace.due(rung=False) == 0.1
    pace.looked(60.0, changed=False, rung=False)
    assert pace.due(rung=False) == 60.2
    pace.looked(1000.0, changed=False, rung=False)
    assert pace.due(rung=False) == 1000.2
    pace.looked(1001.0, changed=True, rung=False)
    assert pace.due(rung=False) == 1001.1


def test_an_alarm_that_misses_changes_is_not_trusted():
    pace = Pace(0.0)
    pace.alarmed = True
    for now in (1.0, 2.0):
        pace.looked(now, changed=True, rung=False)
    assert pace.due(rung=False) == 2.1
    pace.looked(3.0, changed=True, rung=True)
    assert pace.due(rung=False) == 3.0 + TICK


@given(st.lists(st.tuples(st.floats(0, 5), st.booleans(), st.booleans()), max_size=50), st.booleans())
def test_never_spins_and_never_sleeps_long(history, alarmed):
    now = 50.0
    pace = Pace(now)
    pace.alarmed = alarmed
    found = None
    for later, changed, rung in history:
        now = max(now + later, pace.due(rung))
        assert found is None or now - found >= GAP - 1e-9
        pace.looked(now, changed, rung)
        found = now if changed else found
        assert now < pace.due(rung=False) <= now + TICK
