"""The graphs at hand for a store: which there are, what they look like, and which one a thread belongs to."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace
from pathlib import Path

from ..runs.interpreter import locate
from ..runs.spec import GraphRef
from .belongs import fitting
from .choices import Choices, graph_of_run
from .config import find, read_config
from .drawing import Drawing
from .gallery import Gallery
from .reference import parse_ref


class Known:
    """The graphs of the project in which lgtop was started, and the one that was named. Safe to use from any thread.

    Args:
        store_key: The store (``locks.key.store_key``).
        cwd: Where the project is looked for; the current directory by default.
        graph: What ``--graph`` named: the graph of every thread for which no other was chosen.
        python: What ``--python`` named.
    """

    def __init__(self, store_key: str, cwd: Path | None = None, graph: str = "", python: str = "") -> None:
        self._choices = Choices(store_key)
        self._gallery = Gallery()
        self._cwd = cwd or Path.cwd()
        self._graph = graph
        self._python = python

    def refs(self) -> list[GraphRef]:
        """Return the graphs that can be chosen, the named one first; as their project describes them now.

        Raises:
            Refused: The configuration cannot be read, or what was named is no graph.
        """
        python = self._interpreter()
        config = find(self._cwd)
        refs = read_config(config, python) if config else []
        if not self._graph:
            return refs
        named = parse_ref(self._graph, self._cwd, python)
        return [named, *(ref for ref in refs if ref != named)]

    def named(self, text: str) -> GraphRef:
        """Return the graph that a person names, as ``--graph`` would.

        Raises:
            Refused: There is none such.
        """
        return parse_ref(text, self._cwd, self._interpreter())

    def drawing(self, ref: GraphRef) -> Drawing:
        """Return what a graph looks like now; may block for seconds, while a child imports it.

        Raises:
            Refused: It cannot be imported; tried again when a source of it has changed, or after half a minute.
        """
        return self._gallery.drawing(ref)

    def glance(self, ref: GraphRef) -> Drawing | None:
        """Return the last drawing that is in memory, at once."""
        return self._gallery.glance(ref)

    def remember(self, thread_id: str | None, ref: GraphRef) -> None:
        """Keep a person's choice for a thread; ``None`` for all threads without one of their own.

        Raises:
            OSError: The state directory cannot be written.
        """
        self._choices.remember(thread_id, ref)

    def of_thread(self, thread_id: str, names: Set[str], stamp: str = "") -> list[GraphRef]:
        """Return the graphs that a thread may belong to, best first; exactly one means that it is decided.

        A person's choice for the thread goes before ``--graph``, that before what our own run has stamped, that before
        the choice for the whole store, and that before the graphs whose nodes fit. May block for seconds, while graphs
        are drawn.

        Args:
            thread_id: The thread.
            names: Node names in its rows.
            stamp: ``lgtop_run`` in the metadata of its newest stamped checkpoint.

        Raises:
            Refused: As ``refs``. A graph that cannot be imported is not among the answers.
        """
        refs = self.refs()
        told = (
            self._choices.recall(thread_id)
            or (refs[0] if self._graph else None)
            or graph_of_run(stamp)
            or self._choices.recall(None)
        )
        if told is not None:
            python = self._interpreter()
            return [replace(told, python=python) if python else told]
        made = zip(refs, self._gallery.drawings(refs), strict=True)  # a refusal is said where the graph is looked at
        drawings = {ref.name: drawing for ref, drawing in made if isinstance(drawing, Drawing)}
        fits = fitting(names, None, drawings)
        return sorted((ref for ref in refs if ref.name in fits), key=lambda ref: fits.index(ref.name))

    def _interpreter(self) -> str:
        return locate(self._python, self._cwd) if self._python else ""
