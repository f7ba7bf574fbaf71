"""Runs on the screen: the list, one run as it goes, stopping it, and leaving while something runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from backends.locks.key import store_key
from backends.runs.read import alive, read_run
from backends.runs.run import Run, RunState
from tests.hostile import STRINGS
from tests.unit import runs_rig
from tui.app import LgtopApp
from tui.screens.run import RunScreen
from tui.screens.runs import RunsScreen
from tui.terminal import Terminal
from tui.widgets.event_lines import EventLines
from tui.widgets.run_list import RunList

from .conftest import DANGEROUS, NOW, lines_of, sqlite_address, terminal_text, text_of, wait_for, wait_for_text
from .made_runs import EVENTS, LIVE, RUNS, STOPPING, RunsApp, made, record, runs_app, runs_screen


def row(app: LgtopApp, text: str) -> list[str]:
    """Words of the line that contains a text."""
    return next(line for line in lines_of(app) if text in line).replace("▌", " ").split()


def selected(app: LgtopApp) -> str:
    """Id of the run under the cursor."""
    run = app.screen.query_one(RunList).selected
    assert run is not None
    return run.run_id


def toasts(app: LgtopApp) -> list[str]:
    return [toast.message for toast in app._notifications]


# The list


async def test_runs_that_go_on_come_first_and_show_their_progress() -> None:
    async with runs_screen(*RUNS) as (app, _):
        threads = [line.replace("▌", " ").split()[2] for line in lines_of(app)[2:6]]
        assert threads == ["doc-7f3a", "batch-9", "loan-0042", "etl-2026-11-20"]
        assert row(app, "running")[:8] == ["●", "running", "doc-7f3a", "resume", "documents", "analyze,", "embed", "…"]
        assert row(app, "running")[8:11] == ["3/4", "12s", "12s"]
        assert row(app, "stopping")[5:9] == ["embed", "×2", "16/18", "1m"]
        assert row(app, "loan-0042")[5:10] == ["next", "review", "2/3", "5s", "1m"]
        assert "† crashed" in text_of(app)
        assert "2 live" in lines_of(app)[1]


async def test_the_cursor_stays_on_its_run_when_others_come_and_it_ends() -> None:
    async with runs_screen(*RUNS) as (app, pilot):
        await pilot.press("j")
        assert selected(app) == STOPPING.run_id
        ended = replace(STOPPING, state=RunState.DRAINED, ended_at=NOW, nodes={})
        app.have(made("270115-0800-new1", "new", "starting", 0), *(run if run != STOPPING else ended for run in RUNS))
        await wait_for_text(pilot, "starting")
        assert selected(app) == STOPPING.run_id
        assert row(app, "batch-9")[:2] == ["‖", "drained"]
        assert app.screen.query_one(RunList).cursor == 3


async def test_spans_of_time_go_on() -> None:
    now = [NOW]
    async with runs_screen(*RUNS, clock=lambda: now[0]) as (app, pilot):
        now[0] += 20
        app.screen.query_one(RunList).tick()
        await wait_for_text(pilot, "32s")
        assert row(app, "loan-0042")[8:10] == ["5s", "1m"]


async def test_an_empty_list_says_what_to_do() -> None:
    async with runs_screen() as (app, pilot):
        await wait_for_text(pilot, "no runs yet")
        await pilot.press("enter", "s", "S", "K", "t", "y", "j", "G")
        assert isinstance(app.screen, RunsScreen)
        assert toasts(app)[-1] == "There is no run here."


async def test_keys_lead_to_the_thread_and_back() -> None:
    async with runs_screen(*RUNS) as (app, pilot):
        opened: list[str] = []
        app.open_thread = opened.append  # type: ignore[method-assign]
        await pilot.press("j", "t", "y")
        await wait_for(pilot, lambda: app.clipboard == STOPPING.run_id)
        assert opened == ["batch-9"]
        await pilot.press("enter")
        await wait_for(pilot, lambda: isinstance(app.screen, RunScreen))
        await pilot.press("R")
        await wait_for(pilot, lambda: isinstance(app.screen, RunsScreen))
        assert len(app.screen_stack) == 2
        await pilot.press("escape")
        assert len(app.screen_stack) == 1


async def test_what_has_ended_cannot_be_stopped_and_the_keys_say_so() -> None:
    async with runs_screen(*RUNS) as (app, pilot):
        await pilot.press("j", "j")
        for key in ("s", "S", "K"):
            await pilot.press(key)
            assert toasts(app)[-1] == "Run 270115-0758-x1y2 is not running: it is waiting."


async def test_with_readonly_nothing_is_stopped() -> None:
    async with runs_screen(*RUNS, readonly=True) as (app, pilot):
        await pilot.press("K")
        assert "--readonly" in toasts(app)[-1]
        assert isinstance(app.screen, RunsScreen)


def batched(texts: Iterable[str]) -> Iterable[tuple[str, str, str]]:
    """Three at a time, so that a screen has to bear more than one."""
    every = iter(texts)
    return zip(every, every, every, strict=True)


async def test_hostile_texts_are_only_text(tmp_path: Path) -> None:
    runs = []
    for number, (text, other, third) in enumerate(batched(STRINGS.values())):
        fields = {"graph": other, "operator": third, "verb": text, "reason": other, "next": (third,)}
        run = made(f"e{number}", text, "failed", 9, **fields)
        kinds = ("started", "running", "task", "checkpoint", "interrupt", "custom", "log", "error", "fault", "end")
        events = [
            (
                0.1,
                kind,
                dict.fromkeys(("text", "name", "ns", "error", "node", "type", "message"), each)
                | {"value": {each: each}},
            )
            for each in (text, other, third)
            for kind in kinds
        ]
        run = record(tmp_path / f"evil-{number}", run, events)
        runs.append(replace(run, state=RunState.RUNNING, nodes={text: 2}) if number % 2 else run)
    async with runs_screen(*runs) as (app, pilot):
        for run in runs:
            seen = [terminal_text(app)]
            for keys in (["q"], ["K"], ["enter", "k", "enter"])[run is not runs[0] :]:
                await pilot.press(*keys)
                await pilot.pause()
                seen.append(terminal_text(app))
                while not isinstance(app.screen, RunsScreen):
                    await pilot.press("escape")
            await pilot.press("j")
            for shown in seen:
                assert not {character for character in DANGEROUS if character in shown.replace("\n", "")}, run


@pytest.mark.parametrize("size", [(20, 5), (1, 1), (300, 100)])
async def test_no_size_breaks_anything(size: tuple[int, int], tmp_path: Path) -> None:
    run = record(tmp_path / "run", LIVE)
    async with runs_screen(run, *RUNS[1:]) as (app, pilot):
        await pilot.resize_terminal(*size)
        for keys in (["j"], ["K"], ["escape"], ["q"], ["escape"], ["g", "enter"], ["l"], ["L"], ["escape"]):
            await pilot.press(*keys)
            await pilot.pause()
        assert app.is_running


# One run


@asynccontextmanager
async def one_run(
    tmp_path: Path, events: object = EVENTS, run: Run = LIVE
) -> AsyncIterator[tuple[RunsApp, Pilot[None], EventLines]]:
    """The app with the events of a run on screen."""
    shown = record(tmp_path / run.run_id, run, events)  # type: ignore[arg-type]
    app = runs_app()
    async with app.run_test(size=(110, 30), notifications=True) as pilot:
        await pilot.pause()
        app.have(shown)
        app.push_screen(RunScreen(shown))
        await wait_for(pilot, lambda: app.screen.query(EventLines) and app.screen.query_one(EventLines).total)
        yield app, pilot, app.screen.query_one(EventLines)


async def test_events_are_told_in_order(tmp_path: Path) -> None:
    async with one_run(tmp_path) as (app, pilot, _):
        await wait_for_text(pilot, "✖ failed")
        assert row(app, "✓ extract")[3:] == ["1.2", "s", "{'text':", "'Invoice", "77'}"]
        assert row(app, "◆ step 1")[4:] == ["loop", "→", "analyze,", "embed"]
        assert row(app, "? analyze › ask")[1:5] == ["?", "analyze", "›", "ask"]
        assert "ConnectionError: refused" in text_of(app)
        assert "heartbeat" not in text_of(app)
        assert lines_of(app)[1].split()[:2] == ["●", "running"]
        assert "3/4 tasks · 12s" in lines_of(app)[1]


async def test_the_cursor_goes_with_the_end_until_it_is_moved(tmp_path: Path) -> None:
    log = [(0.1 * number, "log", {"stream": "stdout", "text": f"line {number}"}) for number in range(60)]
    async with one_run(tmp_path, log) as (_, pilot, events):
        await wait_for(pilot, lambda: events.total == 60)
        assert events.cursor == 59
        more = [(60.0, "log", {"stream": "stdout", "text": "more"})]
        events.add(_read(record(tmp_path / "more", LIVE, more)))
        assert events.cursor == 60
        await pilot.press("k", "k")
        events.add(_read(record(tmp_path / "even-more", LIVE, more)))
        assert events.cursor == 58
        await pilot.press("G")
        assert events.at_end


async def test_logs_can_be_hidden_and_the_cursor_stays_near(tmp_path: Path) -> None:
    async with one_run(tmp_path) as (app, pilot, events):
        await wait_for_text(pilot, "reading invoice.pdf")
        await pilot.press("g", "j", "j", "j", "j")
        await wait_for(pilot, lambda: events.selected and events.selected.data.get("text") == "reading invoice.pdf")
        await pilot.press("l")
        await wait_for_text(pilot, "logs hidden")
        assert "reading invoice.pdf" not in text_of(app)
        assert events.selected is not None
        assert events.selected.data["name"] == "extract"
        await pilot.press("l")
        await wait_for_text(pilot, "reading invoice.pdf")


async def test_search_goes_from_match_to_match(tmp_path: Path) -> None:
    async with one_run(tmp_path) as (_, pilot, events):
        await wait_for_text(pilot, "reading invoice.pdf")
        await pilot.press("g", "slash", *"embed", "enter")
        await wait_for_text(pilot, "n next match")
        assert events.selected is not None
        first = events.cursor
        await pilot.press("n")
        assert events.cursor > first
        await pilot.press("N")
        assert events.cursor == first
        await pilot.press("slash", *"nowhere", "enter")
        await wait_for_text(pilot, "no match")
        await pilot.press("escape")
        assert events.pattern is None


async def test_enter_reads_the_whole_event(tmp_path: Path) -> None:
    async with one_run(tmp_path) as (app, pilot, events):
        await wait_for_text(pilot, "ConnectionError: refused")
        await pilot.press("k", "k")
        await wait_for(pilot, lambda: events.selected and events.selected.kind == "error")
        await pilot.press("y")
        await wait_for(pilot, lambda: "Traceback" in app.clipboard)
        await pilot.press("enter")
        await wait_for_text(pilot, 'File "embed.py", line 7, in embed')


async def test_a_record_that_is_gone_says_so(tmp_path: Path) -> None:
    app = runs_app()
    async with app.run_test(size=(110, 30)) as pilot:
        await pilot.pause()
        app.push_screen(RunScreen(replace(LIVE, folder=str(tmp_path / "gone"))))
        await wait_for_text(pilot, "The record of this run cannot be read")


async def test_a_hundred_thousand_events_never_hold_up_a_key(tmp_path: Path) -> None:
    from .test_app import longest_turn

    log = [(0.0001 * number, "log", {"stream": "stderr", "text": f"line {number}"}) for number in range(100_000)]
    shown = record(tmp_path / LIVE.run_id, LIVE, log)
    app = runs_app()
    async with app.run_test(size=(110, 30)) as pilot:
        await pilot.pause()
        async with longest_turn() as turn:
            app.push_screen(RunScreen(shown))
            await wait_for_text(pilot, "line 99999")
            await pilot.press("g", "l", "l", "G")
        assert app.screen.query_one(EventLines).total == 100_000
        assert turn() < 250_000


def _read(run: Run) -> list[object]:
    from backends.runs.read import EventTail

    return list(EventTail(run.folder).news())


# Real processes


@asynccontextmanager
async def real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[LgtopApp, Pilot[None], Run]]:
    """The app, and a real child that holds a record and runs a node until it is told to stop."""
    runs_rig.isolate(tmp_path, monkeypatch)
    store = tmp_path / "shop.sqlite"
    store.touch()
    run = runs_rig.spawn(
        ("hold",),
        ("event", "running", {"call": "graph.astream(None)", "head": None}),
        ("event", "task", {"phase": "start", "id": "1", "name": "analyze"}),
        ("until", str(tmp_path / "go")),
        ("event", "end", {"outcome": "drained", "reason": "stopped", "head": None, "next": ["embed"]}),
        store_key=store_key(str(store)),
        thread_id="doc-1",
    )
    app = _Unfed(sqlite_address(store), terminal=Terminal(), readonly=False)
    async with app.run_test(size=(110, 30), notifications=True) as pilot:
        await pilot.press("R")
        await wait_for_text(pilot, "● running")
        yield app, pilot, run
    (tmp_path / "go").touch()
    runs_rig.eventually(lambda: not alive(run.folder))


class _Unfed(LgtopApp):
    """The app without a feed: its store is not one."""

    def follow_store(self) -> None:
        """Read nothing."""


async def test_a_real_run_is_followed_and_drained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with real(tmp_path, monkeypatch) as (app, pilot, run):
        assert "analyze" in row(app, "● running")
        assert "0/1" in row(app, "● running")
        await pilot.press("enter")
        await wait_for_text(pilot, "● analyze")
        await pilot.press("s")
        await wait_for_text(pilot, "stops before its next superstep")
        await wait_for_text(pilot, "‖ drained  stopped")
        assert "next embed" in lines_of(app)[1]
        await wait_for(pilot, lambda: "s drain" in lines_of(app)[-1])
        assert read_run(run.folder).state is RunState.DRAINED


async def test_a_real_run_is_killed_when_that_is_confirmed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with real(tmp_path, monkeypatch) as (app, pilot, run):
        await pilot.press("K")
        await wait_for_text(pilot, "Kill run")
        assert "analyze runs now" in text_of(app)
        await pilot.press("escape")
        await wait_for(pilot, lambda: "Kill run" not in text_of(app))
        assert alive(run.folder)
        await pilot.press("K", "enter")
        await wait_for_text(pilot, "† crashed")
        assert not alive(run.folder)


@pytest.mark.parametrize(
    ("keys", "over", "said"),
    [
        (["enter"], False, "goes on: lgtop runs --follow"),
        (["j", "enter"], True, "stops after its step"),
        (["j", "j", "enter"], True, ""),
    ],
    ids=["leave", "drain", "kill"],
)
async def test_quitting_asks_what_becomes_of_runs_that_go_on(
    keys: list[str],
    over: bool,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with real(tmp_path, monkeypatch) as (app, pilot, run):
        await pilot.press("q")
        await wait_for_text(pilot, "A run goes on")
        await pilot.press("escape")
        await wait_for(pilot, lambda: "A run goes on" not in text_of(app))
        await pilot.press("q")
        await wait_for_text(pilot, "A run goes on")
        assert "doc-1" in text_of(app)
        await pilot.press(*keys)
        await wait_for(pilot, lambda: app._exit)
        if over:
            runs_rig.eventually(lambda: not alive(run.folder))
        else:
            assert alive(run.folder)
    app._print_error_renderables()
    told = capsys.readouterr().err.replace("\n", " ")
    assert said in told if said else not told


async def test_quitting_asks_nothing_about_runs_of_other_computers() -> None:
    async with runs_screen(replace(LIVE, host="elsewhere"), *RUNS[3:]) as (app, pilot):
        await pilot.press("q")
        await wait_for(pilot, lambda: app._exit)


def test_seconds_are_rounded_over_the_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    from tui.run_events import clock

    assert clock(NOW + 59.96) == "08:01:00.0"
    assert clock(NOW + 0.099_999_9, exact=True) == "2027-01-15 08:00:00.100"
