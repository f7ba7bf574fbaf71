"""The keys for verbs where threads can be marked: they are about the marked ones, if there are any."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding

from backends.errors import NotFound, Refused, StoreError
from backends.text import one_line

from ..verbs.spot import VERBS
from ..widgets.thread_list import ThreadList
from .controls import ControlScreen

_TOGETHER: Final = frozenset({"resume", "answer", "stop", "fork", "delete", "prune", "export"})
"""Verbs that can be done to several threads at once; of a fork, the copy."""

MANY: Final = Binding(
    "b",
    "many",
    "bulk",
    id="threads.many",
    tooltip="Do something to all that is marked, or shown",
)

_ALONE: Final = "One thread at a time: u takes the marks away."

_NAMED: Final = 3
"""Threads that are named."""


class BulkKeys(ControlScreen):
    """A screen with a list of threads on it."""

    @property
    def threads(self) -> ThreadList:
        """The list."""
        raise NotImplementedError

    @property
    def marked(self) -> tuple[str, ...]:
        """The marked threads, in the order of the list; those that the filter hides come last."""
        marked = self.threads.marked
        if not marked:
            return ()
        shown = [thread_id for thread_id in self.lgtop.index.order if thread_id in marked]
        return (*shown, *sorted(marked.difference(shown)))

    def _reasons(self, *verbs: str) -> tuple[str, ...]:
        """Why each verb cannot be done; what is marked decides where anything is."""
        reasons = super()._reasons(*verbs)
        if self.lgtop.live.info is None or not self.lgtop.knows_verbs or not self.threads.marked:
            return reasons
        refusal = self.lgtop.control.gate.refusal(self.lgtop.live.info)
        together = {verb: "" if verb == "export" else refusal for verb in _TOGETHER}
        alone = {verb: refusal or _ALONE for verb in VERBS if verb not in _TOGETHER and verb != "start"}
        known = together | alone
        return tuple(known.get(verb, reason) for verb, reason in zip(verbs, reasons, strict=True))

    def why_not(self, action: str) -> str:
        """Say why something cannot be done."""
        if action == "many":
            return "" if self.threads.marked or self.threads.line_count else "There is no thread here."
        return super().why_not(action)

    def action_many(self) -> None:
        """Do something to many threads."""
        self._begin("many")

    async def begin(self, verb: str) -> None:
        """Begin a verb: for what is marked, for what the filter shows, or for the thread under the cursor."""
        marked = self.marked
        if verb != "many" and not (marked and verb in _TOGETHER):
            await super().begin(verb)
            return
        from ..verbs.carry import complain
        from ..verbs.many import Target, begin_many

        index = self.lgtop.index
        if marked:
            hidden = sum(index.position(thread_id) is None for thread_id in marked)
            about = f"{_names(marked)}{f' · {hidden:,} of them hidden by the filter' if hidden else ''}"
            target = Target(marked, f"{_several(len(marked), 'marked')}", about)
        else:
            shown = tuple(index.order)
            query = index.view.query.describe()
            told = f"{_several(len(shown), 'all')}{f' that match {query}' if query else ''}"
            later = " · more may fit: not everything has been read yet" if index.approximate else ""
            target = Target(shown, told, _names(shown) + later, query)
        try:
            if await begin_many(self.lgtop, verb, target):
                self.threads.unmark()
                self.marks_changed()
        except (Refused, StoreError, NotFound) as error:
            complain(self.lgtop, error)

    def marks_changed(self) -> None:
        """Say how many there are."""
        raise NotImplementedError


def _several(count: int, which: str) -> str:
    """``3 marked threads``, ``all 212 threads``."""
    noun = "thread" if count == 1 else "threads"
    return f"{count:,} marked {noun}" if which == "marked" else f"all {count:,} {noun}"


def _names(thread_ids: tuple[str, ...]) -> str:
    """The first of them."""
    first = ", ".join(one_line(thread_id, 40) for thread_id in thread_ids[:_NAMED])
    return f"{first}, …" if len(thread_ids) > _NAMED else first
