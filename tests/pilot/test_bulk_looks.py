"""What the dialogs and the screen for many threads look like, at 80×24 and at 120×40."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from textual.pilot import Pilot

from backends.bulk.outcome import Outcome, Progress, State, progress_of
from backends.bulk.preview import Preview, sentence
from backends.bulk.request import DELETING, Action, BulkRequest
from backends.maintenance.deletion import Deletion
from tui.bulk import Work
from tui.bulk_words import MEANINGS
from tui.dialogs.bulk_answer import BulkAnswer, Questions
from tui.dialogs.bulk_choose import BulkChoose, Offer
from tui.dialogs.bulk_preview import BulkPreview, Foreseen
from tui.dialogs.bulk_prune import BulkPrune
from tui.screens.bulk import BulkScreen

from .conftest import SHOP, everything, scripted, wait_for, wait_for_text

SIZES = [(80, 24), (120, 40)]

Show = Callable[[Any, Pilot[None]], Any]

NAMES = tuple(f"batch-{number:03d}" for number in range(212))
HOSTILE = "x\x1b[2J[/b]\u202e"


@dataclass(eq=False)
class Still:
    """A job in which nothing moves."""

    request: BulkRequest
    found: Sequence[Outcome]
    over: bool = False
    stopping: bool = False
    elapsed: float = 12.0
    calls: list[str] = field(default_factory=list)

    @property
    def progress(self) -> Progress:
        return progress_of(self.found, self.elapsed)

    def outcomes(self) -> tuple[Outcome, ...]:
        return tuple(self.found)

    def start(self) -> None:
        self.calls.append("start")

    def stop(self) -> None:
        self.calls.append("stop")
        self.stopping = True


def begun(app: Any, job: Still, title: str) -> Work:
    work: Work = app.bulk.begin(lambda heard: job, title, lambda work: None)
    return work


def resuming() -> Still:
    """Half-way."""
    found = [Outcome(HOSTILE, State.FAILED, "ConnectionError: refused", "r0", 2, 4.2)]
    found += [Outcome(name, State.DONE, "It is done.", "r1", 1, 2.0) for name in NAMES[1:30]]
    found[4] = Outcome(NAMES[4], State.REFUSED, "Already running: run 7 · ann@build · pid 77.", tries=1, busy=True)
    found[7] = Outcome(NAMES[7], State.SKIPPED, "It is done.", tries=1)
    found += [Outcome(name, State.RUNNING, tries=1) for name in NAMES[30:32]]
    found += [Outcome(name, State.PENDING) for name in NAMES[32:]]
    return Still(BulkRequest(Action.RESUME, NAMES, retries=1), found)


def deleted() -> Still:
    """Stopped."""
    gone = [
        Outcome(name, State.DONE, tries=1, seconds=0.1, deletion=Deletion(name, (), 12, 30, 0, 48_213))
        for name in NAMES[:5]
    ]
    left = [Outcome(NAMES[5], State.FAILED, "The file is locked by someone else.", tries=1, seconds=61.0)]
    left += [Outcome(name, State.STOPPED, "Not begun.") for name in NAMES[6:12]]
    return Still(BulkRequest(Action.DELETE, NAMES[:12]), [*gone, *left], over=True, elapsed=75)


async def show_running(app: Any, pilot: Pilot[None]) -> None:
    app.push_screen(BulkScreen(begun(app, resuming(), "resume 212 threads")))
    await wait_for_text(pilot, "30 of 212")


async def show_over(app: Any, pilot: Pilot[None]) -> None:
    begun(app, deleted(), "copy 3 threads")
    app.push_screen(BulkScreen(begun(app, deleted(), "delete 12 threads")))
    await wait_for_text(pilot, "r takes up 7 again")


async def show_trouble(app: Any, pilot: Pilot[None]) -> None:
    await show_running(app, pilot)
    await pilot.press("f", "j")
    await wait_for(pilot, lambda: app.screen.outcomes.line_count == 2)


async def show_none(app: Any, pilot: Pilot[None]) -> None:
    await pilot.press("B")
    await wait_for_text(pilot, "nothing has been done to many threads yet")


async def show_list(app: Any, pilot: Pilot[None]) -> None:
    begun(app, resuming(), "resume 212 threads")
    await wait_for_text(pilot, "▸ resume 30/212")


async def show_choose(app: Any, pilot: Pilot[None]) -> None:
    offers = [Offer(action, 212) for action in MEANINGS]
    offers[1] = Offer(Action.ANSWER, 0, "none of them waits for an answer")
    offers[2] = Offer(Action.STOP, 3)
    title = "all 212 threads that match status:crashed"
    app.push_screen(BulkChoose(title, f"{HOSTILE}, batch-001, batch-002, …", offers, 212))
    await wait_for_text(pilot, "answer alike")


def preview_of(request: BulkRequest, refused: Sequence[tuple[str, str]], freed: int | None = None) -> Preview:
    left = dict(refused)
    able = tuple(name for name in request.thread_ids if name not in left)
    told, deletes = sentence(request.action, able), request.action in DELETING
    settled = tuple(Outcome(name, State.REFUSED, why) for name, why in refused)
    return Preview(request.action, len(request.thread_ids), able, settled, told, deletes, freed)


def previewing(request: BulkRequest, refused: Sequence[tuple[str, str]], freed: int | None, until: str) -> Show:
    async def show(app: Any, pilot: Pilot[None]) -> None:
        async def make(wanted: BulkRequest) -> Foreseen:
            return Foreseen(preview_of(wanted, refused, freed), tuple(name for name, _ in refused[3:5]))

        def command(wanted: BulkRequest) -> str:
            return f"lgtop {wanted.action} -s shop.sqlite --filter status:crashed --concurrency {wanted.concurrency}"

        app.push_screen(BulkPreview(request, make, lambda count: f"prod {count}", command))
        await wait_for_text(pilot, until)

    return show


async def show_answer(app: Any, pilot: Pilot[None]) -> None:
    app.push_screen(BulkAnswer(Questions((), 0, 500, 1200)))
    await wait_for_text(pilot, "None of these threads waits")


async def show_prune(app: Any, pilot: Pilot[None]) -> None:
    app.push_screen(BulkPrune("Prune 212 threads"))
    await wait_for_text(pilot, "keep")


REFUSED = [
    (NAMES[0], "Already running: run 7 · ann@build · pid 77."),
    *((name, "It waits for an answer, and would only ask again.") for name in NAMES[1:3]),
    *((name, "2 graphs may be its own: spending, notes. Name one with --graph.") for name in NAMES[3:9]),
]

IDLE = [(name, "Nothing runs on it.") for name in NAMES[:2]]

LOOKS: dict[str, Show] = {
    "choose": show_choose,
    "preview": previewing(BulkRequest(Action.RESUME, NAMES, retries=2), REFUSED, None, "2 graphs may be"),
    "preview-delete": previewing(BulkRequest(Action.DELETE, NAMES), REFUSED[:1], 48_213_000, "Type prod 211"),
    "preview-nothing": previewing(BulkRequest(Action.STOP, NAMES[:2]), IDLE, None, "nothing to do"),
    "prune": show_prune,
    "answer-nothing": show_answer,
    "running": show_running,
    "over": show_over,
    "trouble": show_trouble,
    "none": show_none,
    "list": show_list,
}  # fmt: skip


@pytest.mark.parametrize("size", SIZES, ids=lambda size: "x".join(map(str, size)))
@pytest.mark.parametrize("look", LOOKS)
def test_many_threads(look: str, size: tuple[int, int], snap_compare: Callable[..., bool]) -> None:
    app = scripted(readonly=False)

    async def arrange(pilot: Pilot[None]) -> None:
        await pilot.pause()
        app.tell(*everything(SHOP))
        await wait_for_text(pilot, "5 threads")
        await LOOKS[look](app, pilot)
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=arrange)
