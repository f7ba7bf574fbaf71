"""``lgtop watch --exec``: a command for every thread that enters a status.

Nothing of a thread ever becomes part of the command's text, which a shell reads: whoever writes the store would write
the command. It comes through the environment, and as a JSON object on standard input.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable, Mapping
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, NamedTuple

from backends.text import clean, one_line

from . import output

if TYPE_CHECKING:
    from backends.address import Address
    from backends.model import StatusName, Summary, ThreadHead

    from .selection import Listed

_LONGEST = 4_000
"""Characters of a variable: all of them share the room that the system has for arguments."""


class Entries:
    """Knows the status of every thread, and so which one has just entered another.

    Threads that are there when the watch begins have entered nothing: their statuses are learnt first.
    """

    def __init__(self) -> None:
        self._known: dict[str, StatusName] = {}
        self._unread: set[str] = set()

    def begin(self, heads: Iterable[ThreadHead]) -> None:
        """These threads were there before."""
        self._unread |= {head.thread_id for head in heads} - self._known.keys()

    def learn(self, summaries: Mapping[str, Summary]) -> None:
        """What they were doing; of a thread that has changed since, that is no news."""
        for thread_id in self._unread & summaries.keys():
            self._known[thread_id] = summaries[thread_id].status
        self._unread -= summaries.keys()

    def changed(self, thread_ids: Iterable[str]) -> None:
        """Whatever is learnt about these from now on is how they are after the change."""
        self._unread.difference_update(thread_ids)

    def entered(self, listed: Listed) -> bool:
        """Whether a thread has another status than before; remembers it."""
        thread_id, status = listed.head.thread_id, listed.analysis.status
        before, self._known[thread_id] = self._known.get(thread_id), status
        return before is not status

    def forget(self, thread_id: str) -> None:
        """The thread is gone; another one of its name begins anew."""
        self._known.pop(thread_id, None)


class _Call(NamedTuple):
    environment: Mapping[str, str]
    given: str
    thread_id: str


class Caller:
    """Runs a command for threads, one after the other, without holding up the watch.

    Args:
        command: For ``sh -c``.
        address: The store, which the command is told where its address has no password.
    """

    def __init__(self, command: str, address: Address) -> None:
        self._command = command
        shown = {"LGTOP_STORE": address.target} if address.target == address.raw or address.path else {}
        self._environment = {**os.environ, **shown}
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._thread = Thread(target=self._work, name="exec", daemon=True)
        self._thread.start()

    def call(self, listed: Listed) -> None:
        """Run the command for a thread, as soon as those before it have ended."""
        from .records import thread_record

        head, analysis = listed.head, listed.analysis
        told = {
            "LGTOP_THREAD": head.thread_id,
            "LGTOP_STATUS": analysis.status.value,
            "LGTOP_REASON": one_line(analysis.reason, _LONGEST),
            "LGTOP_NEXT": one_line(", ".join(analysis.next), _LONGEST),
            "LGTOP_STEP": "" if head.step is None else str(head.step),
            "LGTOP_CHECKPOINT": head.checkpoint_id,
        }
        told = {name: _storable(text) for name, text in told.items()}
        self._calls.put(_Call({**self._environment, **told}, output.encode(thread_record(listed)), head.thread_id))

    def close(self) -> None:
        """Let the command that runs come to its end; those after it are not begun."""
        while not self._calls.empty():
            self._calls.get()
        self._calls.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            self._run(call)

    def _run(self, call: _Call) -> None:
        """Its output goes where narration goes: standard output belongs to the watch."""
        try:
            code = subprocess.run(
                ["/bin/sh", "-c", self._command], input=f"{call.given}\n".encode(), stdout=2, env=call.environment
            ).returncode
        except OSError as error:
            output.narrate(f"lgtop: the command for thread {call.thread_id!r} cannot be run: {error.strerror}.")
            return
        if code:
            output.narrate(f"lgtop: the command for thread {call.thread_id!r} ended with {code}.")


def _storable(text: str) -> str:
    """A text that an environment takes: no NUL, no lone surrogate; anything that is neither is as it was."""
    if "\0" in text or not _encodable(text):
        return clean(text)[:_LONGEST].replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    return text


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
