"""Play a part of ``scenes`` into a SQLite checkpoint store.

    python -P demo_graphs/play.py STORE settled|killed|live

Start it by path and with ``-P``, so that ``types.py`` beside it does not stand in front of the standard library's.
``killed`` ends with a real SIGKILL; ``live`` goes on until standard input is closed, also by the death of whoever
holds the other end.
"""

from __future__ import annotations

import copy
import fcntl
import os
import signal
import sqlite3
import sys
import threading
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command

from demo_graphs import scenes
from demo_graphs.scenes import Scene

DOOM = threading.Barrier(len(scenes.KILLED), action=lambda: os.kill(os.getpid(), signal.SIGKILL))
"""Strikes when every scene that is to be killed has come to the node in which it dies."""


def play(scene: Scene, saver: SqliteSaver) -> None:
    """Run a scene to its end, its first unanswered question, or its error."""
    config = {"configurable": {"thread_id": scene["thread"]}, "metadata": scene.get("metadata", {})}
    # A copy, not ``graph.copy(update=…)``: that one forgets how the graph turns its state into its output.
    graph = copy.copy(import_module(f"demo_graphs.{scene['graph']}").graph)
    graph.checkpointer = saver
    follow(graph, scene["input"], config, scene.get("die_in"))
    answers = scene.get("answers", {})
    tasks = graph.get_state(config).tasks
    if asked := {q.id: answers[task.name] for task in tasks for q in task.interrupts if task.name in answers}:
        follow(graph, Command(resume=asked), config)


def follow(graph: Any, given: Any, config: dict[str, Any], die_in: str | None = None) -> None:
    """Run once; each step is saved before the next one starts."""
    try:
        for task in graph.stream(given, config, stream_mode="tasks", durability="sync"):
            if "triggers" in task and task["name"] == die_in:  # it has just been started, and sleeps
                DOOM.wait()
    except (ConnectionError, PermissionError):
        pass  # what these graphs raise on purpose; the store has it


def play_for_ever(scene: Scene, saver: SqliteSaver) -> None:
    """Give the thread the same input again and again."""
    while True:
        play(scene, saver)


def open_saver(store: str) -> SqliteSaver:
    """Open the store, or make it.

    Two parts may start on a new file at the same time, and SQLite's timeout does not hold for switching it to WAL: so
    one after the other, with a lock on the directory.
    """
    saver = SqliteSaver(sqlite3.connect(store, check_same_thread=False, timeout=30))
    directory = os.open(Path(store).resolve().parent, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        saver.setup()
    finally:
        os.close(directory)
    return saver


def main(store: str, part: str) -> None:
    """Play one part."""
    saver = open_saver(store)
    if part == "settled":
        for scene in scenes.SETTLED:
            play(scene, saver)
        return
    chosen, how = (scenes.KILLED, play) if part == "killed" else (scenes.LIVE, play_for_ever)
    for scene in chosen:
        threading.Thread(target=how, args=(scene, saver), daemon=True).start()
    sys.stdin.read()
    os._exit(0)  # nodes are still running; a demo that is over waits for none of them


if __name__ == "__main__":
    main(*sys.argv[1:])
