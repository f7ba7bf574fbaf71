"""Many threads at once: a process that runs them all dies, then one command resumes them, is stopped half-way, and ends
the rest. What the command says must be what the store holds, to lgtop and to LangGraph.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from langgraph.checkpoint.base import BaseCheckpointSaver

from backends.address import Address, parse_address
from backends.locks.board import LockBoard
from backends.model import StatusName
from backends.reader import Reader
from backends.store import open_store
from backends.witness import Witness

from . import bulk_project
from .lab import KINDS, _postgres, _sqlite

PROJECT = Path(bulk_project.__file__)
ROOT = PROJECT.parents[2]
PATIENCE = 60.0
FAILS_EACH = 10
"""Every so many threads fail on purpose."""

_DRIVER = "from tests.torture import bulk; bulk.drive(input(), input(), int(input()))"


@dataclass
class Crowd:
    """Threads whose process has died in the middle of their second step.

    Attributes:
        address: Their store.
        saver: The application's saver, to look with independent eyes.
        folder: Where the graph notes what it did.
        ids: The threads.
    """

    address: Address
    saver: BaseCheckpointSaver[Any]
    folder: Path
    ids: tuple[str, ...]

    def fails(self, thread_id: str) -> bool:
        """Whether it fails on purpose."""
        return int(thread_id.rpartition("-")[2]) % FAILS_EACH == 0

    def notes(self, node: str) -> Counter[str]:
        """How often each thread did a step."""
        lines = (self.folder / "notes").read_text().splitlines()
        return Counter(thread for what, thread in map(str.split, lines) if what == node)

    def statuses(self) -> dict[str, StatusName]:
        """What lgtop reads."""
        with closing(Reader(open_store(self.address.target), witness=Witness.of(self.address))) as reader:
            heads = [head for batch in reader.store.heads() for head in batch]
            return {key: found.status for key, found in reader.analyse_heads(heads).items()}

    def states(self) -> dict[str, tuple[tuple[str, ...], list[str], bool]]:
        """What LangGraph reads: what is next, what was done, and whether a task failed."""
        graph = bulk_project.graph.compile(checkpointer=self.saver)
        found = {}
        for thread_id in self.ids:
            state = graph.get_state({"configurable": {"thread_id": thread_id}})
            failed = any(task.error is not None for task in state.tasks)
            found[thread_id] = (state.next, state.values["log"], failed)
        return found

    def holders(self) -> Mapping[str, Any]:
        """Who holds what, once processes that are ending have ended."""
        deadline = time.monotonic() + PATIENCE
        with closing(LockBoard(self.address.target)) as board:
            while (held := board.holders(lambda: self.ids)) and time.monotonic() < deadline:
                time.sleep(0.05)
        return held


def drive(address: str, folder: str, count: int) -> None:
    """Run so many threads at once, as an application does; in a process of its own, which is killed."""

    async def all_of_them() -> None:
        async with _async_saver(address) as saver:
            await saver.setup()
            graph = bulk_project.graph.compile(checkpointer=saver)
            crowd = range(1, count + 1)
            given = [{"folder": folder, "fails": number % FAILS_EACH == 0, "log": []} for number in crowd]
            configs: list[Any] = [{"configurable": {"thread_id": f"thread-{number:04}"}} for number in crowd]
            runs = zip(given, configs, strict=True)
            await asyncio.gather(*(graph.ainvoke(one, config, durability="sync") for one, config in runs))

    asyncio.run(all_of_them())


def _async_saver(address: str) -> Any:
    if address.startswith("postgres"):
        from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

        return AsyncPostgresSaver.from_conn_string(address)
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    return AsyncSqliteSaver.from_conn_string(address)


@contextmanager
def crowd(kind: str, count: int, url: str | None = None) -> Iterator[Crowd]:
    """Threads of a process that was killed.

    Args:
        kind: ``sqlite`` or ``postgres``.
        count: How many.
        url: A database that is there; by default one is made on a server of the tests'.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lgtop-bulk-")))
        homes = {name: str(folder / name) for name in ("XDG_STATE_HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME")}
        stack.enter_context(patch.dict(os.environ, homes))
        target, saver = stack.enter_context(_sqlite(folder) if kind == "sqlite" else _postgres(url))
        (folder / "hold").touch()
        made = Crowd(parse_address(target, {}), saver, folder, tuple(f"thread-{n:04}" for n in range(1, count + 1)))
        process = subprocess.Popen([sys.executable, "-c", _DRIVER], cwd=ROOT, stdin=subprocess.PIPE, text=True)
        assert process.stdin is not None
        process.stdin.write(f"{target}\n{folder}\n{count}\n")
        process.stdin.flush()
        until(lambda: (folder / "notes").exists() and len(made.notes("held")) == count, process)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdin.close()
        (folder / "hold").unlink()
        yield made


def until(true: Callable[[], bool], process: subprocess.Popen[Any] | None = None) -> None:
    """Wait until something is so; a process that is to bring it about must live meanwhile."""
    deadline = time.monotonic() + 10 * PATIENCE
    while not true():
        assert process is None or process.poll() is None, "the process has ended"
        assert time.monotonic() < deadline
        time.sleep(0.02)


