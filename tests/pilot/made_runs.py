"""Runs that never change their looks: made-up ones for the list, and a record with fixed times on disk."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from backends.address import Address
from backends.runs.events import Event, Kind
from backends.runs.run import Run, RunState
from tui.terminal import Terminal

from .conftest import NOW, SHOP, ScriptedApp, everything, wait_for_text

HERE = socket.gethostname()


class RunsApp(ScriptedApp):
    """The app with runs that the test makes up."""

    def _follow_runs(self) -> None:
        """Read no records."""

    def have(self, *runs: Run) -> None:
        """Let the records say something."""
        self.control.runs = runs
        self.control.runs_changed.publish(runs)


def made(run_id: str, thread_id: str, state: str, age: float, **facts: Any) -> Run:
    """A run that began ``age`` seconds ago."""
    defaults: dict[str, Any] = {
        "folder": "/nowhere",
        "store": "shop.sqlite",
        "store_key": "sqlite:1:2",
        "graph": "documents",
        "target": "./documents.py:graph",
        "verb": "resume",
        "operator": "you@laptop",
        "pid": 4312,
        "host": HERE,
        "state": RunState(state),
        "started_at": NOW - age,
    }
    return Run(run_id=run_id, thread_id=thread_id, **(defaults | facts))


LIVE = made("270115-0759-k3f2", "doc-7f3a", "running", 12, begun=4, finished=3, nodes={"analyze": 1, "embed": 3})
STOPPING = made(
    "270115-0758-c9w4", "batch-9", "stopping", 95, begun=18, finished=16, nodes={"embed": 2}, graph="pipeline"
)
RUNS = (
    LIVE,
    made("270115-0758-x1y2", "loan-0042", "waiting", 65, verb="start", begun=3, finished=2, next=("review",),
         ended_at=NOW - 60, reason="review asks: Approve 12 000 €?"),
    STOPPING,
    made("270115-0730-aaaa", "etl-2026-11-20", "failed", 1800, begun=2, finished=1, ended_at=NOW - 1790,
         reason="ConnectionError('refused')", exit_code=1, graph="etl"),
    made("270115-0720-bbbb", "0b7e9c1a-51d2-4d0f-9c3e-7a1f6f3a9d21", "crashed", 2400, begun=2, finished=1,
         ended_at=NOW - 2300, reason="The process was killed by SIGKILL while embed ran.", next=("embed",)),
    made("270115-0700-cccc", "doc-7f3a", "drained", 3600, begun=2, finished=2, ended_at=NOW - 3590, next=("analyze",)),
    made("270115-0650-dddd", "doc-0001", "done", 4200, begun=12, finished=12, ended_at=NOW - 4100, verb="start"),
    made("270115-0640-eeee", "doc-0001", "busy", 4800, ended_at=NOW - 4800, verb="retry",
         reason="run 270115-0639-ffff · ann@build · pid 77 holds the thread"),
    made("270114-0640-gggg", "doc-0002", "cancelled", 90_000, begun=3, finished=1, ended_at=NOW - 89_000),
)  # fmt: skip
"""A run of every kind, the newest first."""


EVENTS: Sequence[tuple[float, str, dict[str, Any]]] = (
    (0.0, "started", {"pid": 4312, "host": HERE, "python": "3.12.1", "langgraph": "1.2.15"}),
    (0.31, "locked", {}),
    (0.32, "graph", {"drawing": {}}),
    (0.35, "running", {"call": "graph.astream(None, {'configurable': {'thread_id': 'doc-7f3a'}})", "head": "1f0"}),
    (0.40, "task", {"phase": "start", "id": "t1", "name": "extract", "ns": "", "step": 1}),
    (0.55, "log", {"stream": "stdout", "level": None, "text": "reading invoice.pdf"}),
    (0.90, "log", {"stream": "documents.ocr", "level": "WARNING", "text": "page 3 is blank"}),
    (1.62, "task", {"phase": "end", "id": "t1", "name": "extract", "ns": "", "step": 1, "error": None,
                    "interrupts": 0, "result": "{'text': 'Invoice 77'}"}),
    (1.63, "checkpoint", {"id": "1f1", "ns": "", "step": 1, "source": "loop", "next": ["analyze", "embed"]}),
    (1.64, "task", {"phase": "start", "id": "t2", "name": "analyze", "ns": "", "step": 2}),
    (1.65, "task", {"phase": "start", "id": "t3", "name": "embed", "ns": "", "step": 2}),
    (1.70, "task", {"phase": "start", "id": "t4", "name": "ask", "ns": "analyze:1f2e", "step": 1}),
    (2.00, "custom", {"ns": "", "value": {"progress": 0.4}}),
    (2.10, "heartbeat", {"running": ["analyze", "embed"]}),
    (2.20, "interrupt", {"id": "i1", "node": "ask", "ns": "analyze:1f2e", "value": {"question": "Approve 12 000 €?"}}),
    (2.31, "task", {"phase": "end", "id": "t4", "name": "ask", "ns": "analyze:1f2e", "step": 1, "error": None,
                    "interrupts": 1, "result": ""}),
    (4.10, "error", {"type": "ConnectionError", "message": "refused", "node": "embed",
                     "traceback": "Traceback (most recent call last):\n  File \"embed.py\", line 7, in embed\n"
                                  "ConnectionError: refused"}),
    (4.11, "task", {"phase": "end", "id": "t3", "name": "embed", "ns": "", "step": 2,
                    "error": "ConnectionError('refused')", "interrupts": 0, "result": ""}),
    (4.20, "end", {"outcome": "failed", "reason": "ConnectionError('refused')", "head": "1f1", "next": ["embed"]}),
)  # fmt: skip
"""What a run tells, seconds after it began."""


def record(folder: Path, run: Run, events: Sequence[tuple[float, str, dict[str, Any]]] = EVENTS) -> Run:
    """Write a run's record and return the run with its folder."""
    folder.mkdir(parents=True)
    asked = {"run_id": run.run_id, "thread_id": run.thread_id, "verb": run.verb, "host": run.host, "asked_at": NOW}
    (folder / "run.json").write_text(json.dumps(asked))
    lines = [Event(run.started_at + after, Kind(kind), data).to_json() for after, kind, data in events]
    (folder / "events.jsonl").write_text("".join(f"{line}\n" for line in lines))
    return replace(run, folder=str(folder))


SHOP_ADDRESS = Address("sqlite", "shop.sqlite", "/data/shop.sqlite", None, "shop.sqlite")


def runs_app(address: Address = SHOP_ADDRESS, **options: Any) -> RunsApp:
    """An app on a store and runs that the test makes up."""
    return RunsApp(address, **{"clock": lambda: NOW, "terminal": Terminal(), "readonly": False, **options})


@asynccontextmanager
async def runs_screen(
    *runs: Run, size: tuple[int, int] = (120, 30), **options: Any
) -> AsyncIterator[tuple[RunsApp, Pilot[None]]]:
    """The app with its runs on screen."""
    app = runs_app(**options)
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        app.tell(*everything(SHOP))
        app.have(*runs)
        await pilot.press("R")
        await wait_for_text(pilot, "STATE" if runs else "no runs yet")
        yield app, pilot
