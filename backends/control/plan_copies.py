"""Verbs that copy rows: a thread whole, or up to a checkpoint."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..errors import Refused
from ..locks.holder import Holder
from .branch import extent
from .scene import Preview, Scene, name_of


def plan_copy(scene: Scene, holder: Holder | None) -> Preview:
    """All rows of a thread under another id."""
    thread = scene.thread_head.thread_id
    _check_target(scene)
    count = scene.open_reader.store.counts([thread]).get(thread, 0)
    return Preview(
        scene.intent,
        f"to {name_of(scene.intent.target)}: {_checkpoints(count)}",
        notes=("Saved work and open questions come along: the copy goes on from where the thread stands.",),
        warnings=tuple(_running(holder)),
    )


def plan_branch(scene: Scene, holder: Holder | None) -> Preview:
    """What made the thread what it was at a checkpoint, under another id."""
    intent, reader = scene.intent, scene.open_reader
    head = scene.thread_head
    _check_target(scene)
    key = reader.resolve_checkpoint(head.thread_id, intent.checkpoint, intent.ns)
    part = extent(reader.store.history(head.thread_id), key)
    view = scene.at(key)
    step = view.snapshot.metadata.get("step")
    again = "It runs its next step from the beginning." if part.bare else "Saved work and open questions come along."
    return Preview(
        replace(intent, checkpoint=key.checkpoint_id, ns=key.ns),
        f"to {name_of(intent.target)}, up to step {step if isinstance(step, int) else '?'}: {_checkpoints(part.count)}",
        notes=(again, f"{name_of(head.thread_id)} stays as it is."),
        warnings=tuple(_running(holder)),
    )


def _check_target(scene: Scene) -> None:
    target = scene.intent.target
    if not target:
        raise Refused("The new thread needs an id.")
    if "\0" in target or any("\ud800" <= character <= "\udfff" for character in target):
        raise Refused("The id of the new thread holds characters that a store cannot.")
    if target in scene.open_reader.store.heads_of([target]):
        raise Refused(f"There is a thread {name_of(target)} already.", "Choose another id.")


def _running(holder: Holder | None) -> Iterator[str]:
    if holder is not None:
        yield f"The thread is running ({holder}): what it has saved by now is copied."


def _checkpoints(count: int) -> str:
    return f"{count:,} checkpoint{'' if count == 1 else 's'}"
