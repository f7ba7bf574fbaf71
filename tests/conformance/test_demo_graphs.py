"""Every demo graph, killed in the middle of a node and resumed, ends as if left alone; its ledger proves what ran."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import NodeTimeoutError

from backends.model import StatusName
from demo_graphs import ledger

from .demo_stage import CASES, Stage, cast, config, told, undisturbed
from .places import Place

STORES = pytest.mark.parametrize("place", ["sqlite", "postgres"], indirect=True)
"""Where SQLite keeps its journal makes no difference to a run."""

TYPES = {"order": "Order", "ship_to": "Address", "priority": "Priority", "api_key": "SecretStr", "tags": "set"}
"""Classes of some values in the state of the graph ``types``."""


@STORES
@pytest.mark.parametrize("graph", [name for name in CASES if name != "idempotent"])
def test_killed_in_the_middle_of_a_node_it_ends_as_if_nobody_had(place: Place, tmp_path: Path, graph: str) -> None:
    case, expected, stage = CASES[graph], undisturbed(graph, tmp_path), Stage(place, tmp_path, graph)
    stage.until_killed()
    stage.to_the_end()
    found = stage.told()
    assert found.values == expected.values
    assert found.begun - expected.begun == Counter(case.again or {case.node: 1})
    assert sorted(found.effects, key=str) == sorted(expected.effects, key=str)
    if graph == "saga":
        assert found.effects == expected.effects, "in another order"
    if graph == "types":
        assert {name: type(found.values[name]).__name__ for name in TYPES} == TYPES


@STORES
def test_idempotent_work_is_done_once_wherever_it_is_killed(place: Place, tmp_path: Path) -> None:
    expected, stage = undisturbed("idempotent", tmp_path), Stage(place, tmp_path, "idempotent")
    stage.dies(stage.starts("after:reserve=kill"))
    for fault in ("written:reserve", "inside:charge+100", "after:charge", "committed:charge", "after:confirm"):
        stage.dies(stage.goes_on(f"{fault}=kill"))
    stage.to_the_end()
    found = stage.told()
    assert found.values == expected.values
    assert found.begun == Counter(reserve=2, charge=3, confirm=2)
    assert found.effects == expected.effects


@STORES
def test_a_saga_that_is_killed_behind_a_compensation_compensates_the_last_step_first(
    place: Place, tmp_path: Path
) -> None:
    stage = Stage(place, tmp_path, "saga")
    stage.dies(stage.starts("after:compensate=kill"))
    stage.to_the_end()
    found = stage.told()
    did = [what for _, what, _ in found.effects]
    assert did == ["booked the hotel", "booked the flight", "cancelled the flight", "cancelled the hotel"]
    assert (found.values["done"], found.values["undone"]) == ([], ["flight", "hotel"])
    assert found.begun["compensate"] == 3, "cancelled again, under the same key"


@STORES
def test_retries_are_given_up_at_the_limit(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ledger.PLACE, str(tmp_path / "ledger.jsonl"))
    with pytest.raises(ConnectionError, match="attempt 3 of 3"):
        cast("retry", place.saver).invoke({"host": "h", "failures": 9, "pace": 0}, config())
    stage = Stage(place, tmp_path, "retry")
    assert stage.told().begun == Counter(call=3)
    assert stage.status() is StatusName.FAILED


@STORES
def test_recovery_is_given_up_at_the_limit(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ledger.PLACE, str(tmp_path / "ledger.jsonl"))
    graph = cast("recovery", place.saver)
    done = graph.invoke({"amount": 50, "failures": 9, "limit": 3, "pace": 0}, config())
    assert done["outcome"] == "given up after 3 errors: bank.example hung up (3)"
    assert told("recovery", place.saver, tmp_path / "ledger.jsonl").begun["attempt"] == 3


def test_a_node_that_takes_too_long_fails_and_says_which_limit_it_broke() -> None:
    graph = cast("timeout", InMemorySaver())
    with pytest.raises(NodeTimeoutError, match="ask"):
        asyncio.run(graph.ainvoke({"question": "Rain?", "delay": 9, "pace": 0}, config()))
    assert [task.name for task in graph.get_state(config()).tasks if task.error] == ["ask"]
