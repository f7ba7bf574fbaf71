"""What the benchmarks share: taking turns, processes as an installation runs them, and the table of bars."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests import postgres

from .make_postgres import DATABASE, SETTINGS

ROOT = Path(__file__).resolve().parents[2]
TURNS = 5


def best(
    *works: Callable[[], object], turns: int = TURNS, clock: Callable[[], float] = time.process_time
) -> list[float]:
    """Seconds of the best turn of each, taking turns."""
    times = [float("inf")] * len(works)
    for _ in range(turns):
        for number, work in enumerate(works):
            started = clock()
            work()
            times[number] = min(times[number], clock() - started)
    return times


def process(*arguments: str) -> str:
    """Run Python and return what it printed."""
    done = subprocess.run([sys.executable, *arguments], check=True, capture_output=True, text=True, cwd=ROOT)
    return done.stdout


@contextmanager
def installed() -> Iterator[None]:
    """Child processes keep compiled modules, as an installation does, and find no records of runs."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"PYTHONPYCACHEPREFIX": f"{folder}/cache", "XDG_STATE_HOME": f"{folder}/state"}
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ |= before


@contextmanager
def served(store: Path) -> Iterator[str]:
    """Address of a store: an SQLite file, or a directory of ``make_postgres``, whose server runs meanwhile."""
    if store.is_file():
        yield str(store)
        return
    server = postgres.launch(store, SETTINGS)
    try:
        yield postgres.database_url(server, DATABASE)
    finally:
        postgres.halt(store)


def milliseconds(seconds: float) -> str:
    """A time for a table."""
    return f"{seconds * 1e3:,.3f} ms" if seconds < 0.01 else f"{seconds * 1e3:,.0f} ms"


def quantile(values: Iterable[float], share: float) -> float:
    """The value that a share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def spread(seconds: Iterable[float]) -> str:
    """Median, 95th percentile and maximum in milliseconds."""
    values = [1000 * max(0.0, second) for second in seconds]
    return f"p50 {quantile(values, 0.5):.0f}, p95 {quantile(values, 0.95):.0f}, max {max(values):.0f} ms"


@dataclass(frozen=True, slots=True)
class Line:
    """One bar and what was measured.

    Attributes:
        what: What is measured.
        store: In which store.
        value: The figure that the bar is about.
        bar: The most it may be, or the least.
        unit: Of both.
        least: The bar is the least.
        told: What the figure comes from.
    """

    what: str
    store: str
    value: float
    bar: float
    unit: str
    told: str
    least: bool = False

    @property
    def passed(self) -> bool:
        """Whether the bar is met."""
        return self.value >= self.bar if self.least else self.value <= self.bar

    def __str__(self) -> str:
        digits = 2 if self.bar < 10 else 0
        figure = f"{self.value:,.{digits}f} {self.unit}"
        bar = f"{'>=' if self.least else '<='} {self.bar:g} {self.unit}"
        verdict = "pass" if self.passed else "MISS"
        return f"{self.what:<46} {self.store:<9} {figure:>10}  {bar:>10}  {verdict}  {self.told}"
