"""What a thread's rows say, without what differs from run to run: two runs of the same thing compare equal."""

from __future__ import annotations

import json
import re
from typing import Any

from backends.decode import Decoder
from backends.present import to_json
from backends.store import Scope, Store, open_store

_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_HASH = re.compile(r"\b[0-9a-f]{32}\b")
_VERSION = re.compile(r"\b(\d{32})\.\d[\d.e-]*")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.+]+")
_INTERRUPT = "langgraph.types.Interrupt"
_STAMPS = ("lgtop_run", "lgtop_operator")


def rows(address: str, thread_id: str) -> list[dict[str, Any]]:
    """Every checkpoint of a thread with its writes, oldest first, ids replaced by their order of appearance."""
    store = open_store(address)
    try:
        return json.loads(_numbered(json.dumps(_rows(store, thread_id), default=str)))
    finally:
        store.close()


def _rows(store: Store, thread_id: str) -> list[dict[str, Any]]:
    decode = Decoder.from_environment().decode
    history = sorted(store.history(thread_id), key=lambda row: row.key.checkpoint_id)
    found = []
    for raw in store.raw([row.key for row in history], Scope.FULL):
        checkpoint = decode(raw.checkpoint)
        blobs = {name: to_json(decode(blob)) for name, blob in raw.channel_blobs.items()}
        values = {name: to_json(value) for name, value in checkpoint.pop("channel_values").items()} | blobs
        metadata = json.loads(raw.metadata_json)
        found.append(
            {
                "id": raw.key.checkpoint_id,
                "ns": raw.key.ns,
                "parent": raw.parent_id,
                "metadata": {name: metadata[name] for name in sorted(metadata) if name not in _STAMPS},
                "checkpoint": {name: _sorted(checkpoint[name]) for name in sorted(checkpoint) if name != "ts"},
                "values": _sorted({name: _ordered(value) for name, value in values.items() if value is not None}),
                "writes": sorted(
                    (
                        [w.task_path, w.task_id, min(w.idx, 0), w.channel, _ordered(to_json(decode(w.blob)))]
                        for w in raw.writes  # edges of a node fire in the order of a set of texts: any
                    ),
                    key=lambda w: (w[0] or "", w[3], str(w[4])),
                ),
            }
        )
    return found


def _ordered(written: Any) -> Any:
    """Sets have no order, and questions of parallel nodes inside a subgraph come as they are asked."""
    if isinstance(written, dict) and written.get("$type") == "builtins.set":
        return {**written, "value": sorted(written["value"])}
    if isinstance(written, list) and all(
        isinstance(item, dict) and item.get("$type") == _INTERRUPT for item in written
    ):
        return sorted(written, key=lambda item: str(item["value"].get("value")))
    return written


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _sorted(value[key]) for key in sorted(value, key=str)}
    return value


def state_of(graph: Any, thread_id: str) -> Any:
    """``get_state`` with subgraphs, as text without what differs from run to run."""
    found = graph.get_state({"configurable": {"thread_id": thread_id}}, subgraphs=True)
    return _numbered(_shown(found).replace(f"'{thread_id}'", "'THREAD'"))


def _shown(state: Any) -> str:
    if state is None or isinstance(state, dict):
        return "subgraph" if state else "none"
    tasks = [
        (
            task.name,
            task.path,
            repr(task.error),
            sorted((repr(i) for i in task.interrupts), key=lambda text: text.partition("value=")[2]),
            task.result,
            _shown(task.state),
        )
        for task in state.tasks
    ]
    metadata = {name: value for name, value in (state.metadata or {}).items() if name not in _STAMPS}
    return repr((state.values, state.next, metadata, tasks))


def _numbered(text: str) -> str:
    text = _VERSION.sub(lambda found: found[1].lstrip("0"), _TIME.sub("TIME", text))
    for pattern in (_UUID, _HASH):
        seen: dict[str, str] = {}
        text = pattern.sub(lambda found, seen=seen: seen.setdefault(found[0], f"#{len(seen)}"), text)
    return text
