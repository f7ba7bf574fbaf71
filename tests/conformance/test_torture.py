"""A few of the trials of ``tests.torture``, whose scripts repeat them a hundred times."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.torture import kill, race
from tests.torture.faults import matrix
from tests.torture.lab import KINDS, Lab, lab


@pytest.fixture(params=KINDS)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lab]:
    """A store of each kind."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else None
    with lab(request.param, tmp_path, url) as made:
        yield made


def test_a_killed_run_is_shown_and_goes_on(opened: Lab) -> None:
    expected = kill.undisturbed(opened)
    chance = random.Random(2)
    trials = [kill.trial(opened, f"killed-{number}", expected, chance) for number in range(2)]
    assert any(trials), "every run was faster than its killer"


def test_of_two_operators_one_runs(opened: Lab) -> None:
    assert race.trial(opened, "raced").apart < 60


def test_a_cell_of_the_table_of_faults(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cell = ["--store", "sqlite", "--graphs", "pipeline", "--points", "after", "--how", "kill", "--durability", "sync"]
    assert matrix.main([*cell, "--results", str(tmp_path / "cells.jsonl")]) == 0
    assert "pipeline  after      kill   repeated transform+1" in capsys.readouterr().out
