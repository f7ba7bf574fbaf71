"""``lgtop run``: give a graph an input, on a new thread or on one that exists."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from .arguments import Parser, add_store
from .conduct import conduct
from .control_arguments import SAFETY, add_conduct, add_crash, add_graph, add_running
from .exits import Exit
from .given import FORMS, json_value
from .planning import planning

if TYPE_CHECKING:
    from .planning import Desk

SUMMARY = "start a graph on a new thread, or give an existing thread a new input"
DESCRIPTION = f"""\
Run a graph in a process of its own, tell on standard error what it does, and print how it ended. A store that does
not exist yet is made. Without --thread the thread gets a new, readable id; tasks that are pending on an existing
thread are dropped by a new input, as LangGraph does it, which --dry-run tells beforehand.

{SAFETY}"""
EXAMPLES = """\
  lgtop run -s checkpoints.sqlite --graph documents --input '{"document_id": "d1", "content": "All well."}'
  lgtop run -s new.sqlite --graph src/app.py:graph --python .venv/bin/python --input @input.json --durability async
  lgtop run --graph documents --input @input.json --detach --json | jq -r .run_id"""


def arguments(parser: Parser) -> None:
    """Describe the command line."""
    add_store(parser)
    add_graph(parser)
    parser.add_argument("--thread", metavar="ID", help="thread id; default: a new one")
    parser.add_argument("--input", type=json_value, metavar="JSON", required=True, help=f"the input; {FORMS}")
    add_running(parser)
    add_crash(parser)
    add_conduct(parser)


def run(options: Namespace) -> Exit:
    """Start it."""
    from backends.control.plan import Intent

    with planning(options, create=True) as desk:
        choice = desk.choose_graph(options.thread)
        intent = Intent(
            "start",
            options.thread or _new_id(desk, choice.ref.name if choice.ref else "thread"),
            seen_head=None if options.thread else "",
            input=options.input,
            durability=options.durability,
            step=options.step,
            recursion_limit=options.recursion_limit,
            config=options.config,
            context=options.context,
            faults=tuple(options.crash),
            create_store=desk.is_new,
        )
        return conduct(desk, desk.plan(intent, choice), options)


def _new_id(desk: Desk, graph: str) -> str:
    from backends.control.names import propose_thread_id

    return propose_thread_id(graph, desk)
