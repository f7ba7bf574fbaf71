"""What a run costs beside a script: ``python -m tests.bench.bench_run [--durability MODE] [--turns N] [--store KIND]``.

A graph of 200 steps by ``lgtop run``, from its first step until its last checkpoint is saved, against the same graph
in a script at the same durability: plain nodes by ``invoke`` with the plain saver, coroutines by ``ainvoke`` with the
asynchronous one (bar for both: 1.1). Processors change their speed within seconds, by more than what is measured here.
So the two run at the same time, on one processor, and take turns every ten steps, one of them waiting inside its node:
each block of steps stands beside its twin. What else belongs to the command, such as the process that follows the run,
goes where it will. The ratios are the median of those of all blocks, and that of the sums without the worst tenth of
either side.

With ``--apart`` one side runs after the other, in random order, each free on all processors: what a person sees who
compares the two, and where twenty turns may well be wrong by a twentieth.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import select
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import product
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests import postgres
from tests.child import project

GRAPH = '''
import json, operator, os, time
from typing import Annotated
from typing_extensions import TypedDict
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph

STEPS = 200

class State(TypedDict):
    number: int
    log: Annotated[list, operator.add]
    documents: list

noted = []

def take_turns(number):
    """Let the other side, if there is one, do its next steps, and note when it is our turn again."""
    folder, mine, other, block = os.environ["LGTOP_BENCH"].split(os.pathsep)
    if number < STEPS and number % int(block):
        return
    now = time.process_time(), time.perf_counter()
    if number:
        noted.append(now)
    elif other:
        for thread in os.listdir("/proc/self/task"):
            os.sched_setaffinity(int(thread), {0})
    if other:
        pipes = [os.open(f"{folder}/{name}", os.O_RDWR) for name in (other if number else "ready", mine)]
        os.write(pipes[0], b".")
        os.read(pipes[1], 1)
    if number < STEPS:
        noted.append((time.process_time(), time.perf_counter()))
        return
    if other:
        os.write(pipes[0], b".")  # both have done their last step and may go on
    with open(f"{folder}/{mine}.json", "w") as file:
        json.dump(noted, file)

def ends_with(saver):
    """Have the last steps end when the last checkpoint is saved."""
    put, aput = saver.put, saver.aput

    def ending(self, config, checkpoint, metadata, versions):
        saved = put(self, config, checkpoint, metadata, versions)
        if metadata["step"] == STEPS:
            take_turns(STEPS)
        return saved

    async def aending(self, config, checkpoint, metadata, versions):
        saved = await aput(self, config, checkpoint, metadata, versions)
        if metadata["step"] == STEPS:
            take_turns(STEPS)
        return saved

    saver.put, saver.aput = ending, aending

if "LGTOP_BENCH" in os.environ:
    for saver in (SqliteSaver, AsyncSqliteSaver, PostgresSaver, AsyncPostgresSaver):
        ends_with(saver)

def step(state):
    take_turns(state["number"])
    return {"number": state["number"] + 1, "log": ["x" * 100]}

async def astep(state):
    return step(state)

def made(node):
    builder = StateGraph(State)
    builder.add_node("step", node)
    builder.add_edge(START, "step")
    builder.add_conditional_edges("step", lambda state: END if state["number"] >= STEPS else "step")
    return builder

plain, awaited = made(step).compile(), made(astep).compile()

def given(size):
    return {"number": 0, "log": [], "documents": [{"id": n, "text": "x" * 1000} for n in range(size // 1000)]}
'''

SCRIPT = """
import asyncio, sys
from app import astep, given, made, step

store, graph, durability, size = sys.argv[1:]
config = {"configurable": {"thread_id": "t"}, "recursion_limit": 1000}

async def by_ainvoke():
    if store.startswith("postgres"):
        from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver as Saver
    else:
        from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver as Saver
    async with Saver.from_conn_string(store) as saver:
        await saver.setup()
        await made(astep).compile(checkpointer=saver).ainvoke(given(int(size)), config, durability=durability)

def by_invoke():
    if store.startswith("postgres"):
        from langgraph.checkpoint.postgres import PostgresSaver as Saver
    else:
        from langgraph.checkpoint.sqlite import SqliteSaver as Saver
    with Saver.from_conn_string(store) as saver:
        saver.setup()
        made(step).compile(checkpointer=saver).invoke(given(int(size)), config, durability=durability)

asyncio.run(by_ainvoke()) if graph == "awaited" else by_invoke()
"""

SIZES = {"small": 0, "1 MB": 1_000_000}
"""Bytes of the state."""

CALLS = {"plain": "invoke", "awaited": "ainvoke"}
"""What the script calls on each graph."""

HEAD = """\
                             CPU ms                             wall ms
