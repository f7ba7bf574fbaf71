"""Run the oracle over many seeds, in both kinds of store."""

from __future__ import annotations

import logging
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from backends.model import Analysis, CheckpointKey
from backends.reader import Reader
from backends.store import open_store

from .compare import Findings, compare_head, compare_history, namespaces
from .play import play, saver_at


@dataclass
class Report:
    """Findings of one kind of store.

    Attributes:
        findings: Of the store as written.
        without_paths: Of SQLite copies without ``writes.task_path``: the same threads, compared with the full layout.
        features: In how many graphs each feature was.
        events: How often each kind of run was made.
        graphs: Number of graphs.
    """

    findings: Findings = field(default_factory=Findings)
    without_paths: Findings = field(default_factory=Findings)
    features: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    graphs: int = 0


def check_sqlite(seeds: Iterable[int]) -> Report:
    """Play each seed in a SQLite file of its own."""
    report = Report()
    with tempfile.TemporaryDirectory(prefix="lgtop-oracle-") as home:
        for seed in seeds:
            path = Path(home) / f"{seed}.sqlite"
            with saver_at(str(path)) as saver:
                saver.setup()
                _check(report, seed, str(path), saver)
            if path.exists():
                _check_without_paths(report, path)
            for leftover in Path(home).iterdir():
                leftover.unlink()
    return report


def check_postgres(seeds: Iterable[int], url: str) -> Report:
    """Play all seeds in one Postgres database, and take its ``task_path`` column away in the end."""
    report = Report()
    with saver_at(url) as saver:
        for seed in seeds:
            _check(report, seed, url, saver)
    full = dict(_every_analysis(url))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER TABLE checkpoint_writes DROP COLUMN task_path")
    for key, bare in _every_analysis(url):
        _compare_layouts(report, str(key), full[key], bare)
    return report


def _every_analysis(address: str) -> Iterator[tuple[CheckpointKey, Analysis]]:
    """What each checkpoint of a store means."""
    with closing(open_store(address)) as store:
        reader = Reader(store)
        for head in [head for batch in store.heads() for head in batch]:
            yield from ((row.key, reader.analysis(row.key)) for row in store.history(head.thread_id))


def _check(report: Report, seed: int, address: str, saver: object) -> None:
    logging.disable(logging.CRITICAL)
    thread, story = f"thread-{seed}", None
    with closing(open_store(address)) as store:
        for story in play(seed, address, saver, thread):
            compare_head(story, Reader(store), report.findings)
        assert story is not None
        reader = Reader(store)
        if thread in store.heads_of([thread]):
            compare_history(story, reader, report.findings)
            for ns in namespaces(story, reader):
                compare_head(story, reader, report.findings, ns)
    report.graphs += 1
    report.features.update(story.plan.features)
    report.events.update(story.events)
    logging.disable(logging.NOTSET)


def _check_without_paths(report: Report, path: Path) -> None:
    copy = path.with_name("without.sqlite")
    with closing(sqlite3.connect(path)) as source:
        source.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copyfile(path, copy)
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("ALTER TABLE writes DROP COLUMN task_path")
    full = dict(_every_analysis(str(path)))
    for key, bare in _every_analysis(str(copy)):
        _compare_layouts(report, str(key), full[key], bare)


def _compare_layouts(report: Report, where: str, full: Analysis, bare: Analysis) -> None:
    found = report.without_paths
    found.statuses[bare.status] += 1
    found.expect("status", where, full.status, bare.status)
    if full.next == ("workflow",) and bare.next == ("__start__",):
        found.limits["entrypoint not named yet"] += 1
    else:
        found.expect("next", where, full.next, bare.next)
    found.expect("interrupts", where, *({one.id: one.value for one in its.interrupts} for its in (full, bare)))
