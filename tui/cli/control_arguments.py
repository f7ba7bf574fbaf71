"""The parts that the argument parsers of the control commands share."""

from __future__ import annotations

from .arguments import Parser, natural
from .given import FORMS, fault_spec, json_object, json_value

DURABILITY = ("sync", "async", "exit")

SAFETY = """\
Only one process at a time drives a thread: while somebody else does, the command ends with exit code 4 and says who.
ctrl+c stops before the next step; once more cancels the step; a third time kills. A run outlives its terminal."""


def add_graph(parser: Parser) -> None:
    """Add ``--graph`` and ``--python``."""
    parser.add_argument(
        "--graph",
        metavar="REF",
        help="a name in langgraph.json, path/file.py:variable or module:attribute; default: the graph that the thread "
        "was last run with, or else the one whose nodes fit it",
    )
    parser.add_argument(
        "--python", metavar="PATH", default="", help="the interpreter of the graph's project; default: that of lgtop"
    )


def add_running(parser: Parser) -> None:
    """Add what can be said about a run of a graph."""
    parser.add_argument(
        "--durability", choices=DURABILITY, metavar="MODE", default="sync", help="sync (default), async or exit"
    )
    parser.add_argument("--step", action="store_true", help="stop before the next superstep")
    parser.add_argument(
        "--recursion-limit", type=natural, metavar="N", help="at most N supersteps; default: LangGraph's own"
    )
    parser.add_argument(
        "--config",
        type=json_object,
        metavar="JSON",
        default={},
        help=f"more keys for configurable (default: none); {FORMS}",
    )
    parser.add_argument(
        "--context", type=json_value, metavar="JSON", help=f"run-time context of the graph (default: none); {FORMS}"
    )


def add_crash(parser: Parser) -> None:
    """Add ``--crash``."""
    parser.add_argument(
        "--crash",
        action="append",
        type=fault_spec,
        metavar="SPEC",
        default=[],
        help="crash the run on purpose: POINT:NODE[+ms]=HOW, as inside:analyze+250=kill; points before, inside, after, "
        "written, committed; ways kill, exit, raise, hang, lost; repeatable",
    )


def add_conduct(parser: Parser, detach: bool = True) -> None:
    """Add how the command itself goes about it: ``--expect``, ``--dry-run``, ``--detach``, ``--json``."""
    parser.add_argument(
        "--expect",
        metavar="ID",
        help="refuse unless this is the head of the thread, as it was shown; '' wants a new thread; default: any",
    )
    parser.add_argument("--dry-run", action="store_true", help="print what would be done, and do nothing")
    if detach:
        parser.add_argument("--detach", action="store_true", help="do not wait: end as soon as the run is under way")
    else:
        parser.set_defaults(detach=False)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def add_values(parser: Parser, required: bool) -> None:
    """Add ``--values``, ``--as-node`` and ``--replace``."""
    parser.add_argument(
        "--values",
        type=json_value,
        metavar="JSON",
        required=required,
        help=f"what to write, by channel, as lgtop show --json prints it; {FORMS}",
    )
    parser.add_argument("--as-node", metavar="NODE", help="write as this node: what follows it runs next")
    parser.add_argument(
        "--replace",
        metavar="CHANNEL",
        action="append",
        default=[],
        help="a channel whose value replaces what is there, instead of being reduced into it; may be repeated",
    )
