"""A process that commits with the real saver when it is told to."""

from __future__ import annotations

import subprocess
import sys
from types import TracebackType

PROGRAM = """
import random, sys, time
from typing import TypedDict
from langgraph.graph import StateGraph, START, END
class S(TypedDict):
    n: int
graph = StateGraph(S)
graph.add_node("work", lambda s: {"n": s["n"] + 1})
graph.add_edge(START, "work"); graph.add_edge("work", END)
address = sys.argv[1]
if address.startswith("postgres"):
    from langgraph.checkpoint.postgres import PostgresSaver as Saver
else:
    from langgraph.checkpoint.sqlite import SqliteSaver as Saver
with Saver.from_conn_string(address) as saver:
    saver.setup()
    app = graph.compile(checkpointer=saver)
    app.invoke({"n": 0}, {"configurable": {"thread_id": "first"}})
    print("ready", flush=True)
    for line in sys.stdin:
        prefix, pause, count = line.split()
        due = time.perf_counter()
        for n in range(int(count)):
            due += float(pause) * (random.uniform(0.5, 1.5) if float(pause) > 0.05 else 1)
            time.sleep(max(0, due - time.perf_counter()))
            app.update_state({"configurable": {"thread_id": f"{prefix}-{n}"}}, {"n": 1}, as_node="work")
            print(f"{prefix}-{n} {time.perf_counter()}", flush=True)
        print("end", flush=True)
"""


class Writer:
    """Commits to a store, which it makes; it has a thread named ``first`` from the beginning.

    Args:
        address: The store.
    """

    def __init__(self, address: str) -> None:
        command = [sys.executable, "-c", PROGRAM, address]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._read()

    def commit(self, prefix: str, count: int = 1, pause: float = 0.0) -> dict[str, float]:
        """Write ``count`` new threads, ``pause`` seconds apart; the moment after each commit, of ``perf_counter``."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{prefix} {pause} {count}\n")
        self._process.stdin.flush()
        committed = {}
        while (line := self._read().split()) != ["end"]:
            committed[line[0]] = float(line[1])
        return committed

    def _read(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("the writer has ended")
        return line

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._process as process:
            assert process.stdin is not None
            process.stdin.close()
