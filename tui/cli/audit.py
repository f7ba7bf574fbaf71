"""``lgtop audit``: crash a graph at every point, resume it, and tell what survived."""

from __future__ import annotations

import argparse
import os
import signal
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from backends.text import one_line

from . import output
from .arguments import Parser, UsageError, natural, seconds
from .control_arguments import DURABILITY
from .exits import Exit
from .given import FORMS, json_object, json_value
from .table import Column, draw

if TYPE_CHECKING:
    from backends.address import Address
    from backends.audit.auditing import Progress, Report
    from backends.audit.order import Order

SUMMARY = "crash a graph at every point, resume it, and tell what survived"
DESCRIPTION = """\
Run the graph twice undisturbed. Then, for each node that it passes, each point and each durability, start a thread of
its own, crash it there, resume it as a person would, and compare its final state and its effects with those of the
undisturbed run. What undisturbed runs do not agree on, such as times and ids, is not compared; where a result differs,
the graph runs undisturbed once or twice more, to see whether it still comes to the same. All of it happens in
temporary stores; no thread of yours is touched.

Each verdict is one of
  survived           the same result, and every effect as often as undisturbed
  repeated work      the same result; effects happened more often
  lost work          the same result; finished work was not saved and was done again
  different result   another final state, or an effect is missing
  cannot resume      the thread was not brought to its end
  did not strike     the run did not pass this point in this mode: nothing is known

Effects are what can be seen outside: the lines of a ledger, where the graph writes one (LGTOP_LEDGER names the file;
a JSON object a line, such as {"node": "charge", "kind": "effect", "what": "40 € charged"}), and every line of every
file, and every row of every SQLite database, in a folder that each thread has for itself (LGTOP_AUDIT names it;
$LGTOP_AUDIT in texts of the input, --config and --context is its path). Where nothing is seen there, how often each
node began is counted instead.

The nodes really run, many times: give an input that does no harm. Exit code 1 says that a result was different or that
a thread could not be resumed."""
EXAMPLES = """\
  lgtop audit --graph pipeline --input '{"rows": 100, "pace": 0.2, "down": []}'
  lgtop audit --graph approval --input @request.json --answer '{"approved": true}' --answer '{"approved": true}'
  lgtop audit --graph src/app.py:graph --input @input.json --durability sync --points inside,after --markdown > AUDIT.md
  lgtop audit --graph mailer --input '{"outbox": "$LGTOP_AUDIT/outbox.txt"}' --answer '"send"'
  lgtop audit --graph documents --input @doc.json -s postgresql://app@db.example/test --json | jq .passed"""

_COLOURS = {
    "survived": "32",
    "repeated work": "33",
    "lost work": "35",
    "different result": "31",
    "cannot resume": "31",
    "did not strike": "2",
}


def arguments(parser: Parser) -> None:
    """Describe the command line."""
    from backends.faults import How, Point

    parser.add_argument(
        "--graph",
        metavar="REF",
        default="",
        help="a name in langgraph.json, path/file.py:variable or module:attribute; default: the profile's",
    )
    parser.add_argument(
        "--python", metavar="PATH", default="", help="the interpreter of the graph's project; default: that of lgtop"
    )
    parser.add_argument("--input", type=json_value, metavar="JSON", required=True, help=f"the input; {FORMS}")
    parser.add_argument(
        "--answer",
        type=json_value,
        metavar="JSON",
        action="append",
        default=[],
        dest="answers",
        help="the answer to the next question, in the order in which they are asked, of one stop by the names of their "
        "nodes; may be repeated. Where answers run out, waiting is the final state",
    )
    parser.add_argument(
        "--durability", type=_among(DURABILITY), metavar="MODES", default=DURABILITY, help=_all(DURABILITY)
    )
    parser.add_argument("--points", type=_among(tuple(Point)), metavar="POINTS", default=tuple(Point), help=_all(Point))
    parser.add_argument(
        "--how",
        type=_among(tuple(How)),
        metavar="WAYS",
        default=(How.KILL,),
        help=f"kill (default); of {', '.join(How)}",
    )
    parser.add_argument(
        "--nodes",
        type=_words,
        metavar="NODES",
        default=(),
        help="only these, with commas: load,research/search; default: all",
    )
    parser.add_argument(
        "--config", type=json_object, metavar="JSON", default={}, help="more keys for configurable; default: none"
    )
    parser.add_argument(
        "--context", type=json_value, metavar="JSON", help="run-time context of the graph; default: none"
    )
    parser.add_argument(
        "--recursion-limit", type=natural, metavar="N", help="at most N supersteps a run; default: LangGraph's"
    )
    parser.add_argument(
        "--jobs", type=natural, metavar="N", default=_processors(), help="threads at a time; default: processors"
    )
    parser.add_argument(
        "--timeout",
        type=seconds,
        metavar="SECONDS",
        default=120.0,
        help="of one process, which is killed then; default: 120",
    )
    parser.add_argument(
        "-s",
        "--store",
        metavar="STORE",
        help="a postgresql:// database, in which a schema is made for the audit and dropped afterwards; default: "
        "temporary SQLite files",
    )
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--json", action="store_true", help="print one JSON object")
    forms.add_argument("--markdown", action="store_true", help="print the report as Markdown")


