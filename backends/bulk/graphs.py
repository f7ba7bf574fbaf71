"""Which graph runs each thread."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from ..errors import Refused
from ..graphs.drawing import Drawing
from ..graphs.known import Known
from ..graphs.traces import traces
from ..reader import Reader
from ..runs.spec import GraphRef


class Choice(NamedTuple):
    """A graph as a plan needs it.

    Attributes:
        ref: The graph; ``None`` where it is not known.
        drawing: What its child says about it; ``None`` where it cannot be imported, or is not wanted.
        problem: Why there is no graph, or no drawing; empty where there are both.
    """

    ref: GraphRef | None
    drawing: Drawing | None = None
    problem: str = ""


class Chooser(Protocol):
    """Knows which graph runs a thread; safe to use from any thread."""

    def one(self, reader: Reader, thread_id: str) -> GraphRef:
        """Choose, without asking anybody.

        Raises:
            NotFound: There is no such thread.
            Refused: It is not clear which.
            StoreError: The store cannot be read.
        """
        ...

    def of(self, reader: Reader, thread_id: str) -> Choice:
        """The same with its drawing, which may take seconds the first time.

        Raises:
            NotFound: There is no such thread.
            StoreError: The store cannot be read.
        """
        ...


class Graphs:
    """Chooses among the graphs at hand as the single verbs do.

    Args:
        known: The graphs at hand.
        named: Whether a person named one for all threads (``--graph``): nothing is then read of the thread.
    """

    def __init__(self, known: Known, named: bool = False) -> None:
        self._known = known
        self._named = named
        self._found: dict[str, list[GraphRef]] = {}

    def of(self, reader: Reader, thread_id: str) -> Choice:
        """See ``Chooser.of``."""
        try:
            ref = self.one(reader, thread_id)
        except Refused as error:
            return Choice(None, None, str(error))
        try:
            return Choice(ref, self._known.drawing(ref))
        except Refused as error:
            return Choice(ref, None, str(error))

    def one(self, reader: Reader, thread_id: str) -> GraphRef:
        """See ``Chooser.one``; no child is started where a graph is named."""
        refs = self.refs(reader, thread_id)
        if len(refs) != 1:
            raise Refused(_undecided(refs))
        return refs[0]

    def refs(self, reader: Reader, thread_id: str) -> list[GraphRef]:
        """The graphs that a thread may belong to, best first; one where it is decided. Looked up once.

        Raises:
            NotFound: There is no such thread.
            Refused: The project's configuration cannot be read.
            StoreError: The store cannot be read.
        """
        key = "" if self._named else thread_id
        if key not in self._found:
            if self._named:
                self._found[key] = self._known.refs()[:1]
            else:
                self._found[key] = self._known.of_thread(thread_id, *traces(reader, thread_id))
        return self._found[key]


def _undecided(refs: list[GraphRef]) -> str:
    if not refs:
        return (
            "No graph known here fits. Go to the directory of the project's langgraph.json, or name one with --graph."
        )
    return f"{len(refs)} graphs may be its own: {', '.join(ref.name for ref in refs)}. Name one with --graph."