store     script   state   script     run  median   sums    script     run  median   sums\
"""

STEPS = 200
"""Steps of a run; the graph says the same."""

BLOCKS = {"sync": 10, "exit": 10, "async": STEPS}
"""Steps in a row; asynchronous writes would go on while their side waits."""

PATIENCE = 120.0
"""Seconds that one run may take."""


class Taken(NamedTuple):
    """Seconds of some steps."""

    cpu: float
    wall: float


def script(folder: Path, store: str, graph: str, durability: str, size: int) -> list[str]:
    """The command line of the script."""
    return [sys.executable, str(folder / "script.py"), store, graph, durability, str(size)]


def run(folder: Path, store: str, graph: str, durability: str, size: int) -> list[str]:
    """The command, which tells what happens on its standard error."""
    documents = [{"id": n, "text": "x" * 1000} for n in range(size // 1000)]
    given = folder / "input.json"
    given.write_text(json.dumps({"number": 0, "log": [], "documents": documents}))
    lgtop = str(Path(sys.executable).with_name("lgtop"))
    words = ["--graph", f"./app.py:{graph}", "--thread", "t", "--input", f"@{given}", "--durability", durability]
    return [lgtop, "run", "-s", store, *words, "--recursion-limit", "1000"]


Both = Callable[[str, Path, str, str, int], list[tuple[Taken, Taken]]]
"""Runs both sides once."""

SIDES: dict[str, Callable[[Path, str, str, str, int], list[str]]] = {"script": script, "run": run}


def together(kind: str, folder: Path, graph: str, durability: str, size: int) -> list[tuple[Taken, Taken]]:
    """Run both sides at the same time; return what each took for each block of steps."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ready, *turns = (stack.enter_context(pipe(home / name)) for name in ("ready", *SIDES))
        processes = []
        for name, other in zip(SIDES, reversed(SIDES), strict=True):
            argv = SIDES[name](folder, stack.enter_context(fresh(kind, home)), graph, durability, size)
            processes.append(stack.enter_context(started(argv, folder, home, name, other, BLOCKS[durability])))
        for _ in SIDES:
            assert select.select([ready], [], [], PATIENCE)[0], [(home / f"{name}.log").read_text() for name in SIDES]
            os.read(ready, 1)
        os.write(random.choice(turns), b".")
        return blocks(home, processes)


def apart(kind: str, folder: Path, graph: str, durability: str, size: int) -> list[tuple[Taken, Taken]]:
    """Run one side after the other; return what each took for all steps."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        processes = []
        for name in random.sample(list(SIDES), len(SIDES)):
            argv = SIDES[name](folder, stack.enter_context(fresh(kind, home)), graph, durability, size)
            processes.append(stack.enter_context(started(argv, folder, home, name)))
            processes[-1].wait(PATIENCE)
        return blocks(home, processes)


@contextmanager
def started(
    argv: list[str], folder: Path, home: Path, name: str, other: str = "", block: int = STEPS
) -> Iterator[subprocess.Popen[bytes]]:
    """A side that runs; where there is another, they take turns after each block of steps."""
    place = os.pathsep.join([str(home), name, other, str(block)])
    environment = {**os.environ, "LGTOP_BENCH": place, "XDG_STATE_HOME": str(home / "state")}
    with open(home / f"{name}.log", "wb") as log:
        process = subprocess.Popen(argv, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def blocks(home: Path, processes: list[subprocess.Popen[bytes]]) -> list[tuple[Taken, Taken]]:
    """What both sides took for each block, once they are at their end."""
    for process in processes:
        assert process.wait(PATIENCE) == 0, [(home / f"{name}.log").read_text() for name in SIDES]
    return list(zip(*(taken(home / f"{name}.json") for name in SIDES), strict=True))


@contextmanager
def pipe(path: Path) -> Iterator[int]:
    """A named pipe that we have open at both ends, so that opening it waits for nobody."""
    os.mkfifo(path)
    handle = os.open(path, os.O_RDWR)
    try:
        yield handle
    finally:
        os.close(handle)


def taken(told: Path) -> list[Taken]:
    """Read what the graph has noted."""
    moments = [Taken(*each) for each in json.loads(told.read_text())]
    pairs = zip(moments[::2], moments[1::2], strict=True)
    return [Taken(last.cpu - first.cpu, last.wall - first.wall) for first, last in pairs]


@contextmanager
def fresh(kind: str, folder: Path) -> Iterator[str]:
    """A new store of one kind."""
    if kind == "postgres":
        with postgres.database(postgres.server()) as url:
            yield url
        return
    with tempfile.TemporaryDirectory(dir=folder) as home:
        yield str(Path(home, "store.sqlite"))


def measure(kind: str, graph: str, size: str, durability: str, turns: int, folder: Path, both: Both) -> None:
    """Let both sides run as often as is asked for, and print a row of the table."""
    runs = [both(kind, folder / "project", graph, durability, SIZES[size]) for _ in range(turns)]
    pairs = [pair for run in runs for pair in run]
    cells = []
    for n in (0, 1):
        sides = [sorted(pair[side][n] for pair in pairs) for side in (0, 1)]
        kept = [sum(side[: max(1, len(side) * 9 // 10)]) for side in sides]
        ratio = median(pair[1][n] / pair[0][n] for pair in pairs)
        each = "".join(f"{sum(side) / turns * 1000:8.0f}" for side in sides)
        cells.append(f"{each} {ratio:7.2f} {kept[1] / kept[0]:6.2f}")
    print(f"{kind:9} {CALLS[graph]:8} {size:6} {'  '.join(cells)}", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--durability", default="sync", choices=["sync", "async", "exit"])
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--apart", action="store_true", help="one after the other, free on all processors")
    parser.add_argument("--store", choices=["sqlite", "postgres"], action="append")
    parser.add_argument("--graph", choices=["plain", "awaited"], action="append")
    parser.add_argument("--size", choices=list(SIZES), action="append")
    args = parser.parse_args()
    rows = list(product(args.store or ["sqlite", "postgres"], args.graph or CALLS, args.size or SIZES))
    print(HEAD)
    with tempfile.TemporaryDirectory() as home, closing(postgres.Run()):
        project(Path(home, "project"), GRAPH)
        Path(home, "project", "script.py").write_text(SCRIPT)
        for kind, graph, size in rows:
            measure(kind, graph, size, args.durability, args.turns, Path(home), apart if args.apart else together)


if __name__ == "__main__":
    main()
