"""``lgtop graphs``: the graphs that can be run from here, and what one looks like."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from backends.text import one_line

from . import output
from .arguments import Parser, add_formats
from .exits import Exit
from .run_records import graph_record
from .table import Column, draw

if TYPE_CHECKING:
    from backends.graphs.drawing import Drawing
    from backends.runs.spec import GraphRef

SUMMARY = "list the graphs of langgraph.json, or draw one"
DESCRIPTION = """\
List the graphs of the langgraph.json in the current directory, or in the nearest one above it. With --draw, import one
in a process of its own and print its nodes and edges, what its input looks like, and where it has breakpoints."""
EXAMPLES = """\
  lgtop graphs
  lgtop graphs --draw documents
  lgtop graphs --draw src/app.py:graph --python .venv/bin/python --json"""

COLUMNS = (Column("GRAPH", least=8), Column("TARGET", least=16, middle=True), Column("ROOT", least=8, drop=1))


def arguments(parser: Parser) -> None:
    """Describe the command line."""
    parser.add_argument("--draw", metavar="REF", help="a name in langgraph.json, path/file.py:variable or module:attr")
    parser.add_argument(
        "--python", metavar="PATH", default="", help="the interpreter of the graph's project; default: that of lgtop"
    )
    add_formats(parser, "graph")


def run(options: Namespace) -> Exit:
    """Print the list or the drawing."""
    if options.draw:
        return _draw(options)
    refs = _configured(options.python)
    if options.json or options.jsonl:
        output.print_records(map(graph_record, refs), as_lines=options.jsonl)
    elif refs:
        rows = [[one_line(ref.name), one_line(ref.target), one_line(ref.root)] for ref in refs]
        output.print_lines(draw(COLUMNS, rows, output.width(), output.coloured()))
    else:
        output.narrate("There is no langgraph.json here or above. Name a graph as path/file.py:variable.")
    return Exit.DONE


def _configured(python: str) -> Sequence[GraphRef]:
    """The graphs of the nearest ``langgraph.json``; none where there is no such file.

    Raises:
        Refused: It cannot be read.
    """
    from backends.graphs.config import find, read_config

    path = find(Path.cwd())
    return [] if path is None else read_config(path, python)


def _draw(options: Namespace) -> Exit:
    from backends.graphs.draw import draw as drawn
    from backends.graphs.reference import parse_ref

    ref = parse_ref(options.draw, Path.cwd(), options.python)
    drawing = drawn(ref)
    if options.json or options.jsonl:
        output.print_record({**graph_record(ref), "drawing": asdict(drawing)})
    else:
        output.print_lines(_lines(drawing))
    return Exit.DONE


def _lines(drawing: Drawing, depth: int = 0) -> Iterator[str]:
    """Every node with what follows it, subgraphs indented below theirs."""
    indent = "    " * depth
    for node in drawing.nodes:
        if node.name == "__end__":
            continue
        edges = [edge for edge in drawing.edges if edge.source == node.name]
        arrows = ", ".join(f"{'?' if edge.conditional else ''}{edge.target}" for edge in edges)
        stops = [word for word, where in _breakpoints(drawing) if node.name in where or "*" in where]
        notes = [*stops, *(["deferred"] if node.deferred else [])]
        told = f"   ({', '.join(notes)})" if notes else ""
        yield f"{indent}{one_line(node.name)}{f' -> {one_line(arrows)}' if arrows else ''}{told}"
        if node.subgraph is not None:
            yield from _lines(node.subgraph, depth + 1)
    if not depth and drawing.input_schema:
        yield f"input: {one_line(output.encode(drawing.input_schema))}"


def _breakpoints(drawing: Drawing) -> tuple[tuple[str, Sequence[str]], ...]:
    return ("stops before", drawing.interrupt_before), ("stops after", drawing.interrupt_after)
