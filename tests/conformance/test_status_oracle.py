"""Our status, tasks, values and history against LangGraph's own, on generated graphs in real stores.

The same at length, with a table: ``python -m tests.oracle --graphs 600``. Every comparison must agree but for these
limits, which are counted, and looked into where LangGraph itself can confirm them:

- *answered, then failed*: LangGraph still lists the question of a task that got its answer and then raised
  (``langgraph/pregel/_task_status.py``, rule 4). We say failed: the answer is saved, and asking again is wrong.
- *answered inside a subgraph, then failed or died*: the calling task repeats the question of its subgraph in its own
  rows, and keeps it when the run dies after the answer. The subgraph's head tells; LangGraph's innermost state agrees.
- *goto given with a resume*: LangGraph runs the target of ``Command(resume=..., goto=...)`` in the step, and does not
  list it. We do.
- *update given with a resume*: LangGraph shows the update folded into the values; the rows hold the two apart, and only
  the graph's reducer can join them.
- *question of an error handler*: LangGraph runs handlers inside the step, and lists neither them nor what they ask.
- *channel never written*: LangGraph shows what the reducer starts from (``[]``, ``0``); the rows hold nothing.
- *entrypoint not named yet*: until a functional graph has left a row, its task is called ``__start__`` here; without
  task paths until it has finished once.
- *join never recorded*: a node's task id hashes all joins to it; one that nobody ever reached is not in the store.
  Without task paths, the rows of such a task are found by the question they ask or by elimination.
- Order: LangGraph's ``next`` lists nodes as the graph defines them; we list them by name, as LangGraph runs them.
"""

from __future__ import annotations

import pytest

from ..oracle.compare import Findings
from ..oracle.run import Report, check_postgres, check_sqlite

SEEDS = range(60)


def expect_agreement(findings: Findings) -> None:
    assert not findings.mismatches, "\n".join(findings.mismatches[:10])
    assert findings.checked["status"] >= 100


def test_sqlite_agrees_with_langgraph_with_and_without_task_path() -> None:
    report: Report = check_sqlite(SEEDS)
    expect_agreement(report.findings)
    expect_agreement(report.without_paths)
    assert {"done", "failed", "stalled", "waiting"} <= set(report.findings.statuses)
    assert any("killed" in event for event in report.events)


def test_postgres_agrees_with_langgraph_with_and_without_task_path(postgres_url: str) -> None:
    report = check_postgres(SEEDS, postgres_url)
    expect_agreement(report.findings)
    expect_agreement(report.without_paths)


@pytest.mark.parametrize("seed", [7, 21, 41, 43, 169, 176, 238, 252, 409, 436, 443, 559])
def test_seeds_that_once_differed(seed: int) -> None:
    report = check_sqlite([seed])
    assert not report.findings.mismatches + report.without_paths.mismatches
