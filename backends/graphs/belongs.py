"""Which of the known graphs has written a thread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set

from .drawing import Drawing

_SPECIAL = frozenset({"__start__", "__end__", "__input__", "__interrupt__", "__copy__", ""})
"""Names in rows that are no nodes."""

_HANDLER = "__error_handler__"
"""What LangGraph puts before the name of a node that handles another one's error."""


def fitting(names_in_thread: Set[str], stamp: str | None, drawings: Mapping[str, Drawing]) -> list[str]:
    """Return the names of the graphs that can have written a thread, best first.

    Args:
        names_in_thread: Node names that stand in its rows.
        stamp: The graph that one of our own runs has named, if one has written here; it goes before all others.
        drawings: The known graphs by name.

    Returns:
        The stamped graph, then every graph that has all of the names; among them the one of which most nodes were seen.
        Where none has, every ``@entrypoint`` that was seen: which ``@task`` functions it calls is not known before.
        Nothing where no node was seen: then every graph fits, and none better than another.
    """
    names = {name.removeprefix(_HANDLER) for name in names_in_thread} - _SPECIAL
    found = [stamp] if stamp is not None and stamp in drawings else []
    if not names:
        return found
    nodes = {name: set(_nodes(drawing)) for name, drawing in drawings.items()}
    others = [name for name in drawings if name != stamp]
    fits = [name for name in others if names <= nodes[name]] or [
        name for name in others if drawings[name].functional and nodes[name] & names
    ]
    return found + sorted(fits, key=lambda name: (len(nodes[name]), name))


def _nodes(drawing: Drawing) -> Iterator[str]:
    """Names of a graph's nodes, those of its subgraphs included."""
    for node in drawing.nodes:
        yield node.name
        if node.subgraph is not None:
            yield from _nodes(node.subgraph)
