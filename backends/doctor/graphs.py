"""Whether the graphs of a project can be loaded where they run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..errors import Refused
from ..graphs.config import find, read_config
from ..graphs.draw import draw_each
from ..graphs.drawing import Drawing
from ..graphs.reference import parse_ref
from ..runs.spec import GraphRef
from ..text import one_line
from .finding import Finding, State

_MISSING = re.compile(r"No module named '([\w.]+)'")


def examine_graphs(cwd: Path, graph: str, python: str) -> Iterator[Finding]:
    """Import graphs, in a process of their own.

    Args:
        cwd: Where the project is looked for, here or above.
        graph: The one graph that is meant; empty for all of ``langgraph.json``.
        python: Absolute path of their interpreter.
    """
    try:
        refs = _refs(cwd, graph, python)
    except Refused as error:
        yield Finding("graphs", State.FAULT, error.reason, error.advice or "Mend the file; lgtop graphs lists it.")
        return
    if not refs:
        told = f"There is no langgraph.json in {cwd} or above: no graph was loaded."
        yield Finding("graphs", State.NOTE, told, "Go to the project, or name one with --graph.")
        return
    for ref, found in zip(refs, draw_each(refs), strict=True):
        yield _loaded(ref, found)


def _refs(cwd: Path, graph: str, python: str) -> Sequence[GraphRef]:
    if graph:
        return [parse_ref(graph, cwd, python)]
    config = find(cwd)
    return [] if config is None else read_config(config, python)


def _loaded(ref: GraphRef, found: Drawing | Refused) -> Finding:
    if isinstance(found, Refused):
        return Finding("graph", State.FAULT, found.reason, found.advice or _advice(ref, found.reason))
    nodes = sum(not node.name.startswith("__") for node in found.nodes)
    told = f"{one_line(ref.name, 60)} loads and has {nodes} node{'' if nodes == 1 else 's'}."
    return Finding("graph", State.OK, told)


def _advice(ref: GraphRef, reason: str) -> str:
    if found := _MISSING.search(reason):
        install = f"{ref.python or 'python'} -m pip install {found[1].partition('.')[0]}"
        return f"Install what the graph imports: {install}; or name the project's Python with --python."
    return f"Import {one_line(ref.target.rpartition(':')[0], 100)} yourself to see the whole error."
