"""Runs that are killed, raced and struck, with figures: ``python -m tests.torture kill|race|faults [options]``.

``kill``: a run is killed with SIGKILL at a random moment of its work, then resumed; nothing may be lost, nothing that
was saved may be done again, and the thread list must show it. ``race``: two operators resume the same thread at the
same moment; exactly one may run, and the other must be told who. Both take ``--times N`` and ``--store KIND`` and end
with 1 at the first violation. ``faults`` (its options: ``faults --help``) fills the table of every injected fault, and
compares what is proven with what the audit and the crash lab say. ``retention`` (``retention --help``) prunes and
deletes generated threads and holds what is left against LangGraph. ``bulk`` (``bulk --help``) resumes many crashed
threads with one command, stopped half-way and run again. ``transfer`` moves a large thread in bounded memory.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module

from . import kill, race
from .lab import KINDS, Lab, lab

MODULES = {"faults": ".faults.matrix", "bulk": ".bulk", "retention": ".retention", "transfer": ".transfer"}
"""Scripts with options of their own."""


def main() -> int:
    """Run a script on each kind of store."""
    if (name := MODULES.get(" ".join(sys.argv[1:2]))) is not None:
        return int(import_module(name, __package__).main(sys.argv[2:]))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("script", choices=SCRIPTS)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--store", choices=KINDS, action="append")
    parser.add_argument("--seed", type=int, default=1, help="chooses the moments of the kills")
    options = parser.parse_args()
    for kind in options.store or KINDS:
        print(f"== {options.script}, {kind}, {options.times} times, seed {options.seed}", flush=True)
        with lab(kind) as opened:
            for line in SCRIPTS[options.script](opened, options.times, random.Random(options.seed)):
                print(line, flush=True)
    return 0


def killing(lab: Lab, times: int, chance: random.Random) -> Iterator[str]:
    """Kill, and sum up."""
    began, expected = time.monotonic(), kill.undisturbed(lab)
    trials: list[kill.Killed] = []
    missed = 0
    while len(trials) < times:
        found = kill.trial(lab, f"killed-{len(trials) + missed}", expected, chance)
        if found is None:
            missed += 1
        else:
            trials.append(found)
            _progress(len(trials), times)
    busy = Counter(node for one in trials for node in set(one.busy))
    yield f"{times} killed and resumed to the state of an undisturbed run, in {time.monotonic() - began:.0f} s"
    yield f"runs that were faster than the killer, not counted: {missed}"
    yield f"moments: {_spread([one.at for one in trials])} after the first task began"
    yield f"in the middle of: {', '.join(f'{node} {number}' for node, number in busy.most_common())}"
    yield f"tasks saved before death: {sum(one.saved for one in trials)}, of them run again: 0"
    yield f"tasks begun and not saved, run again: {sum(one.again for one in trials)}"
    told = [one.shown_running for one in trials if one.shown_running is not None]
    yield f"shown as running: {len(told)}, {_spread(told)} after the first task began"
    yield f"shown as crashed: {times}, {_spread([one.shown_crashed for one in trials])} after the kill"
    for shown, number in Counter(one.shown for one in trials).most_common():
        yield f"the list showed {number} x: {' → '.join(shown)}"


def racing(lab: Lab, times: int, chance: random.Random) -> Iterator[str]:
    """Race, and sum up."""
    began = time.monotonic()
    trials: list[race.Raced] = []
    for number in range(times):
        trials.append(race.trial(lab, f"raced-{number}"))
        _progress(len(trials), times)
    won = Counter(one.winner for one in trials)
    yield f"{times} races, each run once and on one branch, in {time.monotonic() - began:.0f} s"
    yield f"won by: {', '.join(f'{who} {count}' for who, count in won.most_common())}"
    yield f"taken and refused within: {_spread([one.apart for one in trials])}"
    yield f"the other one was told, for one: {trials[-1].told}"


SCRIPTS: dict[str, Callable[[Lab, int, random.Random], Iterator[str]]] = {"kill": killing, "race": racing}


def _progress(done: int, times: int) -> None:
    print(f"\r{done} of {times} ", end="" if done < times else "\n", file=sys.stderr, flush=True)


def _spread(seconds: Sequence[float]) -> str:
    if not seconds:
        return "never"
    ranked = sorted(seconds)
    p95 = ranked[min(len(ranked) - 1, round(0.95 * len(ranked)))]
    return f"median {statistics.median(ranked):.3f} s, p95 {p95:.3f} s, worst {ranked[-1]:.3f} s"


if __name__ == "__main__":
    raise SystemExit(main())
