"""What a run costs beside a script: ``python -m tests.bench.bench_run [--durability MODE] [--turns N] [--store KIND]``.

A graph of 200 steps by ``lgtop run``, from its first step to its last, against the same graph in a script at the same
durability: plain nodes by ``invoke`` with the plain saver, coroutines by ``ainvoke`` with the asynchronous one (bar for
both: 1.1). The sides take turns; each figure is the median of all turns, and the ratio the median of the turns' ratios,
so that other work on the machine counts little; CPU time holds better than wall time.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import product
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests import postgres
from tests.child import project

GRAPH = """
import operator, os, time
from typing import Annotated
from typing_extensions import TypedDict
from langgraph.graph import END, START, StateGraph

class State(TypedDict):
    number: int
    log: Annotated[list, operator.add]
    documents: list

def step(state):
    if state["number"] in (0, 199):
        with open(os.environ["LGTOP_BENCH"], "a") as file:
            print(time.process_time(), time.perf_counter(), file=file)
    return {"number": state["number"] + 1, "log": ["x" * 100]}

async def astep(state):
    return step(state)

def made(node):
    builder = StateGraph(State)
    builder.add_node("step", node)
    builder.add_edge(START, "step")
    builder.add_conditional_edges("step", lambda state: END if state["number"] >= 200 else "step")
    return builder

plain, awaited = made(step).compile(), made(astep).compile()

def given(size):
    return {"number": 0, "log": [], "documents": [{"id": n, "text": "x" * 1000} for n in range(size // 1000)]}
"""

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
                             CPU ms                     wall ms
store     script   state   script     run  ratio    script     run  ratio\
"""


class Taken(NamedTuple):
    """Seconds between the first and the last step."""

    cpu: float
    wall: float


def by_script(folder: Path, store: str, graph: str, durability: str, size: int, told: Path) -> Taken:
    """Run the script."""
    argv = [sys.executable, str(folder / "script.py"), store, graph, durability, str(size)]
    subprocess.run(argv, check=True, cwd=folder, env={**os.environ, "LGTOP_BENCH": str(told)})
    return taken(told)


def by_command(folder: Path, store: str, graph: str, durability: str, size: int, told: Path) -> Taken:
    """Run the command, which tells what happens on its standard error."""
    documents = [{"id": n, "text": "x" * 1000} for n in range(size // 1000)]
    given = folder / "input.json"
    given.write_text(json.dumps({"number": 0, "log": [], "documents": documents}))
    words = ["--graph", f"./app.py:{graph}", "--thread", "t", "--input", f"@{given}", "--durability", durability]
    argv = [Path(sys.executable).with_name("lgtop"), "run", "-s", store, *words, "--recursion-limit", "1000"]
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "LGTOP_BENCH": str(told), "XDG_STATE_HOME": home}
        done = subprocess.run(argv, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return taken(told)


def taken(told: Path) -> Taken:
    """Read what the graph has noted."""
    first, last = ([float(each) for each in line.split()] for line in told.read_text().splitlines())
    told.unlink()
    return Taken(last[0] - first[0], last[1] - first[1])


@contextmanager
def fresh(kind: str, folder: Path) -> Iterator[str]:
    """A new store of one kind."""
    if kind == "postgres":
        with postgres.database(postgres.server()) as url:
            yield url
        return
    with tempfile.TemporaryDirectory(dir=folder) as home:
        yield str(Path(home, "store.sqlite"))


def measure(kind: str, graph: str, size: str, durability: str, turns: int, folder: Path) -> None:
    """Let both sides take turns, and print a row of the table."""
    pairs = []
    for turn in range(turns):
        sides = [by_script, by_command] if turn % 2 else [by_command, by_script]
        found = {}
        for side in sides:
            with fresh(kind, folder) as store:
                found[side] = side(folder / "project", store, graph, durability, SIZES[size], folder / "told")
        pairs.append((found[by_script], found[by_command]))
    cells = []
    for n in (0, 1):
        script, child = (median(pair[side][n] for pair in pairs) for side in (0, 1))
        ratio = median(pair[1][n] / pair[0][n] for pair in pairs)
        cells.append(f"{script * 1000:7.0f} {child * 1000:7.0f} {ratio:6.2f}")
    print(f"{kind:9} {CALLS[graph]:8} {size:6}  {'   '.join(cells)}", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--durability", default="sync", choices=["sync", "async", "exit"])
    parser.add_argument("--turns", type=int, default=7)
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
            measure(kind, graph, size, args.durability, args.turns, Path(home))


if __name__ == "__main__":
    main()
