"""What a thread has come to, in a form that two runs can be compared in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from ..errors import EmptyPlace, NotFound, StoreUnreachable
from ..model import Interrupt, StatusName
from ..present import preview, to_json
from ..reader import Reader
from ..store import open_store
from ..text import one_line
from ..values import DeltaValue, Value
from .effects import mask_thread
from .trace import node_path

Path: TypeAlias = tuple[str | int, ...]


class Question(NamedTuple):
    """A question that waits.

    Attributes:
        node: Who asks, as a path.
        value: What, as JSON.
        id: Interrupt id.
    """

    node: str
    value: Any
    id: str


@dataclass(frozen=True, slots=True)
class Final:
    """Where a thread stands.

    Attributes:
        status: Its status, as the store alone tells it.
        reason: Why.
        content: All that is compared: status, state, questions, next, as JSON; the thread's own id is masked, and
            members of sets stand in an order that every process makes the same.
        questions: What waits.
        inside: Namespace of the subgraph that alone has saved something; empty where the thread itself has.
        head: Id of its newest checkpoint, which is another whenever anything was saved.
    """

    status: StatusName
    reason: str
    content: dict[str, Any]
    questions: tuple[Question, ...]
    inside: str = ""
    head: str = ""


class Difference(NamedTuple):
    """A place where two contents differ; ``MISSING`` stands for what is not there."""

    path: Path
    old: Any
    new: Any

    def __str__(self) -> str:
        """``state.count is 1, undisturbed 2``."""
        return f"{place(self.path)} is {_brief(self.new)}, undisturbed {_brief(self.old)}"


MISSING = object()


def look(address: str, thread_id: str) -> Final | None:
    """Read where a thread stands; ``None`` where the store has nothing of it.

    Raises:
        StoreError: The store cannot be read.
    """
    try:
        store = open_store(address)
    except EmptyPlace:
        return None
    except StoreUnreachable:
        if "://" in address or "=" in address:
            raise
        return None  # the file was never made
    with closing(store):
        reader = Reader(store)
        try:
            key = reader.head(thread_id).key
        except NotFound:
            return None
        analysis = reader.analysis(key)
        questions = tuple(sorted(map(_question, analysis.interrupts), key=lambda q: (q.node, repr(q.value))))
        content = {
            "status": analysis.status.value,
            "next": sorted(analysis.next),
            "questions": [{"node": question.node, "value": question.value} for question in questions],
            "state": {name: to_json(_flat(value)) for name, value in reader.state(key).items()},
        }
        inside = key.ns if ":" in key.ns else ""
        compared = _sorted(_masked(content, thread_id))
        return Final(analysis.status, analysis.reason, compared, questions, inside, key.checkpoint_id)


def differences(old: Any, new: Any, path: Path = ()) -> Iterator[Difference]:
    """Yield where two JSON values differ, each as deep as it can be said; lists are compared item by item."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*old, *new]):
            yield from differences(old.get(key, MISSING), new.get(key, MISSING), (*path, key))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            mine = old[index] if index < len(old) else MISSING
            theirs = new[index] if index < len(new) else MISSING
            yield from differences(mine, theirs, (*path, index))
    elif type(old) is not type(new) or old != new:
        yield Difference(path, old, new)


def place(path: Path) -> str:
    """``state.messages[2].id``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return one_line(text.removeprefix("."), 80)


def _brief(value: Any) -> str:
    return "missing" if value is MISSING else preview(value, 60)


def _question(interrupt: Interrupt) -> Question:
    outer, _, inner = interrupt.ns.rpartition("|")
    name = inner.partition(":")[0] or interrupt.node
    return Question(node_path(name, outer), to_json(interrupt.value), interrupt.id)


def _flat(value: Value) -> Value:
    """A DeltaChannel as one list: where its snapshots are depends on how often the thread was saved."""
    if not isinstance(value, DeltaValue):
        return value
    found: list[Value] = []
    for part in ((value.seed,) if value.has_seed else ()) + tuple(value.writes):
        found.extend(part if isinstance(part, list) else [part])
    return found


def _masked(value: Any, thread_id: str) -> Any:
    match value:
        case str():
            return mask_thread(value, thread_id)
        case list():
            return [_masked(item, thread_id) for item in value]
        case dict():
            return {_masked(key, thread_id): _masked(item, thread_id) for key, item in value.items()}
    return value


def _sorted(value: Any) -> Any:
    """The same with the members of sets in order: theirs in the store depends on the process that saved them."""
    match value:
        case {"$type": "builtins.set" | "builtins.frozenset", "value": list(members)}:
            ordered = sorted(map(_sorted, members), key=lambda member: json.dumps(member, sort_keys=True))
            return {**value, "value": ordered}
        case list():
            return [_sorted(item) for item in value]
        case dict():
            return {key: _sorted(item) for key, item in value.items()}
    return value