def command(crowd: Crowd, *words: str) -> subprocess.Popen[str]:
    """Begin ``lgtop resume`` on all threads; the store is named by the environment, as it may have a password."""
    argv = ["resume", "--all", "--graph", f"{PROJECT}:graph", "--yes", "--json", *words]
    return subprocess.Popen(
        [sys.executable, "-m", "lgtop", *argv],
        cwd=ROOT,
        env={**os.environ, "LGTOP_STORE": crowd.address.target},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def summary(process: subprocess.Popen[str], code: int) -> dict[str, Any]:
    """Wait for a command's end, and read what it printed."""
    out, err = process.communicate()
    assert process.returncode == code, f"exit code {process.returncode}: {err[-2000:]}"
    found: dict[str, Any] = json.loads(out)
    return found


def check(crowd: Crowd, told: Mapping[str, Any]) -> None:
    """Compare what a command said with what the store holds.

    Raises:
        AssertionError: It is not the same; or something is half done.
    """
    outcomes = {one["thread_id"]: one for one in told["outcomes"]}
    assert set(outcomes) == set(crowd.ids)
    assert told["total"] == len(crowd.ids) == sum(told["states"].values())
    assert told["states"] == {**dict.fromkeys(told["states"], 0), **Counter(one["state"] for one in outcomes.values())}
    assert not crowd.holders(), "a lock is left"
    statuses, states = crowd.statuses(), crowd.states()
    worked, done = crowd.notes("work"), crowd.notes("last")
    assert set(crowd.notes("first").values()) == {1}, "finished work was done again"
    for thread_id in crowd.ids:
        said, status = outcomes[thread_id]["state"], statuses[thread_id]
        following, log, failed = states[thread_id]
        where = f"{thread_id}: {said}, {status}, next {following}, {log}, {outcomes[thread_id]}"
        assert log == ["first", "work", "last"][: len(log)], where
        assert following == {1: ("work",), 2: ("last",), 3: ()}[len(log)], where
        assert (worked[thread_id], done[thread_id]) == (len(log) > 1, len(log) > 2), where
        match said:
            case "done" | "skipped":
                assert (status, following) == (StatusName.DONE, ()), where
            case "failed":
                assert (status, failed, log) == (StatusName.FAILED, True, ["first"]), where
                assert crowd.fails(thread_id), where
                assert "on purpose" in outcomes[thread_id]["reason"], where
            case "stopped":
                assert status in (StatusName.STALLED, StatusName.PAUSED), where
                assert following, where
            case _:
                raise AssertionError(where)


def trial(crowd: Crowd, *words: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Resume all, stop half-way; resume all to the end; mend what fails, and try those again.

    Yields:
        What was done, and what the command said about it, which was compared with the store.
    """
    count, failing = len(crowd.ids), sum(map(crowd.fails, crowd.ids))
    assert set(crowd.statuses().values()) == {StatusName.STALLED}
    assert not crowd.holders()
    process = command(crowd, *words)
    until(lambda: len(crowd.notes("last")) >= (count - failing) // 2, process)
    process.send_signal(signal.SIGINT)
    told = summary(process, 130)
    check(crowd, told)
    assert told["states"]["stopped"]
    yield "stopped half-way", told
    before = told["states"]["done"]
    told = summary(command(crowd, *words), 1)
    check(crowd, told)
    counts = {name: number for name, number in told["states"].items() if number}
    assert counts == {"done": count - failing - before, "failed": failing, "skipped": before}, counts
    yield "run again", told
    (crowd.folder / "mended").touch()
    told = summary(command(crowd, *words), 0)
    check(crowd, told)
    assert told["states"]["done"] == failing
    yield "what failed, mended", told


def main(argv: Sequence[str]) -> int:
    """Run the script on each kind of store; ends with an ``AssertionError`` at the first violation."""
    parser = argparse.ArgumentParser("python -m tests.torture bulk", description=__doc__)
    parser.add_argument("--threads", type=int, default=1000)
    parser.add_argument("--store", choices=KINDS, action="append")
    parser.add_argument("--concurrency", default="4", help="as for lgtop resume (default: 4)")
    options = parser.parse_args(argv)
    for kind in options.store or KINDS:
        print(f"== bulk, {kind}, {options.threads} threads, {options.concurrency} at once", flush=True)
        for line in _table(kind, options.threads, ("--concurrency", options.concurrency)):
            print(line, flush=True)
    return 0


def _table(kind: str, count: int, words: tuple[str, ...]) -> Iterator[str]:
    began = time.monotonic()
    with crowd(kind, count) as made:
        yield f"{count} threads in the middle of a step, their process killed after {time.monotonic() - began:.0f} s"
        names = ("done", "failed", "skipped", "stopped", "refused")
        yield f"{'':22}{''.join(f'{name:>9}' for name in (*names, 'seconds', 'a run'))}"
        for what, told in trial(made, *words):
            runs = sum(1 for one in told["outcomes"] if one["run"])
            counts = "".join(f"{told['states'][name]:>9}" for name in names)
            each = told["elapsed"] / runs if runs else 0.0
            yield f"{what:22}{counts}{told['elapsed']:9.1f}{each:8.3f}s"
        yield "each summary is what lgtop and graph.get_state read in the store; nothing done twice, no lock left"
