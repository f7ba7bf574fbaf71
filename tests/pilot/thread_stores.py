"""A store whose threads never change their looks: fixed ids, times and values, in rows as LangGraph writes them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Interrupt
from pydantic import SecretStr

from backends.ids import checkpoint_id_at

MORNING = 1_799_971_200.0
"""2027-01-15 00:00:00 UTC."""

_SERDE = JsonPlusSerializer()

QUESTION = {"question": "Approve 12 000 € for ACME GmbH?", "amount": 12_000}
SCHEMA = {"type": "object", "properties": {"approve": {"type": "boolean"}}, "required": ["approve"]}

MESSAGES = [
    HumanMessage("Please check the loan of ACME.", id="h1"),
    AIMessage(
        "I will look into the contract, check the amount against their limit, and come back with a proposal.",
        id="a1",
        tool_calls=[{"name": "lookup", "args": {"customer": "ACME", "limit": True}, "id": "c1"}],
    ),
    ToolMessage('{"limit": 15000, "currency": "EUR"}', tool_call_id="c1", name="lookup", id="t1"),
]


def checkpoint_id(seconds: float, step: int = 0) -> str:
    """A uuid6 some seconds after ``MORNING``."""
    return f"{checkpoint_id_at(MORNING + seconds)}-{0x8000 | (step & 0x3FFF):04x}-00000000{step & 0xFFFF:04x}"


def task_id(name: str) -> str:
    """The id of a made-up task."""
    return f"{name.encode().hex():0<32.32}"


class ThreadStore:
    """Writes rows; a context manager around one connection."""

    def __init__(self, path: Path) -> None:
        self._connection = closing(sqlite3.connect(path))

    def __enter__(self) -> ThreadStore:
        self.rows = self._connection.__enter__()
        SqliteSaver(self.rows).setup()
        return self

    def __exit__(self, *_: object) -> None:
        self.rows.commit()
        self._connection.__exit__(None, None, None)

    def put(
        self,
        thread_id: str,
        seconds: float,
        step: int,
        values: Mapping[str, Any],
        *,
        parent: str | None = None,
        source: str = "loop",
        ns: str = "",
        parents: Mapping[str, str] | None = None,
        due: Sequence[str] = (),
        **metadata: Any,
    ) -> str:
        """Add a checkpoint whose next nodes are ``due``; return its id."""
        own = checkpoint_id(seconds, step)
        channels = {**values, **{f"branch:to:{node}": None for node in due}}
        version = f"{step + 2:032}.0"
        body = {
            "v": 4,
            "id": own,
            "ts": "2027-01-15T00:00:00+00:00",
            "channel_values": channels,
            "channel_versions": dict.fromkeys(channels, version),
            "versions_seen": {},
            "updated_channels": sorted(values),
        }
        kind, blob = _SERDE.dumps_typed(body)
        facts = {"source": source, "step": step, "parents": dict(parents or {}), **metadata}
        self.rows.execute(
            "INSERT INTO checkpoints VALUES (?, ?, ?, ?, ?, ?, ?)",
            (thread_id, ns, own, parent, kind, blob, json.dumps(facts).encode()),
        )
        return own

    def write(self, thread_id: str, checkpoint: str, node: str, ns: str = "", **values: Any) -> None:
        """Add what a task wrote; channels with a leading ``_`` are control rows (``_interrupt``, ``_error``)."""
        control = {"_error": ("__error__", -1), "_interrupt": ("__interrupt__", -3)}
        for number, (name, value) in enumerate(values.items()):
            channel, idx = control.get(name, (name, number))
            kind, blob = _SERDE.dumps_typed(value)
            row = (thread_id, ns, checkpoint, task_id(node), f"~__pregel_pull, {node}", idx, channel, kind, blob)
            columns = "thread_id, checkpoint_ns, checkpoint_id, task_id, task_path, idx, channel, type, value"
            self.rows.execute(f"INSERT INTO writes ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    def remove(self, thread_id: str) -> None:
        """Delete a thread."""
        for table in ("checkpoints", "writes"):
            self.rows.execute(f"DELETE FROM {table} WHERE thread_id = ?", (thread_id,))


def write_loan(store: ThreadStore, thread_id: str = "loan-0042") -> None:
    """A thread with a fork, a subgraph call, messages, a secret, and a question."""
    facts = {"tenant": "acme", "run_id": "run-77"}
    base = {"amount": 12_000, "key": SecretStr("hunter2")}
    first = store.put(thread_id, 0, -1, {"__start__": base}, source="input", **facts)
    store.write(thread_id, first, "__start__", **base)
    begun = store.put(thread_id, 0.004, 0, {**base, "messages": MESSAGES[:1]}, parent=first, due=["plan"], **facts)
    planned = {**base, "messages": MESSAGES[:2], "notes": "line one\nline two\nline three\n", "log": ["planned"]}
    store.write(thread_id, begun, "plan", messages=MESSAGES[1:2], notes=planned["notes"], log=["planned"])
    plan = store.put(thread_id, 1.3, 1, planned, parent=begun, due=["lookup"], **facts)
    looked = {**planned, "messages": MESSAGES, "scores": {"risk": 0.2, "fit": 0.93}, "log": ["planned", "looked up"]}
    looked["notes"] = "line one\nline 2 (edited)\nline three\nline four\n"
    store.write(thread_id, plan, "lookup", messages=MESSAGES[2:], scores=looked["scores"], log=["looked up"])
    left = store.put(thread_id, 43.3, 2, looked, parent=plan, due=["review"], **facts)
    store.put(thread_id, 44, 3, looked, parent=left, due=["write"], **facts)
    forked = store.put(thread_id, 700, 2, {**planned, "notes": "by hand\n"}, parent=plan, source="fork", due=["lookup"])
    store.write(thread_id, forked, "lookup", messages=MESSAGES[2:], scores=looked["scores"], log=["looked up"])
    head = store.put(thread_id, 742, 3, looked, parent=forked, due=["review"], **facts)
    ns = f"review:{task_id('review')}"
    inner = store.put(thread_id, 742.1, -1, {"__start__": {}}, source="input", ns=ns, parents={"": head})
    store.write(thread_id, inner, "__start__", ns, log=["looked up"])
    log = {"log": ["looked up"]}
    asking = store.put(thread_id, 742.2, 0, log, parent=inner, ns=ns, parents={"": head}, due=["ask"])
    question = Interrupt(value=QUESTION, id="dc424276500043e38e5ff87bbb19d02a", response_schema=SCHEMA)
    store.write(thread_id, asking, "ask", ns, _interrupt=[question])
    store.write(thread_id, head, "review", _interrupt=[question])


def write_failure(store: ThreadStore, thread_id: str = "etl-2026-11-20") -> None:
    """A thread with a task that failed beside one that finished."""
    first = store.put(thread_id, 10, -1, {"__start__": {}}, source="input")
    head = store.put(thread_id, 10.1, 0, {"rows": 3}, parent=first, due=["load", "audit"])
    store.write(thread_id, head, "load", _error="ConnectionError('refused by db.internal:5432')")
    store.write(thread_id, head, "audit", audited=True)


def write_long(store: ThreadStore, count: int, thread_id: str = "loop") -> None:
    """A thread with very many checkpoints."""
    parent = None
    for step in range(count):
        parent = store.put(thread_id, 20 + step, step, {"n": step}, parent=parent)


def make_threads(path: Path) -> Path:
    """A store with these threads."""
    with ThreadStore(path) as store:
        write_loan(store)
        write_failure(store)
    return path
