"""The whole examination, in the order in which a person would go about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..address import Address
from ..errors import Refused
from .finding import Finding, State
from .graphs import examine_graphs
from .installed import Installed, ask
from .interpreter import examine_interpreter
from .records import examine_records
from .store import examine_store


@dataclass(frozen=True, slots=True)
class Case:
    """What is to be examined.

    Attributes:
        address: The store; ``None`` where none is named.
        cwd: Where the project of the graphs is looked for.
        graph: The one graph that is meant; empty for all of the project.
        python: The interpreter of the graphs; empty for the one that runs lgtop.
        readonly: Whether nobody wants to write: then it is no fault that nobody can.
    """

    address: Address | None
    cwd: Path
    graph: str = ""
    python: str = ""
    readonly: bool = False


def examine(case: Case) -> Iterator[Finding]:
    """Find out what is wrong; writes nothing to the store and never raises for what is wrong.

    Args:
        case: What is to be examined.

    Yields:
        Findings as they are made; the whole takes seconds, since graphs are imported.
    """
    installed: Installed | None = None
    refused: Finding | None = None
    try:
        installed = ask(case.python, case.cwd)
    except Refused as error:
        refused = Finding("python", State.FAULT, error.reason, error.advice or "Name another with --python.")
    if case.address is not None:
        yield from examine_store(case.address, case.readonly, installed)
    yield from examine_records()
    if installed is None:
        if refused is not None:
            yield refused
        return
    yield from examine_interpreter(installed, case.address.kind if case.address else None)
    if not installed.too_old:
        yield from examine_graphs(case.cwd, case.graph, installed.python)
