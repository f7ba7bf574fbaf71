"""Fixtures for tests of the screens: an app that reads nothing, and one on a small real store."""

from __future__ import annotations

import gc
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import pytest
from textual.app import App
from textual.color import Color
from textual.pilot import Pilot

from backends.address import Address, parse_address
from backends.feed_events import Analysed, Counted, HeadsLoaded, Opened
from backends.ids import checkpoint_id_at
from backends.model import StatusName, Summary, ThreadHead
from backends.store import StoreInfo
from tui.app import LgtopApp
from tui.terminal import Terminal

from .stores import make_store

if TYPE_CHECKING:
    from .control_rig import Controlled

NOW = 1_800_000_000.0
"""The present, where time stands still."""

PATIENCE = 30.0
"""Seconds after which a test gives up waiting for a text."""


_tests = count(1)

_drawings: WeakKeyDictionary[App[Any], int] = WeakKeyDictionary()
"""How often each app has drawn something."""


@pytest.fixture(autouse=True)
def _count_drawings(monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn(app: App[Any]) -> None:
        _drawings[app] = _drawings.get(app, 0) + 1

    monkeypatch.setattr(App, "post_display_hook", drawn)


@pytest.fixture(autouse=True)
def _memory() -> Iterator[None]:
    """Collect what the app keeps from the collector, once in a while: an app freezes all there is when it starts."""
    yield
    if next(_tests) % 25 == 0:
        gc.unfreeze()
        gc.collect()


@pytest.fixture(autouse=True)
def _own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the developer's terminal, time zone and state directory out of the tests."""
    for name in (
        "TMUX",
        "SSH_CONNECTION",
        "SSH_TTY",
        "NO_COLOR",
        "LGTOP_PROFILE",
        "LGTOP_TERMINAL",
        "DISPLAY",
        "WAYLAND_DISPLAY",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


class ScriptedApp(LgtopApp):
    """The app without a feed: the test says what the feed would, and the screens hear of it at once."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.live._pace = 0.0

    def follow_store(self) -> None:
        """Read nothing."""

    def tell(self, *events: object) -> None:
        """Let the feed say something."""
        for event in events:
            self.live.receive(event)


def sqlite_address(path: Path) -> Address:
    return parse_address(str(path), {})


def scripted(**options: object) -> ScriptedApp:
    """An app on a store that the test makes up."""
    options.setdefault("clock", lambda: NOW)
    options.setdefault("terminal", Terminal())
    address = options.pop("address", None) or Address("sqlite", "shop.sqlite", "/data/shop.sqlite", None, "shop.sqlite")
    return ScriptedApp(address, **options)


def head(thread_id: str, age: float = 0.0, step: int = 1, metadata: bytes = b"{}") -> ThreadHead:
    """A head whose last activity was `age` seconds ago."""
    checkpoint = checkpoint_id_at(NOW - age) + "-8000-000000000000"
    return ThreadHead(thread_id, "", checkpoint, checkpoint, metadata, step, "loop")


def summary(status: str = "done", reason: str = "", *nodes: str, inferred: bool = False) -> Summary:
    return Summary(StatusName(status), reason, nodes, status == "waiting", inferred)


def opened(**changes: object) -> Opened:
    facts = {
        "kind": "sqlite",
        "name": "shop.sqlite",
        "location": "/data/shop.sqlite",
        "schema": "with task_path",
        "writable": True,
    }
    return Opened(StoreInfo(**{**facts, **changes}))  # type: ignore[arg-type]


def everything(rows: Iterable[tuple[ThreadHead, Summary | None]], checkpoints: int = 3) -> list[object]:
    """What the feed says about a whole store."""
    pairs = list(rows)
    return [
        opened(),
        HeadsLoaded(tuple(found for found, _ in pairs), complete=True),
        Counted({found.thread_id: checkpoints for found, _ in pairs}),
        Analysed({found.thread_id: status for found, status in pairs if status is not None}),
    ]


SHOP = [
    (head("loan-0042", 125, 4), summary("waiting", '"Approve 12 000 €?"', "review")),
    (head("etl-2026-11-20", 300, 1), summary("failed", "ConnectionError('refused')", "load")),
    (head("batch-9", 11_000, 17), summary("stalled", "crashed, or running elsewhere", "embed")),
    (head("doc-7f3a", 5, 3), summary()),
    (head("0b7e9c1a-51d2-4d0f-9c3e-7a1f6f3a9d21", 90_000, 2), summary(inferred=True)),
]
"""A few threads of every kind."""


def text_of(app: App[object]) -> str:
    """What is on screen."""
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())


DANGEROUS = [chr(code) for code in (*range(0x20), 0x7F, *range(0x80, 0xA0), 0x202E, 0x2066, 0x200B, 0xE0041)]


def terminal_text(app: LgtopApp) -> str:
    """Every segment as it would be written to the terminal, after the filters of the app."""
    filters = app.get_line_filters()
    lines = []
    for strip in app.screen._compositor.render_strips():
        for line_filter in filters:
            strip = strip.apply_filter(line_filter, Color(0, 0, 0))
        lines.append(strip.text)
    return "\n".join(lines)


def lines_of(app: App[object]) -> list[str]:
    return text_of(app).split("\n")


async def wait_for(pilot: Pilot[object], condition: Callable[[], object]) -> None:
    """Let the app go on until something is so; fails after `PATIENCE` seconds with what is on screen."""
    deadline, pause = time.monotonic() + PATIENCE, 0.01
    while not condition():
        assert time.monotonic() < deadline, f"not within {PATIENCE} s:\n{text_of(pilot.app)}"
        await pilot.pause(pause)
        pause = min(pause * 1.3, 0.05)  # to look is to draw the whole screen


async def wait_for_text(pilot: Pilot[object], text: str) -> None:
    """Let the app go on until a text is on screen; only what has been drawn since the last look is looked at."""
    seen, looks = -1, 0

    def there() -> bool:
        nonlocal seen, looks
        looks += 1
        if seen == _drawings.get(pilot.app, 0) and looks % 10:
            return False
        seen = _drawings.get(pilot.app, 0)
        return text in text_of(pilot.app)

    await wait_for(pilot, there)


async def settled(pilot: Pilot[object]) -> None:
    """Let the app go on until it draws the same three times: a dialog is there before what is dimmed behind it."""
    before, same = None, 0
    while same < 2:
        now = list(pilot.app.screen._compositor.render_strips())
        same = same + 1 if now == before else 0
        before = now
        await pilot.pause(0.05)


@asynccontextmanager
async def shop(size: tuple[int, int] = (120, 30), **options: object) -> AsyncIterator[tuple[ScriptedApp, Pilot[None]]]:
    """The app on a few threads of every kind."""
    app = scripted(**options)
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        app.tell(*everything(SHOP))
        await wait_for_text(pilot, "done")
        yield app, pilot


@pytest.fixture(scope="session")
def made_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small real store; copy it before writing to it."""
    return make_store(tmp_path_factory.mktemp("store") / "checkpoints.sqlite")


@pytest.fixture
def store(made_store: Path, tmp_path: Path) -> Path:
    """A small real store of the test's own."""
    path = tmp_path / "checkpoints.sqlite"
    path.write_bytes(made_store.read_bytes())
    return path


@pytest.fixture(scope="session")
def control_homes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """A project, a store of its threads, and a state directory where its drawings are kept."""
    from .control_project import make_project, make_threads

    folder = tmp_path_factory.mktemp("control")
    project = make_project(folder / "project")
    return project, make_threads(project, folder / "store.sqlite"), folder / "state"


@pytest.fixture
def controlled(control_homes: tuple[Path, Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Controlled:
    """A project, and a store of the test's own with its threads."""
    from .control_rig import Controlled

    project, store, state = control_homes
    own = tmp_path / "store.sqlite"
    own.write_bytes(store.read_bytes())
    monkeypatch.setenv("XDG_STATE_HOME", str(state))
    for name in ("XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    return Controlled(project, own)
