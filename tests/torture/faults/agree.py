"""What is proven of a cell, and where the audit or the crash lab says something else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from backends.audit.effects import Effect
from backends.audit.order import Cell
from backends.audit.verdict import Kind as Word
from backends.faults import How, Point
from backends.runs.events import Kind
from tui.lab.fate import Account, Fate

from .cases import Case
from .cell import Found
from .proof import Proof

UNFINISHED = (Point.BEFORE, Point.INSIDE, Point.AFTER)
"""Points before the end of the struck node: what it has done there is no finished work, unless it goes on."""


@dataclass(frozen=True)
class Judged:
    """A cell.

    Attributes:
        word: What is proven.
        why: For a fault that did not strike, why it cannot; else what ran how often.
        kept: Finished work that the store had after the strike, by node.
        lost: Finished work that it did not have, and that was done again: how often too many.
        repeated: Effects that happened too often, by node and how often too many.
        wrong: Where somebody says something else.
    """

    word: str
    why: str
    kept: tuple[str, ...]
    lost: Mapping[str, int]
    repeated: Mapping[str, int]
    wrong: tuple[str, ...]


def judged(case: Case, cell: Cell, found: Found, base: Proof) -> Judged:
    """Prove, and compare.

    Args:
        case: The graph.
        cell: What was to strike.
        found: What was seen.
        base: The undisturbed run.
    """
    first, last = found.sights[0].proof, found.sights[-1].proof
    word = _proven(cell, found, base)
    lost = _lost(cell, found, base)
    return Judged(
        word,
        _unreached(case, found) if word == Word.MISSED else _numbers(case, last),
        tuple(node for node in case.nodes if first.effects[node] and node in first.saved),
        lost,
        dict(last.effects - base.effects),
        tuple([*_audit(case, cell, found, base, word), *_lab(case, found, base)]),
    )


def _proven(cell: Cell, found: Found, base: Proof) -> Word:
    first, last = found.sights[0].proof, found.sights[-1].proof
    if not found.struck:
        return Word.MISSED
    if last.due != base.due:
        return Word.STUCK
    if last.state != base.state or base.effects - last.effects:
        return Word.DIFFERENT
    if not first.known or _lost(cell, found, base):
        return Word.LOST
    return Word.REPEATED if last.effects - base.effects else Word.SURVIVED


def _lost(cell: Cell, found: Found, base: Proof) -> dict[str, int]:
    first, last = found.sights[0].proof, found.sights[-1].proof
    goes_on = cell.fault.point not in UNFINISHED or cell.fault.how is How.LOST
    struck = "" if goes_on else cell.fault.node
    return {
        node: number - base.effects[node]
        for node, number in last.effects.items()
        if node != struck
        and node not in first.saved
        and first.effects[node] == base.effects[node]
        and number > base.effects[node]
    }


def _audit(case: Case, cell: Cell, found: Found, base: Proof, word: Word) -> Iterator[str]:
    """Where the audit says something else."""
    said, last = found.verdict, found.sights[-1].proof
    if said.kind is not word:
        yield f"audit: {said.kind}, proven: {word} ({said.reason})"
    if not found.struck:
        return
    pairs: list[tuple[str, Mapping[str, int], Mapping[str, int]]] = [
        ("repeats", _by_node(case, said.repeated), last.effects - base.effects),
        ("misses", _by_node(case, said.missing), base.effects - last.effects),
        ("loses", {node: n for node, n in said.lost.items() if node in case.nodes}, _lost(cell, found, base)),
        ("runs again", {node: n for node, n in said.reran.items() if node in case.nodes}, last.begun - base.begun),
    ]
    for what, theirs, ours in pairs:
        if dict(theirs) != dict(ours):
            yield f"audit: {what} {_counts(theirs)}, proven: {_counts(ours)}"
    if said.vanished is found.sights[0].proof.known:
        yield f"audit: {'nothing' if said.vanished else 'something'} was saved"


def _by_node(case: Case, effects: Mapping[Effect, int]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for effect, number in effects.items():
        found[case.paths.get(effect.where, effect.where)] += number
    return dict(found)


def _lab(case: Case, found: Found, base: Proof) -> Iterator[str]:
    """Where the crash lab says something else, after any of the processes."""
    before: Proof | None = None
    for number, sight in enumerate(found.sights, 1):
        for account in sight.told:
            for wrong in _account(account, sight.proof, before, base):
                yield f"lab, process {number}: {wrong}"
        if number == 1 and sight.missed is found.struck:
            yield f"lab: the fault {'did not strike' if found.struck else 'struck'}"
        before = sight.proof


def _account(account: Account, now: Proof, before: Proof | None, base: Proof) -> Iterator[str]:
    node = account.path
    if (account.ran, account.done) != (now.begun[node], now.effects[node]):
        yield f"{node} ran {account.ran}×, done {account.done}×; ledger: {now.begun[node]}×, {now.effects[node]}×"
    fits = _fates(node, now, before, base)
    if account.fate not in fits:
        yield f"{node} is {account.fate}, proven: {' or '.join(fits)}"


def _fates(node: str, now: Proof, before: Proof | None, base: Proof) -> tuple[Fate, ...]:
    """What is true of a node."""
    begun, done = now.begun[node], now.effects[node]
    finished = now.due == base.due
    if node in now.failed and not finished:
        return (Fate.FAILED,)
    if node in now.asks:
        return (Fate.ASKS,)
    if node in base.asks and begun:
        return (Fate.LOST, Fate.CUT)  # it asked, or was about to; its question is not in the store
    if done > base.effects[node]:
        return (Fate.REPEATED,)
    if not begun:
        return (Fate.UNREACHED,)
    if before is not None and begun > base.begun[node]:
        return (Fate.RERUN,) if done else (Fate.CUT,)
    if before is not None and begun == before.begun[node]:
        return (Fate.KEPT,) if node in before.saved else (Fate.LOST,)
    if done < base.effects[node]:
        return (Fate.CUT,)
    if finished:
        return (Fate.DONE, Fate.KEPT)
    return (Fate.KEPT,) if node in now.saved else (Fate.LOST,)


def _unreached(case: Case, found: Found) -> str:
    """Why a fault did not strike, by the events and the rows."""
    checkpoints, writes = found.sights[0].proof.rows
    name = case.struck.rpartition("/")[2]
    ends = [event.t for event in found.events if event.kind is Kind.TASK and event.data.get("name") == name]
    saved = [event.t for event in found.events if event.kind is Kind.CHECKPOINT]
    if not ends:
        return "the run did not come to the node"
    order = f", the first {(min(saved) - ends[-1]) * 1000:.0f} ms after the node's end" if saved else ""
    return f"no fault event; in the store: {writes} output writes, {checkpoints} checkpoints{order}"


def _numbers(case: Case, last: Proof) -> str:
    """``fetch 1/1, transform 2/1``: begun and done."""
    return ", ".join(
        f"{node.rpartition('/')[2]} {last.begun[node]}/{last.effects[node]}" for node in case.nodes if last.begun[node]
    )


def _counts(found: Mapping[str, int]) -> str:
    return ", ".join(f"{node} +{number}" for node, number in found.items()) or "nothing"
