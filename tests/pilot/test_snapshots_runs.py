"""What runs, the action log and the dialogs about them look like, at 80×24 and at 120×40."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tui.screens.run import RunScreen

from .conftest import NOW, SHOP, everything, settled, wait_for_text
from .made_runs import RUNS, made, record, runs_app

SIZES = [(80, 24), (120, 40)]
FAILED = made("270115-0730-aaaa", "doc-7f3a", "failed", 300, begun=4, finished=2, ended_at=NOW - 295.8,
              reason="ConnectionError('refused')", next=("embed",))  # fmt: skip

LOOKS: dict[str, tuple[tuple[object, ...], list[str], str]] = {
    "list": (RUNS, ["j"], "2 live"),
    "empty": ((), [], "no runs yet"),
    "kill": (RUNS, ["K"], "Kill run"),
    "quit": (RUNS, ["q"], "2 runs go on"),
    "help": (RUNS, ["question_mark"], "Keys · Runs"),
}
"""Runs, keys, and the text to wait for."""


@pytest.mark.parametrize("size", SIZES, ids=lambda size: "x".join(map(str, size)))
@pytest.mark.parametrize("look", LOOKS)
def test_runs(look: str, size: tuple[int, int], snap_compare: Callable[..., bool]) -> None:
    runs, keys, text = LOOKS[look]
    app = runs_app()

    async def arrange(pilot: Pilot[None]) -> None:
        await pilot.pause()
        app.tell(*everything(SHOP))
        await settled(pilot)
        app.have(*runs)  # type: ignore[arg-type]
        await pilot.press("R", *keys)
        await wait_for_text(pilot, text)
        await settled(pilot)

    assert snap_compare(app, terminal_size=size, run_before=arrange)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: "x".join(map(str, size)))
@pytest.mark.parametrize("look", ["events", "no-logs", "traceback"])
def test_one_run(look: str, size: tuple[int, int], tmp_path: Path, snap_compare: Callable[..., bool]) -> None:
    app = runs_app()
    keys, text = {
        "events": ([], "following"),
        "no-logs": (["l", "g", *"jjj"], "logs hidden"),
        "traceback": (["k", "k", "enter"], "embed.py"),
    }[look]
    run = record(tmp_path / FAILED.run_id, FAILED)

    async def arrange(pilot: Pilot[None]) -> None:
        await pilot.pause()
        app.tell(*everything(SHOP))
        await settled(pilot)
        app.have(run, *RUNS)
        app.push_screen(RunScreen(run))
        await wait_for_text(pilot, "ConnectionError")
        await pilot.press(*keys)
        if look != "events":
            await wait_for_text(pilot, text)
        await settled(pilot)

    assert snap_compare(app, terminal_size=size, run_before=arrange)
