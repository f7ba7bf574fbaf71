"""What a person is told about the events of a run: a line each, and the whole of one."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from backends.model import StatusName
from backends.present import preview
from backends.questions import question_text
from backends.runs.events import Event, Kind
from backends.runs.run import RunState
from backends.text import one_line

from .glyphs import STATUS
from .run_states import like

_LIMIT: Final = 600
"""Characters of a text on one line."""

LOUD: Final = ("WARNING", "ERROR", "CRITICAL")
"""Levels of a log line that want to be seen."""


class Said(NamedTuple):
    """An event on one line, safe to print.

    Attributes:
        sign: One cell.
        look: Colour of the sign, a variable of the theme.
        subject: What it is about: a node, or a word.
        text: What happened.
        calm: Whether the text stays in the background.
    """

    sign: str
    look: str
    subject: str
    text: str
    calm: bool = False


def say(event: Event, began: Mapping[str, float]) -> Said | None:
    """Tell an event.

    Args:
        event: As the run wrote it: its texts are untrusted, and any key may be missing.
        began: Unix time by task id at which tasks began.

    Returns:
        ``None`` for an event that says nothing to a person.
    """
    data = event.data
    match event.kind:
        case Kind.STARTED:
            versions = f"python {_text(data, 'python')} · langgraph {_text(data, 'langgraph')}"
            return Said("·", "dim", "process", f"pid {_text(data, 'pid')} · {versions}", calm=True)
        case Kind.LOCKED:
            return Said("·", "dim", "lock", "taken: nobody else runs this thread meanwhile", calm=True)
        case Kind.RUNNING:
            return Said("▸", "accent", "call", _text(data, "call"))
        case Kind.TASK if data.get("phase") == "start":
            return Said(STATUS[StatusName.RUNNING], "running", _node(data, "name"), "started", calm=True)
        case Kind.TASK:
            return _finished(event, began)
        case Kind.CHECKPOINT:
            return _checkpoint(data)
        case Kind.INTERRUPT:
            asks = question_text(data.get("value"), _LIMIT)
            return Said(STATUS[StatusName.WAITING], "waiting", _node(data, "node"), asks)
        case Kind.CUSTOM:
            return Said("»", "accent", _inside(data) or "custom", preview(data.get("value"), _LIMIT))
        case Kind.LOG:
            return _log(data)
        case Kind.ERROR:
            return Said(
                "✖", "failed", _text(data, "node") or "error", f"{_text(data, 'type')}: {_text(data, 'message')}"
            )
        case Kind.FAULT:
            return Said("!", "warning", _text(data, "node") or "fault", f"{_text(data, 'how')} {_text(data, 'point')}")
        case Kind.STOPPING:
            drains = data.get("how") == "drain"
            return Said("‖", "paused", "stop", "before the next superstep" if drains else "the tasks are cancelled")
        case Kind.END:
            return _end(data)
    return None


def _finished(event: Event, began: Mapping[str, float]) -> Said:
    data = event.data
    start = began.get(_text(data, "id"))
    span = f"{event.t - start:.1f} s" if start is not None else "finished"
    subject = _node(data, "name")
    if data.get("error"):
        return Said("✖", "failed", subject, f"{span}  {_text(data, 'error')}")
    if data.get("interrupts"):
        return Said(STATUS[StatusName.WAITING], "waiting", subject, f"{span}  asks", calm=True)
    return Said("✓", "done", subject, f"{span}  {_text(data, 'result')}".rstrip())


def _checkpoint(data: Mapping[str, Any]) -> Said:
    following = data.get("next")
    names = ", ".join(map(str, following)) if isinstance(following, list) else ""
    after = f" → {one_line(names, 200)}" if names else " · nothing comes next"
    inside = f"{_inside(data)} › " if _inside(data) else ""
    return Said("◆", "dim", f"{inside}step {_text(data, 'step')}", f"{_text(data, 'source')}{after}", calm=True)


def _log(data: Mapping[str, Any]) -> Said:
    level = _text(data, "level")
    text = f"{level} {_text(data, 'text')}" if level else _text(data, "text")
    look = "failed" if level in LOUD[1:] else "warning" if level in LOUD else "dim"
    return Said("│", look, _text(data, "stream"), text, calm=look == "dim")


def _end(data: Mapping[str, Any]) -> Said:
    outcome = _text(data, "outcome")
    status = like(RunState(outcome)) if outcome in set(RunState) else StatusName.UNKNOWN
    return Said(STATUS[status], status.value, outcome or "end", _text(data, "reason"))


def _node(data: Mapping[str, Any], key: str) -> str:
    """A node's name, behind those of the nodes that it runs inside."""
    inside = _inside(data)
    return f"{inside} › {_text(data, key)}" if inside else _text(data, key)


def _inside(data: Mapping[str, Any]) -> str:
    """Names of the nodes in a namespace: ``review:1f2e|ask:77`` is ``review › ask``."""
    parts = _text(data, "ns").split("|")
    return " › ".join(part.partition(":")[0] for part in parts if part)


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    return "" if value is None else one_line(value if isinstance(value, str) else str(value), _LIMIT)


def whole(event: Event) -> str:
    """Everything that an event says, for reading and copying; not cleaned."""
    data = dict(event.data)
    long = [str(data.pop(key)) for key in ("traceback", "text", "call") if data.get(key)]
    lines = [f"{clock(event.t, exact=True)}  {event.kind}", ""]
    if data:
        lines += [json.dumps(data, ensure_ascii=False, indent=2, default=str), ""]
    return "\n".join([*lines, *long]).rstrip()


def clock(t: float, exact: bool = False) -> str:
    """Local time of an event: ``10:02:01.1``; with the date and milliseconds where ``exact``."""
    form, digits = ("%Y-%m-%d %H:%M:%S", 3) if exact else ("%H:%M:%S", 1)
    t += 0.5 * 10**-digits  # to the nearest, also over a full second
    return f"{_second(int(t), form)}.{int(t % 1 * 10**digits):0{digits}}"


@lru_cache(maxsize=8)
def _second(t: int, form: str) -> str:
    """Local time; events of the same second come in hundreds."""
    return time.strftime(form, time.localtime(t))
