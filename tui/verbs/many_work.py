"""What a request would do, the job that does it, and the same as a command."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from shlex import join
from typing import TYPE_CHECKING, Final

from backends.address import mask_dsn
from backends.bulk.request import RUNNING, Action, BulkRequest
from backends.errors import Refused

if TYPE_CHECKING:
    from backends.bulk.job import Job
    from backends.bulk.outcome import Outcome
    from backends.control.gate import Gate
    from backends.graphs.known import Known
    from backends.reader import Reader
    from backends.runs.spec import GraphRef

    from ..app import LgtopApp
    from ..dialogs.bulk_preview import Foreseen

_NAMED: Final = 20
"""Threads that a command names; there is none for more, unless a filter finds them."""

_COMMANDS: Final = {Action.DELETE: "rm"}
"""Commands that are not called as their verb is."""


async def foresee(app: LgtopApp, request: BulkRequest) -> Foreseen:
    """Work out what a request would do.

    Raises:
        StoreError: The store cannot be read.
    """
    gate, known = app.control.gate, await asyncio.to_thread(lambda: app.control.known)
    return await app.bulk.store_thread.run(lambda reader: _foreseen(reader, request, gate, known))


def _foreseen(reader: Reader, request: BulkRequest, gate: Gate, known: Known) -> Foreseen:
    """Called on a thread of its own."""
    from backends.bulk.graphs import Graphs
    from backends.bulk.preview import preview
    from backends.locks.board import LockBoard

    from ..dialogs.bulk_preview import Foreseen

    graphs, undecided = Graphs(known), list[str]()

    def graph_of(thread_id: str) -> GraphRef | None:
        found = graphs.of(reader, thread_id)
        if found.ref is None:
            undecided.append(thread_id)
        if found.problem:
            raise Refused(found.problem)
        return found.ref

    board = LockBoard(gate.target)
    try:
        holders = board.holders(lambda: request.thread_ids)
    finally:
        board.close()
    return Foreseen(preview(reader, request, gate, graph_of, holders), tuple(undecided))


async def job_for(
    app: LgtopApp, request: BulkRequest, settled: Sequence[Outcome]
) -> Callable[[Callable[[], object]], Job]:
    """Prepare a job; what is returned makes it from what it is to call after every change.

    Args:
        app: The app.
        request: What to do.
        settled: Threads to which nothing is done, each with why not.

    Raises:
        Refused: It makes no sense, or nothing may be written.
    """
    from backends.bulk.deeds import deed_for
    from backends.bulk.graphs import Graphs
    from backends.bulk.job import Job

    gate = app.control.gate
    graphs = Graphs(await asyncio.to_thread(lambda: app.control.known)) if request.action in RUNNING else None
    deed = deed_for(request, gate, graphs, made_by="lgtop")
    return lambda heard: Job(request, gate, deed, heard, settled)


def command_of(app: LgtopApp, request: BulkRequest, query: str | None) -> str:
    """The same as a command; empty where it would be too long. Never a password.

    Args:
        app: The app.
        request: What is asked for.
        query: The filter whose threads they are; ``None`` where they were named.
    """
    if query is None and len(request.thread_ids) > _NAMED:
        return ""
    which = list(request.thread_ids) if query is None else ["--filter", query] if query else ["--all"]
    name = _COMMANDS.get(request.action, request.action.value)
    return join(["lgtop", name, "-s", mask_dsn(app.address.raw), *which, *_options(request)])


def _options(request: BulkRequest) -> list[str]:
    found: list[str] = []
    policy = request.policy
    if request.action is Action.ANSWER:
        import json

        found += ["--value", json.dumps(request.answer, ensure_ascii=False)]
    if request.action is Action.STOP and request.how != "drain":
        found.append(f"--{request.how}")
    if request.action is Action.COPY:
        found.append(f"--suffix={request.suffix}")  # a word that begins with a dash would be taken for an option
    if request.action is Action.EXPORT:
        found += ["-o", request.path]
    if policy is not None:
        found += ["--keep", str(policy.keep)]
        found += [] if policy.older_than is None else ["--older-than", f"{policy.older_than:g}s"]
        found += ["--finished"] if policy.finished else []
    if request.action in RUNNING:
        found += [] if request.durability == "sync" else ["--durability", request.durability]
        found += ["--retries", str(request.retries)] if request.retries else []
    if len(request.thread_ids) > 1 and request.action is not Action.EXPORT:
        found += ["--concurrency", str(request.concurrency)]
    return [*found, *(["--yes"] if request.action in (Action.DELETE, Action.PRUNE) else [])]
