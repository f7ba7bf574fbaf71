"""What a run costs beside a script: ``python -m tests.bench.bench_run [--durability MODE] [--turns N]``.

A graph of 200 steps by the child, from its first call of LangGraph to its last word, against the same graph in a
script, by ``ainvoke`` with the async saver (bar: 1.1) and by ``invoke`` with the sync one. The sides take turns;
figures are the least times from the first step to the last one, CPU time first, so that other processes count little.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from backends.runs.spec import GraphRef, Verb
from tests.child import Bench, project

GRAPH = """
import operator, os, time
from typing import Annotated
from typing_extensions import TypedDict
from langgraph.graph import END, START, StateGraph

class State(TypedDict):
    number: int
    log: Annotated[list, operator.add]

def step(state):
    if state["number"] in (0, 199):
        with open(os.environ["LGTOP_BENCH"], "a") as file:
            print(time.process_time(), time.perf_counter(), file=file)
    return {"number": state["number"] + 1, "log": ["x" * 100]}

builder = StateGraph(State)
builder.add_node("step", step)
builder.add_edge(START, "step")
builder.add_conditional_edges("step", lambda state: END if state["number"] >= 200 else "step")
graph = builder.compile()
"""

SCRIPT = """
import asyncio, sys
from app import builder

store, way, durability = sys.argv[1:]
given, config = {"number": 0, "log": []}, {"configurable": {"thread_id": "t"}}

async def by_async():
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
    async with AsyncSqliteSaver.from_conn_string(store) as saver:
        await saver.setup()
        graph = builder.compile(checkpointer=saver)
        await graph.ainvoke(given, config, durability=durability)

def by_sync():
    from langgraph.checkpoint.sqlite import SqliteSaver
    with SqliteSaver.from_conn_string(store) as saver:
        saver.setup()
        graph = builder.compile(checkpointer=saver)
        graph.invoke(given, config, durability=durability)

asyncio.run(by_async()) if way == "ainvoke" else by_sync()
"""


def by_script(folder: Path, store: Path, way: str, durability: str, told: Path) -> None:
    """Run the script."""
    argv = [sys.executable, str(folder / "script.py"), str(store), way, durability]
    subprocess.run(argv, check=True, cwd=folder, env={**os.environ, "LGTOP_BENCH": str(told)})


def by_child(folder: Path, store: Path, ref: GraphRef, durability: str, told: Path) -> None:
    """Run the child."""
    bench = Bench(folder, str(store), ref, {"LGTOP_BENCH": str(told)})
    child = bench.do(Verb.START, input={"number": 0, "log": []}, create_store=True, durability=durability)
    assert child.end["outcome"] == "done", child.report()


def taken(told: Path) -> tuple[float, float]:
    """CPU and wall seconds between the first and the last step."""
    first, last = ([float(each) for each in line.split()] for line in told.read_text().splitlines())
    return last[0] - first[0], last[1] - first[1]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--durability", default="sync", choices=["sync", "async", "exit"])
    parser.add_argument("--turns", type=int, default=7)
    args = parser.parse_args()
    times: dict[str, list[tuple[float, float]]] = {"child": [], "ainvoke": [], "invoke": []}
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        ref = project(folder / "project", GRAPH)
        (folder / "project" / "script.py").write_text(SCRIPT)
        for turn in range(args.turns):
            for side, found in times.items():
                store, told = folder / f"{side}-{turn}.sqlite", folder / f"{side}-{turn}.txt"
                if side == "child":
                    by_child(folder / f"runs-{turn}", store, ref, args.durability, told)
                else:
                    by_script(folder / "project", store, side, args.durability, told)
                found.append(taken(told))
    cpu, wall = ({side: min(each[n] for each in found) for side, found in times.items()} for n in (0, 1))
    for side in times:
        print(
            f"{side:8} cpu {cpu[side] * 1000:5.0f} ms, child / {side} {cpu['child'] / cpu[side]:.2f}"
            f"   wall {wall[side] * 1000:5.0f} ms, child / {side} {wall['child'] / wall[side]:.2f}"
        )


if __name__ == "__main__":
    main()
