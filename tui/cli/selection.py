"""Which threads ``ls`` shows, and in which order; what is not shown is not analysed, unless it must be."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from backends.model import Analysis, StatusName, Summary, ThreadHead, ThreadRow

from .arguments import UsageError
from .opening import require_thread

if TYPE_CHECKING:
    from argparse import Namespace

    from backends.order import View
    from backends.reader import Reader

_BATCH = 500
"""Threads analysed at once; the first lines of a long list are printed after so many."""

_BY_STATUS = frozenset({"attention", "status", "next", "reason"})
"""Orders that need the status of every thread."""


class Listed(NamedTuple):
    """A thread with all that a list tells of it.

    Attributes:
        head: Its newest checkpoint.
        analysis: What that means.
        checkpoints: Their number over all namespaces.
        created_id: Its oldest checkpoint id.
    """

    head: ThreadHead
    analysis: Analysis
    checkpoints: int
    created_id: str


def chosen(options: Namespace, reader: Reader) -> dict[str, str]:
    """The threads that a command is meant for: those that are named, or all, or those that a filter fits.

    Returns:
        By thread the newest checkpoint that it was chosen for; empty where it was named.

    Raises:
        UsageError: None is named, or in two ways.
        NotFound: One that is named is not there.
        QueryError: The filter cannot be understood.
    """
    if (bool(options.threads), bool(options.filter.strip()), bool(options.all)).count(True) != 1:
        raise UsageError("Name either threads, or a --filter, or --all.", options.prog)
    if options.threads:
        for thread_id in options.threads:
            require_thread(reader, thread_id)
        return dict.fromkeys(options.threads, "")
    return fitting(reader, options.filter)


def fitting(reader: Reader, text: str) -> dict[str, str]:
    """The threads that a filter fits with their newest checkpoints, those that were quiet longest first.

    Raises:
        QueryError: It cannot be understood.
    """
    from backends.order import View
    from backends.query import parse

    rows, _ = _fitting(reader, View(parse(text), "active", True))
    return {row.head.thread_id: row.head.newest_id for row in rows}


def by_activity(reader: Reader, limit: int | None) -> Iterator[Listed]:
    """Threads, the one with the latest activity first; with a limit it costs milliseconds on a store of any size."""
    if limit is None:
        heads = [head for batch in reader.store.heads() for head in batch]
    else:
        heads = reader.store.newest_heads(limit)
    heads.sort(key=_last_activity, reverse=True)
    yield from told(reader, heads[:limit])


def select(reader: Reader, view: View, limit: int | None) -> Iterator[Listed]:
    """The threads of a view, in its order.

    Args:
        reader: The open store.
        view: Filter and order.
        limit: At most so many.

    Yields:
        Threads as they become known; batches are analysed while the first ones are printed already, unless filter
        or order need the status of every thread.
    """
    rows, analyses = _fitting(reader, view)
    yield from told(reader, [row.head for row in rows[:limit]], analyses)


def _fitting(reader: Reader, view: View) -> tuple[list[ThreadRow], dict[str, Analysis]]:
    """The threads of a view in its order, with the analyses that filter and order needed."""
    from backends.order import key_of

    now = time.time()
    rows = _cheaply_filtered(reader, view, now)
    analyses: dict[str, Analysis] = {}
    if view.query.needs_counts or view.sort == "checkpoints":
        counts = reader.store.counts(None)
        rows = [replace(row, checkpoints=counts.get(row.head.thread_id)) for row in rows]
    if view.query.needs_status or view.sort in _BY_STATUS:
        rows, analyses = _analysed(reader, _narrowed(reader, view, rows))
    return sorted(filter(view.query.test(now), rows), key=key_of(view), reverse=view.reverse), analyses


def _cheaply_filtered(reader: Reader, view: View, now: float) -> list[ThreadRow]:
    """Every thread that fits those terms of the filter that the head alone can answer."""
    from backends.query import Query
    from backends.query_terms import OF_SUMMARY

    costly = OF_SUMMARY | {"", "checkpoints"}
    fits = Query(tuple(term for term in view.query.terms if term.field not in costly)).test(now)
    rows = (ThreadRow(head) for batch in reader.store.heads() for head in batch)
    return [row for row in rows if fits(row)]


def _narrowed(reader: Reader, view: View, rows: Sequence[ThreadRow]) -> list[ThreadRow]:
    """Those that may have a status that the filter asks for, as far as that is known without reading them."""
    tests = [term.test(0.0) for term in view.query.terms if term.field == "status"]
    if not tests:
        return list(rows)
    unknown = ThreadHead("", "", "", "", b"", None, None)
    fitting = [
        status
        for status in StatusName
        if all(test(ThreadRow(unknown, Summary(status, "", (), 0, False))) for test in tests)
    ]
    heads = {head.thread_id for head in reader.narrowed([row.head for row in rows], fitting)}
    return [row for row in rows if row.head.thread_id in heads]


def _analysed(reader: Reader, rows: Sequence[ThreadRow]) -> tuple[list[ThreadRow], dict[str, Analysis]]:
    from backends.status import summarise

    analyses: dict[str, Analysis] = {}
    for at in range(0, len(rows), _BATCH):
        analyses.update(reader.analyse_heads([row.head for row in rows[at : at + _BATCH]]))
    known = [row for row in rows if row.head.thread_id in analyses]
    return [replace(row, summary=summarise(analyses[row.head.thread_id])) for row in known], analyses


def told(
    reader: Reader, heads: Sequence[ThreadHead], analyses: Mapping[str, Analysis] = MappingProxyType({})
) -> Iterator[Listed]:
    """Add what only printed threads need.

    Args:
        reader: The open store.
        heads: The threads, in the order of printing.
        analyses: What is known already.

    Yields:
        The threads, batch by batch; one that was deleted meanwhile is left out.
    """
    for at in range(0, len(heads), _BATCH):
        batch = heads[at : at + _BATCH]
        ids = [head.thread_id for head in batch]
        unknown = [head for head in batch if head.thread_id not in analyses]
        analyses = {**analyses, **reader.analyse_heads(unknown)} if unknown else analyses
        counts, created = reader.store.counts(ids), reader.store.created_ids(ids)
        for head in batch:
            if (analysis := analyses.get(head.thread_id)) and head.thread_id in created:
                yield Listed(head, analysis, counts.get(head.thread_id, 0), created[head.thread_id])


def _last_activity(head: ThreadHead) -> float:
    return head.updated_at or 0.0
