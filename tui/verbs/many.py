"""What is done to many threads, or to the rows of one: what is asked, the preview, the start, and the end."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from backends.bulk.outcome import State
from backends.bulk.request import Action, BulkRequest
from backends.text import one_line

from ..bulk_words import MEANINGS, summary, threads, why
from .many_offers import offers
from .many_work import command_of, foresee, job_for

if TYPE_CHECKING:
    from backends.runs.stop import How

    from ..app import LgtopApp
    from ..bulk import Work

ANY: Final = "many"
"""The verb of a person who is still to choose one."""

_ACTIONS: Final[Mapping[str, Action]] = MappingProxyType(
    {
        "resume": Action.RESUME,
        "answer": Action.ANSWER,
        "stop": Action.STOP,
        "fork": Action.COPY,
        "delete": Action.DELETE,
        "prune": Action.PRUNE,
        "export": Action.EXPORT,
    }
)

TOGETHER: Final = frozenset({ANY, *_ACTIONS})
"""Verbs that can be done to several threads at once; of a fork, what needs no graph."""


AGAIN: Final = (State.FAILED, State.STOPPED)
"""What may become of a thread so that it is worth another try."""


@dataclass(frozen=True, slots=True)
class Target:
    """Some threads.

    Attributes:
        thread_ids: Which; untrusted.
        told: What they are called: ``3 marked threads``; untrusted.
        about: More about them, in a line; untrusted.
        query: The filter whose threads they are; ``None`` where they were named.
    """

    thread_ids: tuple[str, ...]
    told: str
    about: str = ""
    query: str | None = None

    @classmethod
    def one(cls, thread_id: str) -> Target:
        """A thread."""
        return cls((thread_id,), thread_id)


async def begin_many(app: LgtopApp, verb: str, target: Target) -> bool:
    """Ask what is missing, show what would be done, and do it if the person wants it; called in a worker.

    Args:
        app: The app.
        verb: One of ``TOGETHER``.
        target: The threads; at least one.

    Returns:
        Whether anything was begun.

    Raises:
        Refused: It cannot be done.
        StoreError: The store cannot be read.
    """
    action = await _choose(app, target) if verb == ANY else _ACTIONS[verb]
    request = None if action is None else await _asked(app, action, target)
    return request is not None and await _carry_out(app, request, target.query) is not None


async def retry(app: LgtopApp, work: Work) -> Work | None:
    """Do it again to the threads that failed, and go on with those that it was stopped before; called in a worker.

    Returns:
        What was begun; ``None`` where the person decided against it.
    """
    _, outcomes = work.seen
    left = tuple(one.thread_id for one in outcomes if one.state in AGAIN)
    return await _carry_out(app, replace(work.job.retry(), thread_ids=left), None, show=False)


async def _choose(app: LgtopApp, target: Target) -> Action | None:
    from ..dialogs.bulk_choose import BulkChoose

    found = await offers(app, target.thread_ids)
    return await app.push_screen_wait(BulkChoose(target.told, target.about, found, len(target.thread_ids)))


# What is missing


async def _asked(app: LgtopApp, action: Action, target: Target) -> BulkRequest | None:
    """A request, complete; ``None`` where the person gave up."""
    request = BulkRequest(action, target.thread_ids)
    if action is Action.ANSWER:
        return await _answered(app, request)
    if action is Action.STOP:
        how = await _how(app, request)
        return None if how is None else replace(request, how=how)
    if action is Action.COPY:
        return await _suffixed(app, request)
    if action is Action.PRUNE:
        from ..dialogs.bulk_prune import BulkPrune

        policy = await app.push_screen_wait(BulkPrune(f"Prune {target.told}"))
        return None if policy is None else replace(request, policy=policy)
    if action is Action.EXPORT:
        return await _to_file(app, request, target)
    if action is Action.DELETE:
        rows = app.index.rows
        return replace(request, expected={one: rows[one].head.newest_id for one in target.thread_ids if one in rows})
    return request


async def _answered(app: LgtopApp, request: BulkRequest) -> BulkRequest | None:
    from ..dialogs.bulk_answer import BulkAnswer, read_questions

    asked = await app.bulk.store_thread.run(partial(read_questions, thread_ids=request.thread_ids))
    answer = await app.push_screen_wait(BulkAnswer(asked))
    return None if answer is None else replace(request, answer=answer[0], answer_given=True)


async def _how(app: LgtopApp, request: BulkRequest) -> How | None:
    from ..dialogs.choose import Choice, Choose

    choices = [
        Choice("drain", "drain", "their tasks finish, their writes are saved, then they pause"),
        Choice("cancel", "cancel", "their tasks are told to stop now"),
        Choice("kill", "kill", "their processes end at once; what was not saved is lost"),
    ]
    how = await app.push_screen_wait(Choose(f"Stop {threads(len(request.thread_ids))}", choices))
    ways: dict[str, How] = {"drain": "drain", "cancel": "cancel", "kill": "kill"}
    return None if how is None else ways[how]


async def _suffixed(app: LgtopApp, request: BulkRequest) -> BulkRequest | None:
    from ..dialogs.ask_text import AskText

    def wrong(text: str) -> str:
        return "" if text else "something is needed: the copies have to be called otherwise"

    note = f"{one_line(request.thread_ids[0], 30)} becomes {one_line(request.thread_ids[0], 30)}-copy"
    suffix = await app.push_screen_wait(AskText("Copies end with", request.suffix, note, wrong))
    return None if suffix is None else replace(request, suffix=suffix)


async def _to_file(app: LgtopApp, request: BulkRequest, target: Target) -> BulkRequest | None:
    from ..dialogs.ask_text import AskText

    note = f"a new file in {one_line(os.getcwd(), 200)}; lgtop import reads it"
    ask = AskText(f"Export {target.told}", proposed_file(request.thread_ids), note, wrong_file)
    path = await app.push_screen_wait(ask)
    return None if path is None else replace(request, path=_path(path))


def proposed_file(thread_ids: tuple[str, ...]) -> str:
    """A name that is free in the current directory."""
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in thread_ids[0][:60])
    stem = plain.strip("-") if len(thread_ids) == 1 else f"{len(thread_ids)}-threads"
    stem = f"{stem or 'thread'}-{time.strftime('%Y%m%d-%H%M%S')}"
    names = (f"{stem}{more}.jsonl" for more in ("", *(f"-{number}" for number in range(2, 1000))))
    return next((name for name in names if not os.path.lexists(name)), f"{stem}.jsonl")


def wrong_file(text: str) -> str:
    """Why a file cannot be written under a name; empty where it can, as far as one sees."""
    path = _path(text)
    if not text or "\0" in text:
        return "a name is needed"
    if os.path.lexists(path):
        return "there is such a file already"
    return "" if os.path.isdir(os.path.dirname(path) or ".") else "there is no such directory"


def _path(text: str) -> str:
    return os.path.expanduser(text)


# The work


async def _carry_out(app: LgtopApp, request: BulkRequest, query: str | None, show: bool = True) -> Work | None:
    """Show what would be done, and begin if the person wants it."""
    from ..dialogs.bulk_preview import BulkPreview
    from ..screens.bulk import BulkScreen

    ask = BulkPreview(
        request,
        partial(foresee, app),
        partial(word_for, "" if app.mark is None else app.mark[0]),
        partial(command_of, app, query=query),
    )
    agreed = await app.push_screen_wait(ask)
    if agreed is None:
        return None
    request, settled = agreed.request, agreed.preview.settled
    count = len(request.thread_ids)
    told = threads(count) if count > 1 else one_line(request.thread_ids[0], 60)
    title = f"{MEANINGS[request.action].name} {told}"
    work = app.bulk.begin(await job_for(app, request, settled), title, partial(tell_end, app))
    if show and count > 1:
        app.push_screen(BulkScreen(work))
    return work


def word_for(mark: str, count: int) -> str:
    """What a person types before threads lose something; empty for one thread of a store without a mark.

    Args:
        mark: What marks the store; empty for none.
        count: How many threads.
    """
    return " ".join(filter(None, (mark, str(count) if count > 1 else "")))


def tell_end(app: LgtopApp, work: Work) -> None:
    """Say what came of it, unless it is on screen."""
    from ..screens.bulk import BulkScreen

    if isinstance(app.screen, BulkScreen) and app.screen.shown is work:
        return
    progress, outcomes = work.seen
    calm = not progress.failed
    became = why(outcomes[0]) if len(outcomes) == 1 else "B shows each thread"
    written = os.path.abspath(work.request.path) if work.request.path and progress.done else ""
    parts = (f"{work.title}: {summary(progress)}", one_line(written or became, 300))
    app.notify(" · ".join(filter(None, parts)), severity="information" if calm else "error", timeout=5 if calm else 10)