def run(options: Namespace) -> Exit:
    """Do the audit and print the report."""
    from backends.audit import report as reporting
    from backends.audit.auditing import audit

    order = _order(options)
    with _ended_by_signals():
        found = audit(order, _progress())
    if options.json:
        output.print_record(reporting.to_record(found))
    elif options.markdown:
        output.print_lines(reporting.to_markdown(found).splitlines())
    else:
        output.print_lines(_lines(found))
    return Exit.DONE if found.passed else Exit.FAILED


def _order(options: Namespace) -> Order:
    from backends.audit.order import Order
    from backends.graphs.reference import parse_ref

    if not options.graph:
        raise UsageError("Name the graph with --graph.", options.prog)
    return Order(
        parse_ref(options.graph, Path.cwd(), options.python),
        options.input,
        tuple(options.answers),
        options.durability,
        options.points,
        options.how,
        options.nodes,
        _database(options),
        options.jobs,
        options.timeout,
        options.config,
        options.context,
        options.recursion_limit,
    )


def _database(options: Namespace) -> Address | None:
    """The database that ``-s`` names; the environment is not asked, so that nothing is made there unasked.

    Raises:
        UsageError: It is a file: an audit makes its own.
        Refused: It may not be written to.
    """
    if not options.store:
        return None
    from backends.address import parse_address
    from backends.control.gate import Gate

    from .profile import is_readonly

    address = parse_address(options.store, {})
    if address.dsn is None:
        raise UsageError("-s takes a postgresql:// address; without it, temporary SQLite files are used.", options.prog)
    Gate(address, is_readonly(options)).check()
    return address


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """A hang-up or SIGTERM ends it as ctrl+c does: processes, files and the schema do not stay behind."""

    def end(number: int, frame: FrameType | None) -> None:
        for each in before:
            signal.signal(each, signal.SIG_IGN)  # another one would end the clearing away
        raise KeyboardInterrupt

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers if signal.getsignal(number) != signal.SIG_IGN}
    for number in before:
        signal.signal(number, end)
    stopped = False
    try:
        yield
    except KeyboardInterrupt:
        stopped = True
        output.narrate("lgtop: Stopped; everything that the audit made is removed.")
        raise
    finally:
        for number, handler in () if stopped else before.items():  # a process that was stopped goes on ignoring them
            signal.signal(number, handler)


def _progress() -> Progress:
    from backends.audit.auditing import Progress

    class Told(Progress):
        def begun(self, base: Any, cells: int) -> None:
            for warning in base.warnings:
                output.narrate(f"undisturbed: {warning}")
            output.narrate(f"lgtop: {len(base.course.nodes)} nodes, {cells} crashes.")

        def judged(self, verdict: Any, number: int, cells: int) -> None:
            output.narrate(
                f"{number:>{len(str(cells))}}/{cells}  {verdict.cell.fault}  {verdict.cell.durability}  {verdict.kind}"
            )

    return Told()


def _lines(report: Report) -> Iterator[str]:
    from backends.audit.report import basis, counts, details, rows

    modes = report.order.durabilities
    columns = (Column("CRASH", least=12, middle=True), *(Column(m.upper(), paint=_COLOURS.__getitem__) for m in modes))
    table = [[one_line(label), *(str(verdicts[mode].kind) for mode in modes)] for label, verdicts in rows(report)]
    yield from draw(columns, table, output.width(), output.coloured())
    yield ""
    yield from details(report)
    for warning in report.base.warnings:
        yield f"undisturbed: {one_line(warning)}"
    tally = ", ".join(f"{n} {kind}" for kind, n in counts(report).most_common())
    yield f"{len(report.verdicts)} crashes: {tally}. {basis(report)}"


def _among(known: Sequence[str]) -> Callable[[str], tuple[Any, ...]]:
    """A reader of words with commas between them, each one of those that are known."""

    def read(text: str) -> tuple[Any, ...]:
        by_name = {str(one): one for one in known}
        for word in _words(text):
            if word not in by_name:
                raise argparse.ArgumentTypeError(f"{word!r} is none of {', '.join(by_name)}")
        return tuple(dict.fromkeys(by_name[word] for word in _words(text)))

    return read


def _words(text: str) -> tuple[str, ...]:
    """Words with commas between them."""
    if found := tuple(word.strip() for word in text.split(",") if word.strip()):
        return found
    raise argparse.ArgumentTypeError("it names nothing")


def _all(known: Sequence[str] | Any) -> str:
    return f"with commas; default: {','.join(known)}"


def _processors() -> int:
    return max(1, min(4, os.cpu_count() or 1))
