"""Play a part of ``scenes`` into a checkpoint store, as applications would that know nothing of lgtop.

    LGTOP_STORE=demo.sqlite python -P demo_graphs/play.py settled|killed|live

Start it by path and with ``-P``, so that ``types.py`` beside it does not stand in front of the standard library's.
``settled`` makes the tables and plays what ends by itself; ``killed`` ends with a real SIGKILL;
``live`` goes on until standard input is closed, also by the death of whoever holds the other end.
"""

from __future__ import annotations

import asyncio
import copy
import os
import signal
import sys
import threading
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.errors import NodeTimeoutError
from langgraph.types import Command

from demo_graphs import savers, scenes
from demo_graphs.scenes import Scene

DOOM = threading.Barrier(len(scenes.KILLED), action=lambda: os.kill(os.getpid(), signal.SIGKILL))
"""Strikes when every scene that is to be killed has come to the node in which it dies."""

MEANT = (ConnectionError, PermissionError, NodeTimeoutError)
"""What these graphs raise on purpose; the store has it."""


def play(scene: Scene, saver: BaseCheckpointSaver[Any]) -> None:
    """Run a scene to its end, its first unanswered question, or its error; nobody stops at a breakpoint."""
    graph, config = cast(scene, saver)
    follow(graph, scene["input"], config, scene.get("die_in"))
    answers = scene.get("answers", {})
    tasks = graph.get_state(config).tasks
    if asked := {q.id: answers[task.name] for task in tasks for q in task.interrupts if task.name in answers}:
        follow(graph, Command(resume=asked), config)
    if (left := graph.get_state(config)).next and not any(task.interrupts or task.error for task in left.tasks):
        follow(graph, None, config)


def cast(scene: Scene, saver: BaseCheckpointSaver[Any]) -> tuple[Any, dict[str, Any]]:
    """The graph of a scene, with a checkpointer, and the configuration of its thread."""
    # A copy, not ``graph.copy(update=…)``: that one forgets how the graph turns its state into its output.
    graph = copy.copy(import_module(f"demo_graphs.{scene['graph']}").graph)
    graph.checkpointer = saver
    return graph, {"configurable": {"thread_id": scene["thread"]}, "metadata": scene.get("metadata", {})}


def follow(graph: Any, given: Any, config: dict[str, Any], die_in: str | None = None) -> None:
    """Run once; each step is saved before the next one starts."""
    with suppress(*MEANT):
        for task in graph.stream(given, config, stream_mode="tasks", durability="sync"):
            if "triggers" in task and task["name"] == die_in:  # it has just been started, and sleeps
                DOOM.wait()


async def play_awaited(scene: Scene, saver: BaseCheckpointSaver[Any]) -> None:
    """Run a scene on the event loop; cancel it when it has come to the node that the scene names."""
    graph, config = cast(scene, saver)
    arrived = asyncio.Event()

    async def run() -> None:
        async for task in graph.astream(scene["input"], config, stream_mode="tasks", durability="sync"):
            if "triggers" in task and task["name"] == scene.get("cancel_in"):
                arrived.set()

    running = asyncio.create_task(run())
    waiting = asyncio.create_task(arrived.wait())
    await asyncio.wait((running, waiting), return_when=asyncio.FIRST_COMPLETED)
    if arrived.is_set():
        running.cancel()
    waiting.cancel()
    with suppress(asyncio.CancelledError, *MEANT):
        await running


async def play_all_awaited(store: str) -> None:
    """Run every scene of the event loop."""
    async with savers.open_async_saver(store) as saver:
        await asyncio.gather(*(play_awaited(scene, saver) for scene in scenes.AWAITED))


def settle(store: str) -> None:
    """Make the store, and play what ends by itself."""
    savers.make_tables(store)
    awaited = threading.Thread(target=lambda: asyncio.run(play_all_awaited(store)))
    awaited.start()
    with savers.open_saver(store) as saver, savers.open_saver(store) as secretive:
        savers.keep_secret(secretive)
        for scene in scenes.SETTLED:
            play(scene, secretive if scene.get("secret") else saver)
    awaited.join()


def play_until_the_end(store: str, part: str) -> None:
    """Play scenes beside each other, until they are killed or standard input is closed."""
    with savers.open_saver(store) as saver:
        for scene in scenes.KILLED if part == "killed" else scenes.LIVE:
            threading.Thread(target=_again_and_again, args=(scene, saver), daemon=True).start()
        sys.stdin.read()
        os._exit(0)  # nodes are still running; a demo that is over waits for none of them


def _again_and_again(scene: Scene, saver: BaseCheckpointSaver[Any]) -> None:
    while True:
        play(scene, saver)


def main(part: str) -> None:
    """Play one part."""
    store = os.environ[savers.PLACE]
    if part == "settled":
        settle(store)
    else:
        play_until_the_end(store, part)


if __name__ == "__main__":
    main(*sys.argv[1:])
