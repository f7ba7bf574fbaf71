"""The report of an audit: as JSON, and as Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from ..text import one_line
from .auditing import Report
from .final import MISSING
from .verdict import Kind, Verdict, sentences

MEANING: Mapping[Kind, str] = {
    Kind.SURVIVED: "the same result, and every effect as often as undisturbed",
    Kind.REPEATED: "the same result; effects happened more often",
    Kind.LOST: "the same result; finished work was not saved and was done again",
    Kind.DIFFERENT: "another final state, or an effect is missing",
    Kind.STUCK: "the thread was not brought to its end",
    Kind.MISSED: "the run did not pass this point in this mode: nothing is known",
}
"""What each verdict means, in a few words."""


def basis(report: Report) -> str:
    """What effects were counted from."""
    if report.base.observed:
        return "Effects are what the graph wrote into its ledger and its folder."
    return "No effects were seen outside: how often each node began is counted instead."


def counts(report: Report) -> Counter[Kind]:
    """How many cells hold each verdict."""
    return Counter(verdict.kind for verdict in report.verdicts)


def rows(report: Report) -> Iterator[tuple[str, dict[str, Verdict]]]:
    """The rows of the table: the fault without the way, or with it where there are several; verdicts by mode."""
    found: dict[str, dict[str, Verdict]] = {}
    for verdict in report.verdicts:
        fault = verdict.cell.fault
        way = f"={fault.how}" if len(report.order.hows) > 1 else ""
        found.setdefault(f"{fault.point}:{fault.node}{way}", {})[verdict.cell.durability] = verdict
    yield from found.items()


def to_record(report: Report) -> dict[str, Any]:
    """The report as JSON."""
    order, base = report.order, report.base
    return {
        "graph": order.graph.name,
        "target": order.graph.target,
        "store": "sqlite" if order.address is None else "postgres",
        "passed": report.passed,
        "effects_from": "outside" if base.observed else "starts",
        "nodes": list(report.nodes),
        "undisturbed": {
            "status": base.course.final.status.value if base.course.final else "unknown",
            "starts": dict(base.course.deeds.starts),
            "effects": _effects(base.effects),
            "done_before_questions": _effects({one: base.times(one) for one in base.doubled}),
            "began_again_when_answered": sorted(base.begun_again),
            "not_compared": [list(path) for path in base.varying],
            "warnings": list(base.warnings),
        },
        "cells": [_cell(verdict, report) for verdict in report.verdicts],
    }


def _cell(verdict: Verdict, report: Report) -> dict[str, Any]:
    fault = verdict.cell.fault
    return {
        "durability": verdict.cell.durability,
        "point": fault.point.value,
        "node": fault.node,
        "how": fault.how.value,
        "ms": fault.ms,
        "verdict": verdict.kind.value,
        "reason": sentences(verdict, report.base),
        "repeated": _effects(verdict.repeated),
        "missing": _effects(verdict.missing),
        "lost": dict(verdict.lost),
        "reran": dict(verdict.reran),
        "differences": [
            {"path": list(one.path), "undisturbed": _plain(one.old), "found": _plain(one.new)}
            for one in verdict.differences
        ],
        "started_again": verdict.vanished,
        "processes": verdict.processes,
    }


def _effects(found: Mapping[Any, int]) -> list[dict[str, Any]]:
    return [
        {"where": one.where, "what": one.what or None, "key": one.key or None, "times": n} for one, n in found.items()
    ]


def _plain(value: Any) -> Any:
    """A value that is not there is null, like one that is: the path and the sentence tell them apart."""
    return None if value is MISSING else value


def to_markdown(report: Report) -> str:
    """The report as Markdown."""
    return "\n".join(_markdown(report)) + "\n"


def _markdown(report: Report) -> Iterator[str]:
    order = report.order
    store = "SQLite" if order.address is None else "PostgreSQL"
    yield f"# What survives: {_escaped(order.graph.name)}"
    yield ""
    tally = ", ".join(f"{n} {kind}" for kind, n in sorted(counts(report).items(), key=lambda item: -item[1]))
    yield f"{len(report.verdicts)} crashes on {store}: {tally}. {basis(report)}"
    yield ""
    yield f"| crash | {' | '.join(order.durabilities)} |"
    yield f"|---{'|---' * len(order.durabilities)}|"
    for label, verdicts in rows(report):
        cells = (_marked(verdicts[mode].kind) for mode in order.durabilities)
        yield f"| {_escaped(label)} | {' | '.join(cells)} |"
    yield ""
    yield from (f"- {kind}: {MEANING[kind]}" for kind in Kind if counts(report)[kind])
    if report.base.warnings:
        yield from ("", "## Undisturbed", "")
        yield from (f"- {_escaped(warning)}" for warning in report.base.warnings)
    if told := list(details(report)):
        yield from ("", "## Why", "")
        yield from (f"- {_escaped(line)}" for line in told)


def details(report: Report) -> Iterator[str]:
    """A line for each cell that has something to tell; modes of one fault that tell the same share it."""
    for _, verdicts in rows(report):
        told: dict[tuple[str, Kind, str], list[str]] = {}
        for mode, verdict in verdicts.items():
            if reason := sentences(verdict, report.base):
                told.setdefault((str(verdict.cell.fault), verdict.kind, reason), []).append(mode)
        for (fault, kind, reason), modes in told.items():
            yield one_line(f"{fault} · {', '.join(modes)} · {kind}: {reason}", 600)


def _marked(kind: Kind) -> str:
    return f"**{kind}**" if kind in (Kind.DIFFERENT, Kind.STUCK) else str(kind)


def _escaped(text: str) -> str:
    return "".join(f"\\{char}" if char in "\\`*_{}[]<>|#" else char for char in one_line(text, 1000))
