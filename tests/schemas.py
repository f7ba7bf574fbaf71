"""JSON Schemas of everything that the commands print with `--json` and `--jsonl`."""

from __future__ import annotations

from typing import Any

import jsonschema

TEXT = {"type": "string"}
MAYBE_TEXT = {"type": ["string", "null"]}
NUMBER = {"type": "integer"}
MAYBE_NUMBER = {"type": ["integer", "null"]}
FLAG = {"type": "boolean"}
TIME = {"type": ["string", "null"], "pattern": r"^\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$"}
STATUS = {"enum": ["running", "waiting", "failed", "cancelled", "paused", "crashed", "stalled", "done", "unknown"]}
VALUE: dict[str, Any] = {}


def record(**properties: Any) -> dict[str, Any]:
    """An object with exactly these properties."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def array(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


INTERRUPT = record(id=TEXT, value=VALUE, node=TEXT)
THREAD = record(
    thread_id=TEXT,
    status=STATUS,
    inferred=FLAG,
    reason=TEXT,
    next=array(TEXT),
    step=MAYBE_NUMBER,
    source=MAYBE_TEXT,
    updated_at=TIME,
    created_at=TIME,
    checkpoints=NUMBER,
    interrupts=array(INTERRUPT),
    error=MAYBE_TEXT,
    running_by=MAYBE_TEXT,
    metadata={"type": "object"},
)
THREADS = array(THREAD)
TASK = record(
    id=MAYBE_TEXT,
    name=TEXT,
    kind={"enum": ["pull", "push", "call", "handler"]},
    path=TEXT,
    state={"enum": ["due", "finished", "waiting", "failed", "handled"]},
    interrupts=array(INTERRUPT),
    error=MAYBE_TEXT,
    channels=array(TEXT),
    inferred=FLAG,
)
SHOW = record(
    thread_id=TEXT,
    ns=TEXT,
    checkpoint_id=TEXT,
    parent_id=MAYBE_TEXT,
    created_at=TIME,
    status=STATUS,
    inferred=FLAG,
    reason=TEXT,
    next=array(TEXT),
    error=MAYBE_TEXT,
    step=VALUE,
    source=VALUE,
    tasks=array(TASK),
    interrupts=array(record(id=TEXT, value=VALUE, node=TEXT, ns=TEXT, response_schema=VALUE)),
    state={"type": "object"},
    metadata={"type": "object"},
    namespaces=array(TEXT),
    problem=MAYBE_TEXT,
)
CHECKPOINT = record(
    id=TEXT,
    parent=MAYBE_TEXT,
    ns=TEXT,
    step=MAYBE_NUMBER,
    source=MAYBE_TEXT,
    nodes=array(TEXT),
    created_at=TIME,
    size=NUMBER,
)
HISTORY = array(CHECKPOINT)
DIFF = record(
    thread_id=TEXT,
    ns=TEXT,
    **{"from": MAYBE_TEXT},
    to=TEXT,
    channels={"type": "object", "additionalProperties": TEXT},
    changes=array(record(op={"enum": ["add", "remove", "replace"]}, path=array(VALUE), old=VALUE, new=VALUE)),
)
QUESTION = record(
    thread_id=TEXT,
    id=TEXT,
    value=VALUE,
    node=TEXT,
    ns=TEXT,
    asked_at=TIME,
    age={"type": ["number", "null"], "minimum": 0},
    response_schema=VALUE,
)
INBOX = array(QUESTION)

_CHECKED: dict[int, jsonschema.Draft202012Validator] = {}
"""Validators of the schemas above; a schema is checked itself once, which costs more than most documents."""


def check(document: Any, schema: dict[str, Any]) -> None:
    """Compare a document with its schema; raises `jsonschema.ValidationError`."""
    if id(schema) not in _CHECKED:
        jsonschema.Draft202012Validator.check_schema(schema)
        _CHECKED[id(schema)] = jsonschema.Draft202012Validator(schema)
    _CHECKED[id(schema)].validate(document)
