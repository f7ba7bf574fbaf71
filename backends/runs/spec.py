"""What a run is asked to do: one JSON object on the child's standard input."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any


class Verb(StrEnum):
    """What the child calls; see ``RunSpec``."""

    START = "start"
    """``stream(input)``."""
    RESUME = "resume"
    """``stream(None)``."""
    RETRY = "retry"
    """``stream(None, {checkpoint_id: head})``: every task of the step again, finished ones too."""
    ANSWER = "answer"
    """``stream(Command(resume={interrupt_id: value, ...}))``, strict."""
    FORK = "fork"
    """From ``checkpoint``: with ``values`` ``aupdate_state(checkpoint, values, as_node)`` and then ``stream(None)``,
    without them ``stream(None, checkpoint)``."""
    EDIT = "edit"
    """``aupdate_state(values, as_node)`` at the head; nothing runs."""
    DRAW = "draw"
    """Nothing is run or written: only the graph is imported and described (event ``graph``)."""


@dataclass(frozen=True, slots=True)
class GraphRef:
    """Which graph, and how its project loads it.

    Attributes:
        target: ``./path/file.py:var`` or ``package.module:attr``; paths are relative to ``root``.
        root: Directory of ``langgraph.json``, or the current one; absolute.
        name: Its id in ``langgraph.json``; the target where it has none.
        dependencies: Local directories to put on ``sys.path``, absolute.
        env: Variables for the child, already read from the ``env`` file or mapping.
        python: The interpreter to run it with; empty means the one that runs lgtop.
    """

    target: str
    root: str
    name: str
    dependencies: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    python: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What LangGraph is to be called with: a person's wish and the child's request have it in common.

    Attributes:
        input: START: the input.
        answers: ANSWER: values by interrupt id.
        ns: FORK, EDIT, RETRY: namespace of the checkpoint where it goes on from.
        values: FORK, EDIT: what is written, by channel. In values ``{"$type": "module.Name", "value": ...}`` and the
            other forms of ``present.to_json`` are turned back into objects.
        replace: FORK, EDIT: channels whose value replaces what is there, past a reducer
            (``langgraph.types.Overwrite``); the others go through their reducers.
        as_node: FORK, EDIT: the node whose edges fire next.
        run_after: FORK: whether to run after the fork has been written.
        durability: ``sync``, ``async`` or ``exit``.
        step: Single step: stop before the next superstep (``interrupt_before="*"``).
        recursion_limit: ``None`` for LangGraph's own.
        config: More keys for ``configurable``.
        context: Run-time context of the graph, if it takes one.
        create_store: Whether the store may be created (START only).
        faults: Faults to inject, each ``POINT:NODE[+ms]=HOW``.
    """

    input: Any = None
    answers: Mapping[str, Any] = field(default_factory=dict)
    ns: str = ""
    values: Mapping[str, Any] | None = None
    replace: tuple[str, ...] = ()
    as_node: str | None = None
    run_after: bool = True
    durability: str = "sync"
    step: bool = False
    recursion_limit: int | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    context: Any = None
    create_store: bool = False
    faults: tuple[str, ...] = ()

    def call(self) -> dict[str, Any]:
        """Only these, by name; mappings as plain ones."""
        found = ((each.name, getattr(self, each.name)) for each in fields(Call))
        return {name: dict(value) if isinstance(value, Mapping) else value for name, value in found}


@dataclass(frozen=True, slots=True)
class RunSpec(Call):
    """Everything the child needs. JSON values only.

    Attributes:
        run_id: Names the record.
        record: Folder of the record, absolute; exists.
        verb: See ``Verb``.
        graph: Which graph.
        store: Path of the SQLite file, or a DSN with its password: the spec is never written to disk as it is.
        thread_id: The thread.
        operator: Who asks: ``user@host``; stamped into the metadata as ``lgtop_operator``, the run id as ``lgtop_run``.
        expected_head: Root head checkpoint that the person looked at; another one now means refused. ``None``: any.
            An empty text: the thread must not exist.
        checkpoint_id: FORK, EDIT, RETRY: where from; ``None`` is the head.
        others: DRAW: target and name of further graphs of the same project, which are described after ``graph``.
    """

    run_id: str
    record: str
    verb: Verb
    graph: GraphRef
    store: str
    thread_id: str
    operator: str
    expected_head: str | None = None
    checkpoint_id: str | None = None
    others: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> str:
        """The object as the child reads it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> RunSpec:
        """Read what ``to_json`` wrote."""
        given = json.loads(text)
        graph = given.pop("graph")
        graph["dependencies"] = tuple(graph["dependencies"])
        for name in ("replace", "faults"):
            given[name] = tuple(given[name])
        given["others"] = tuple((target, name) for target, name in given["others"])
        return cls(**{**given, "verb": Verb(given["verb"]), "graph": GraphRef(**graph)})
