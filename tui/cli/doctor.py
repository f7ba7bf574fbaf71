"""``lgtop doctor``: what is wrong with a store, its surroundings and its graphs, and what to do about it."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from backends.text import one_line

from . import output
from .arguments import Parser, UsageError, add_store
from .exits import Exit
from .opening import address_of
from .profile import chosen

if TYPE_CHECKING:
    from backends.address import Address
    from backends.doctor.finding import Finding

SUMMARY = "find out what is wrong with a store, its graphs, and the place they run in"
DESCRIPTION = """\
Look at the store (whether it can be reached and read, its schema against that of the installed saver, what this user
or role may do, journal mode, WAL, indexes, size, damage, the clocks behind the ids, encrypted values), at the disk, at
the interpreter of the graphs and what is installed there, at every graph of langgraph.json by importing it in a
process of its own, and at this terminal. Nothing is written to the store. Each finding is ok, a note, a warning or a
fault, with what to do about it.

Ends with 1 when there is a fault. With --readonly it is none that nothing can be written."""
EXAMPLES = """\
  lgtop doctor -s checkpoints.sqlite
  lgtop doctor -s postgresql://app@db.example/app --readonly
  lgtop doctor --profile prod --python .venv/bin/python --json | jq '.findings[] | select(.state == "fault")'"""

_SIGNS = {"ok": ("✓", "32"), "note": ("·", "2"), "warning": ("!", "33"), "fault": ("✖", "31")}
"""How a state is drawn, and its SGR colour."""


def arguments(parser: Parser) -> None:
    """Describe the command line."""
    add_store(parser)
    parser.add_argument(
        "--graph", metavar="REF", default="", help="look at this graph only; default: every one of langgraph.json"
    )
    parser.add_argument(
        "--python", metavar="PATH", default="", help="the interpreter of the graphs; default: that of lgtop"
    )
    parser.add_argument("--readonly", action="store_true", help="nobody wants to write: to be unable to is no fault")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(options: Namespace) -> Exit:
    """Print the findings as they are made."""
    from backends.doctor.finding import passed

    address = _address(options)
    findings: list[Finding] = []
    for finding in _examined(options, address):
        findings.append(finding)
        if not options.json:
            output.print_lines(_lines(finding))
    if options.json:
        output.print_record(_record(address, findings))
    else:
        output.narrate(_summary(findings))
    return Exit.DONE if passed(findings) else Exit.FAILED


def _address(options: Namespace) -> Address | None:
    try:
        return address_of(options)
    except UsageError:
        return None


def _examined(options: Namespace, address: Address | None) -> Iterator[Finding]:
    from pathlib import Path

    from backends.doctor.examine import Case, examine
    from backends.doctor.finding import Finding, State

    from .doctor_terminal import examine_settings, examine_terminal

    if address is None:
        yield Finding("store", State.NOTE, "No store is named.", "Give one with -s STORE, or set LGTOP_STORE.")
    yield from examine(Case(address, Path.cwd(), options.graph, options.python, options.readonly))
    yield from examine_settings(chosen(options))
    yield from examine_terminal()


def _lines(finding: Finding) -> Iterator[str]:
    from backends.wrap import wrap

    sign, colour = _SIGNS[finding.state.value]
    if output.coloured():
        sign = f"\x1b[{colour}m{sign}\x1b[0m"
    indent = " " * 13
    width = max(40, (output.width() or 120) - len(indent))
    first, *rest = wrap(one_line(finding.told), width)
    yield f"{sign} {one_line(finding.name, 10):<10} {first}"
    yield from (f"{indent}{line}" for line in rest)
    if finding.advice:
        yield from (f"{indent}{line}" for line in wrap(f"→ {one_line(finding.advice)}", width))


def _summary(findings: Sequence[Finding]) -> str:
    counts = {word: sum(finding.state.value == word for finding in findings) for word in ("fault", "warning")}
    if not any(counts.values()):
        return "lgtop: nothing is wrong."
    told = [f"{count} {word}{'' if count == 1 else 's'}" for word, count in counts.items() if count]
    return f"lgtop: {' and '.join(told)}."


def _record(address: Address | None, findings: Sequence[Finding]) -> output.Record:
    from backends.doctor.finding import passed

    return {
        "store": None if address is None else one_line(address.raw),
        "kind": None if address is None else address.kind,
        "passed": passed(findings),
        "findings": [
            {"name": one.name, "state": one.state.value, "told": one.told, "advice": one.advice} for one in findings
        ],
    }
