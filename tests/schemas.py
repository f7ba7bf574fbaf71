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
    running_by=MAYBE_TEXT,
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
    running_by=MAYBE_TEXT,
)
INBOX = array(QUESTION)

RUN = record(
    run_id=TEXT,
    thread_id=TEXT,
    verb={"enum": ["start", "resume", "retry", "answer", "fork", "edit"]},
    graph=TEXT,
    target=TEXT,
    operator=TEXT,
    host=TEXT,
    pid=MAYBE_NUMBER,
    state={
        "enum": [
            *("starting", "running", "stopping", "done", "waiting", "paused"),
            *("drained", "cancelled", "failed", "refused", "busy", "crashed"),
        ]
    },
    reason=TEXT,
    started_at=TIME,
    ended_at=TIME,
    exit=MAYBE_NUMBER,
    tasks_started=NUMBER,
    tasks_finished=NUMBER,
    nodes={"type": "object", "additionalProperties": NUMBER},
    next=array(TEXT),
    head_before=MAYBE_TEXT,
    head=MAYBE_TEXT,
    durability={"enum": ["sync", "async", "exit"]},
    call=TEXT,
    store=TEXT,
    record=TEXT,
)
RUNS = array(RUN)
RESULT = record(**RUN["properties"], thread={"anyOf": [THREAD, {"type": "null"}]})
PLAN = record(
    verb={"enum": ["start", "resume", "retry", "answer", "fork", "edit", "copy", "branch"]},
    thread_id=TEXT,
    graph=MAYBE_TEXT,
    head=MAYBE_TEXT,
    summary=TEXT,
    runs=array(TEXT),
    reuses=array(TEXT),
    asks=array(TEXT),
    notes=array(TEXT),
    warnings=array(TEXT),
    refusal=MAYBE_TEXT,
    python=TEXT,
    command=TEXT,
)
COPIED = record(thread_id=TEXT, copied_from=TEXT, upto=MAYBE_TEXT, checkpoints=NUMBER, writes=NUMBER)
ACTION = record(
    action_id=TEXT,
    at=TIME,
    operator=TEXT,
    store=TEXT,
    verb={
        "enum": [
            *("start", "resume", "retry", "answer", "fork", "edit", "copy", "branch", "undo"),
            *("rm", "prune", "vacuum"),
        ]
    },
    thread_id=TEXT,
    target=MAYBE_TEXT,
    summary=TEXT,
    run_id=MAYBE_TEXT,
    outcome=MAYBE_TEXT,
    reason=TEXT,
    head_before=MAYBE_TEXT,
    head_after=MAYBE_TEXT,
    undone=FLAG,
    python=TEXT,
    command=TEXT,
)
ACTIONS = array(ACTION)
GONE = {"checkpoints": NUMBER, "writes": NUMBER, "blobs": NUMBER, "bytes": NUMBER}
BULK_STATES = ("pending", "running", "done", "failed", "refused", "skipped", "stopped")
BULK = record(
    action={"enum": ["resume", "answer", "stop", "copy", "delete", "prune", "export"]},
    dry_run=FLAG,
    total=NUMBER,
    states=record(**dict.fromkeys(BULK_STATES, NUMBER)),
    elapsed={"type": "number", "minimum": 0},
    deleted={"anyOf": [record(threads=NUMBER, **GONE), {"type": "null"}]},
    outcomes=array(
        record(
            thread_id=TEXT,
            state={"enum": [*BULK_STATES]},
            reason=MAYBE_TEXT,
            run=MAYBE_TEXT,
            tries=NUMBER,
            seconds={"type": "number", "minimum": 0},
            copy=MAYBE_TEXT,
            deleted={"anyOf": [record(**GONE, kept=NUMBER), {"type": "null"}]},
        )
    ),
    store={"anyOf": [record(bytes_before=NUMBER, bytes=NUMBER, free=MAYBE_NUMBER, vacuumed=FLAG), {"type": "null"}]},
)
THREAD_SIZE = record(
    thread_id=TEXT,
    bytes=NUMBER,
    checkpoints=NUMBER,
    checkpoint_bytes=NUMBER,
    writes=NUMBER,
    write_bytes=NUMBER,
    blobs=NUMBER,
    blob_bytes=NUMBER,
    day=NUMBER,
)
DU = record(
    store=record(bytes=NUMBER, free=MAYBE_NUMBER),
    total=record(threads=NUMBER, bytes=NUMBER, day=NUMBER),
    threads=array(THREAD_SIZE),
)
DU_THREAD = record(
    **THREAD_SIZE["properties"],
    channels=array(
        record(channel=MAYBE_TEXT, bytes=NUMBER, values=NUMBER, value_bytes=NUMBER, writes=NUMBER, write_bytes=NUMBER)
    ),
)
GRAPH = record(name=TEXT, target=TEXT, root=TEXT, dependencies=array(TEXT), python=MAYBE_TEXT)
GRAPHS = array(GRAPH)
EFFECT = record(where=TEXT, what=MAYBE_TEXT, key=MAYBE_TEXT, times=NUMBER)
TALLY = {"type": "object", "additionalProperties": NUMBER}
AUDIT = record(
    graph=TEXT,
    target=TEXT,
    store={"enum": ["sqlite", "postgres"]},
    passed=FLAG,
    effects_from={"enum": ["outside", "starts"]},
    nodes=array(TEXT),
    undisturbed=record(
        status=STATUS,
        starts=TALLY,
        effects=array(EFFECT),
        done_before_questions=array(EFFECT),
        began_again_when_answered=array(TEXT),
        not_compared=array(array(VALUE)),
        warnings=array(TEXT),
    ),
    cells=array(
        record(
            durability={"enum": ["sync", "async", "exit"]},
            point={"enum": ["before", "inside", "after", "written", "committed"]},
            node=TEXT,
            how={"enum": ["kill", "exit", "raise", "hang", "lost"]},
            ms=NUMBER,
            verdict={
                "enum": [
                    *("survived", "repeated work", "lost work"),
                    *("different result", "cannot resume", "did not strike"),
                ]
            },
            reason=TEXT,
            repeated=array(EFFECT),
            missing=array(EFFECT),
            lost=TALLY,
            reran=TALLY,
            differences=array(record(path=array(VALUE), undisturbed=VALUE, found=VALUE)),
            started_again=FLAG,
            processes=NUMBER,
        )
    ),
)
FINDING = record(
    name=TEXT, state={"enum": ["ok", "note", "warning", "fault"]}, told={**TEXT, "minLength": 1}, advice=TEXT
)
DOCTOR = record(store=MAYBE_TEXT, kind={"enum": ["sqlite", "postgres", None]}, passed=FLAG, findings=array(FINDING))
LOCK = record(thread_id=TEXT, who=TEXT, host=TEXT, pid=MAYBE_NUMBER, run_id=MAYBE_TEXT, since=TIME)
LOCKS = array(LOCK)
EXPORTED = record(
    file=TEXT,
    bytes=NUMBER,
    threads=array(record(thread_id=TEXT, checkpoints=NUMBER, blobs=NUMBER, writes=NUMBER, redacted=NUMBER)),
    redacted=NUMBER,
    unreadable=NUMBER,
    replaced=array(record(thread_id=TEXT, checkpoint_id=TEXT, channel=TEXT, reason=TEXT, encrypted=FLAG)),
)
IMPORTED = array(
    record(
        thread_id=TEXT,
        imported_as=TEXT,
        outcome={"enum": ["imported", "refused", "busy", "importable"]},
        reason=TEXT,
        checkpoints=NUMBER,
        writes=NUMBER,
    )
)
DRAWN = record(**GRAPH["properties"], drawing={"type": "object", "required": ["nodes", "edges"]})

_CHECKED: dict[int, jsonschema.Draft202012Validator] = {}
"""Validators of the schemas above; a schema is checked itself once, which costs more than most documents."""


def checked(document: Any, schema: dict[str, Any]) -> Any:
    """The document, after ``check``."""
    check(document, schema)
    return document


def check(document: Any, schema: dict[str, Any]) -> None:
    """Compare a document with its schema; raises `jsonschema.ValidationError`."""
    if id(schema) not in _CHECKED:
        jsonschema.Draft202012Validator.check_schema(schema)
        _CHECKED[id(schema)] = jsonschema.Draft202012Validator(schema)
    _CHECKED[id(schema)].validate(document)
