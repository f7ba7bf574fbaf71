"""How a run ends: its outcome, why, and the exit code that says the same."""

from __future__ import annotations

import os
import re
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..address import mask_dsn
from ..errors import AlreadyRunning, Refused, StoreError
from ..runs.events import Outcome

FAILED, BUSY, REFUSED, STORE = 1, 4, 5, 6
"""Exit codes other than 0."""

_OURS = str(Path(__file__).resolve().parents[2] / "backends")
_NODE_NOTE = re.compile(r"During task with name '(.*)' and id '(.*)'")
"""The note that LangGraph adds to what a node raises (``langgraph/pregel/_runner.py``)."""

_NOTHING_WRITTEN = ("EmptyInputError", "UnknownInterruptError")
"""What LangGraph raises before it writes (``langgraph/errors.py``)."""

_CODES = {Outcome.FAILED: FAILED, Outcome.CANCELLED: FAILED, Outcome.REFUSED: REFUSED, Outcome.BUSY: BUSY}


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of a run.

    Attributes:
        outcome: See ``Outcome``.
        reason: One sentence.
        head: Root head; ``None`` where there is none or it is not known.
        next: Nodes that come next.
        code: Exit code; ``None`` follows from the outcome.
    """

    outcome: Outcome
    reason: str = ""
    head: str | None = None
    next: tuple[str, ...] = ()
    code: int | None = None

    @property
    def exit_code(self) -> int:
        """0 done, waiting, paused, drained; 1 failed, cancelled; 4 busy; 5 refused; 6 store."""
        return _CODES.get(self.outcome, 0) if self.code is None else self.code


class Stopped(BaseException):
    """A signal came before anything had been run.

    Args:
        how: ``drain`` or ``cancel``.
    """

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


class LostStore(Exception):
    """The store failed while the graph ran.

    Args:
        cause: What the saver raised.
    """

    def __init__(self, cause: Exception) -> None:
        super().__init__(f"The store failed: {one_sentence(cause)}")


class LostLock(Exception):
    """The thread's lock is not ours any more: another process may be writing."""

    def __init__(self) -> None:
        super().__init__("The thread's lock was lost, and nothing was written after that. Resume the thread.")


def ending_of(error: BaseException) -> Ending:
    """Say what an exception means as the end of a run."""
    if type(error).__name__ in _NOTHING_WRITTEN:
        return Ending(Outcome.REFUSED, one_sentence(error))
    match error:
        case AlreadyRunning(holder=holder):
            return Ending(Outcome.BUSY, holder)
        case Refused():
            return Ending(Outcome.REFUSED, str(error))
        case StoreError():
            return Ending(Outcome.FAILED, mask_dsn(str(error)), code=STORE)
        case LostStore():
            return Ending(Outcome.FAILED, str(error), code=STORE)
        case LostLock():
            return Ending(Outcome.FAILED, str(error))
        case Stopped(how="drain"):
            return Ending(Outcome.DRAINED, "Stopped before anything was run.")
        case Stopped() | KeyboardInterrupt():
            return Ending(Outcome.CANCELLED, "Cancelled.")
        case SystemExit(code=code):
            return Ending(Outcome.FAILED, f"The graph's code called sys.exit({'' if code is None else code!r}).")
    return Ending(Outcome.FAILED, one_sentence(error))


def one_sentence(error: BaseException) -> str:
    """The last line of a traceback: ``ValueError: no such order``; without passwords."""
    try:
        text = str(error)
    except Exception:  # the user's own __str__
        text = "(its text cannot be made)"
    name = type(error).__name__
    return mask_dsn(f"{name}: {text}" if text else name)


def error_event(error: BaseException) -> dict[str, Any]:
    """What an ``ERROR`` event says about an exception: our own frames and all local values are left out."""
    shown = traceback.TracebackException.from_exception(error, compact=True)
    for each in _chain(shown):
        each.stack = traceback.StackSummary.from_list([f for f in each.stack if not f.filename.startswith(_OURS)])
    node = node_of(error)
    return {
        "type": f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins."),
        "message": one_sentence(error).partition(": ")[2],
        "traceback": mask_dsn("".join(shown.format())),
        "node": node and node[0],
    }


def node_of(error: BaseException) -> tuple[str, str] | None:
    """Name and task id of the innermost node that raised, as LangGraph notes it on the exception."""
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, str) and (found := _NODE_NOTE.fullmatch(note)):
            return found[1], found[2]
    return None


def _chain(shown: traceback.TracebackException) -> list[traceback.TracebackException]:
    """An exception and all that it comes from."""
    found, todo = [], [shown]
    while todo:
        each = todo.pop()
        found.append(each)
        todo += [other for other in (each.__cause__, each.__context__, *(each.exceptions or ())) if other]
    return found


def exit_now(code: int) -> None:
    """End the process without joining the user's threads or running their exit handlers."""
    os._exit(code)
