"""The whole table: points × ways × durabilities on graphs and stores, and how many cells somebody tells wrongly."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from backends.address import Address, parse_address
from backends.audit.order import DURABILITIES, Cell, Order
from backends.audit.scratch import scratch
from backends.audit.undisturbed import leave_alone, milliseconds
from backends.audit.verdict import Kind as Word
from backends.faults import Fault, How, Point
from backends.runs.spec import GraphRef

from ..lab import KINDS
from .agree import Judged, judged
from .cases import CASES, USUAL, Case
from .cell import fill
from .proof import undisturbed

ROOT = Path(__file__).resolve().parents[3]

SHORT = {
    Word.MISSED: "cannot strike",
    Word.SURVIVED: "kept",
    Word.REPEATED: "repeated",
    Word.LOST: "lost",
    Word.DIFFERENT: "DIFFERENT",
    Word.STUCK: "STUCK",
}


@dataclass(frozen=True)
class Record:
    """A cell that is known; a line of the file of results."""

    graph: str
    store: str
    point: str
    how: str
    durability: str
    word: str
    why: str
    kept: list[str]
    lost: dict[str, int]
    repeated: dict[str, int]
    wrong: list[str]
    tries: int = 1

    @property
    def key(self) -> tuple[str, ...]:
        """Which cell."""
        return self.graph, self.store, self.point, self.how, self.durability


def main(words: Sequence[str]) -> int:
    """Fill what is not known yet, and print everything that is."""
    options = _parsed(words)
    path = options.results or Path(tempfile.mkdtemp(prefix="lgtop-faults-")) / "cells.jsonl"
    known = {record.key: record for record in _read(path)}
    wanted = list(product(options.store, options.graphs))
    began, filled = time.monotonic(), 0
    for store, graph in [] if options.table else wanted:
        cells = [
            (point, how, mode)
            for point, how, mode in product(options.points, options.how, options.durability)
            if (graph, store, point.value, how.value, mode) not in known
        ]
        if not cells:
            continue
        with _place(store) as address, open(path, "a") as results:
            for cell, found, tries in _filled(CASES[graph], address, cells, options.jobs):
                fault = cell.fault
                record = Record(
                    *(graph, store, fault.point.value, fault.how.value, cell.durability),
                    *(found.word, found.why, list(found.kept), dict(found.lost), dict(found.repeated)),
                    list(found.wrong),
                    tries,
                )
                results.write(json.dumps(record.__dict__) + "\n")
                results.flush()
                known[record.key], filled = record, filled + 1
                text = " ".join(record.key)
                print(
                    f"{filled} {text}: {record.word}{'  ' + '; '.join(record.wrong) if record.wrong else ''}",
                    file=sys.stderr,
                )
    for line in table(list(known.values())):
        print(line)
    if filled:
        print(f"{filled} cells filled in {time.monotonic() - began:.0f} s; results in {path}")
    return 1 if any(record.wrong for record in known.values()) else 0


def table(records: Sequence[Record]) -> Iterator[str]:
    """Print every cell, the two stores as one where they tell the same; then the reasons, and who tells otherwise."""
    rows: dict[tuple[str, str, str], dict[str, dict[str, Record]]] = {}
    for record in records:
        row = rows.setdefault((record.graph, record.point, record.how), {})
        row.setdefault(record.durability, {})[record.store] = record
    order = {name: n for n, name in enumerate([*CASES, *Point, *How])}
    yield f"{'GRAPH':<10}{'POINT':<11}{'WAY':<7}{''.join(f'{mode.upper():<34}' for mode in DURABILITIES)}"
    for key in sorted(rows, key=lambda key: [order[part] for part in key]):
        cells = "".join(f"{_cell(rows[key].get(mode, {})):<34}" for mode in DURABILITIES)
        yield f"{key[0]:<10}{key[1]:<11}{key[2]:<7}{cells}".rstrip()
    yield ""
    for store in KINDS:
        words = Counter(SHORT[Word(record.word)] for record in records if record.store == store)
        if words:
            yield f"{store}: {words.total()} cells: {', '.join(f'{n} {word}' for word, n in words.most_common())}"
    for record in records:
        if record.word == Word.MISSED:
            yield f"cannot strike: {' '.join(record.key)}: {record.why}"
    for record in records:
        if record.tries > 1:
            yield f"filled {record.tries} times, until it could be proven: {' '.join(record.key)}"
    wrong = [record for record in records if record.wrong]
    for record in wrong:
        yield f"MISMATCH {' '.join(record.key)} ({record.word}; {record.why}): {'; '.join(record.wrong)}"
    yield f"{len(records)} cells, {len(wrong)} of them told otherwise by the audit or the crash lab"


def _cell(found: dict[str, Record]) -> str:
    """What is proven; of two stores that differ, both."""
    texts = {store: _text(record) for store, record in found.items()}
    if len(set(texts.values())) == 1:
        return next(iter(texts.values()))
    return " | ".join(f"{store[:2]} {text}" for store, text in texts.items()) or "?"


def _text(record: Record) -> str:
    again = ",".join(f"{node.rpartition('/')[2]}+{n}" for node, n in record.repeated.items())
    return f"{SHORT[Word(record.word)]}{' ' + again if again else ''}{' ≠' if record.wrong else ''}"


def _filled(
    case: Case, address: Address | None, cells: Sequence[tuple[Point, How, str]], jobs: int
) -> Iterator[tuple[Cell, Judged, int]]:
    ref = GraphRef(f"./demo_graphs/{case.graph}.py:graph", str(ROOT), case.graph, (str(ROOT),))
    order = Order(ref, dict(case.input), address=address)
    with scratch(address) as place, tempfile.TemporaryDirectory() as folder:
        expected = undisturbed(case, Path(folder))
        base = leave_alone(order, place, lambda: False)

        def one(point: Point, how: How, mode: str) -> tuple[Cell, Judged, int]:
            cell = Cell(mode, Fault(point, case.struck, how, milliseconds(base, case.struck, point), exact=True))
            found = fill(case, order, place, cell, base)
            return cell, judged(case, cell, found, expected), found.tries

        with ThreadPoolExecutor(jobs) as pool:
            running = [pool.submit(one, *cell) for cell in cells]
            try:
                for done in as_completed(running):
                    yield done.result()
            finally:
                pool.shutdown(cancel_futures=True)


@contextmanager
def _place(store: str) -> Iterator[Address | None]:
    """A PostgreSQL database to make a schema in; files for SQLite."""
    if store == "sqlite":
        yield None
        return
    from tests import postgres

    with ExitStack() as stack:
        stack.enter_context(closing(postgres.Run()))
        yield parse_address(stack.enter_context(postgres.database(postgres.server())), {})


def _read(path: Path) -> list[Record]:
    if not path.exists():
        return []
    return [Record(**json.loads(line)) for line in path.read_text().splitlines()]


def _parsed(words: Sequence[str]) -> Any:
    parser = argparse.ArgumentParser(prog="python -m tests.torture faults", description=__doc__)
    parser.add_argument("--store", type=_list([*KINDS], "both"), default=list(KINDS), help="sqlite, postgres or both")
    parser.add_argument("--graphs", type=_list([*CASES]), default=USUAL, help=f"of {', '.join(CASES)}")
    parser.add_argument("--durability", type=_list([*DURABILITIES]), default=list(DURABILITIES))
    parser.add_argument("--points", type=_list([*Point]), default=list(Point))
    parser.add_argument("--how", type=_list([*How]), default=list(How))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--results", type=Path, help="file of what is known; cells in it are not filled again")
    parser.add_argument("--table", action="store_true", help="only print what is known")
    return parser.parse_args(words)


def _list(known: Sequence[Any], every: str = "all") -> Any:
    def parse(text: str) -> list[Any]:
        if text == every:
            return list(known)
        chosen = [one for one in known if str(one) in text.split(",")]
        if len(chosen) != len(text.split(",")):
            raise argparse.ArgumentTypeError(f"choose of {', '.join(map(str, known))}")
        return chosen

    return parse
