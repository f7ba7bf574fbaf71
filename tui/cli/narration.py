"""What a run does, told on standard error while it happens: one line an event, cleaned."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from backends.text import one_line

from . import output

if TYPE_CHECKING:
    from backends.runs.events import Event

_LIMIT = 400
"""Characters of a text from a run that are told; its record holds more."""

_TRACEBACK = 12
"""Last lines of a traceback that are told."""


class Narrator:
    """Tells the events of one run; keeps when its tasks began."""

    def __init__(self) -> None:
        self._began: dict[str, float] = {}

    def tell(self, event: Event) -> None:
        """Say what happened, if a person would want to know."""
        clock = time.strftime("%H:%M:%S", time.localtime(event.t))
        for line in self._lines(event):
            output.narrate(f"{clock}  {line}")

    def _lines(self, event: Event) -> Iterator[str]:
        data = event.data
        match event.kind.value:
            case "started":
                versions = f"python {data.get('python', '?')}, langgraph {data.get('langgraph') or '?'}"
                yield f"· process {data.get('pid', '?')}, {versions}"
            case "running":
                yield f"· {_text(data, 'call')}"
            case "task":
                yield from self._task(event)
            case "interrupt":
                yield f"? {_text(data, 'node')} asks {_asked(data)}"
            case "custom":
                yield f"» {_json(data.get('value'))}"
            case "log":
                yield from _logged(data)
            case "error":
                yield from _error(data)
            case "fault":
                yield f"! fault {_text(data, 'point')} {_text(data, 'node')}: {_text(data, 'how')}"
            case "stopping":
                draining = data.get("how") == "drain"
                yield "· stopping before the next step" if draining else "· cancelling the step"
            case "end":
                reason = _text(data, "reason")
                yield f"· {_text(data, 'outcome')}{f': {reason}' if reason else ''}"

    def _task(self, event: Event) -> Iterator[str]:
        data = event.data
        task, inside = str(data.get("id", "")), _text(data, "ns")
        name = f"{_text(data, 'name')}{f'  in {inside}' if inside else ''}"
        if data.get("phase") == "start":
            self._began[task] = event.t
            yield f"▸ {name}"
            return
        took = event.t - self._began.pop(task, event.t)
        if error := data.get("error"):
            yield f"✖ {name}  {took:.1f} s  {one_line(str(error), _LIMIT)}"
        elif data.get("interrupts"):
            yield f"‖ {name}  {took:.1f} s"
        else:
            yield f"✓ {name}  {took:.1f} s"


def _asked(data: Mapping[str, Any]) -> str:
    """The id of a question, and as much of the question as fits."""
    from backends.questions import question_text

    return f"({_text(data, 'id')}) {question_text(data.get('value'), _LIMIT)}"


def _logged(data: Mapping[str, Any]) -> Iterator[str]:
    source = " ".join(filter(None, (_text(data, "stream"), _text(data, "level").lower())))
    for line in str(data.get("text", "")).splitlines() or [""]:
        yield f"{source}│ {one_line(line, _LIMIT)}"


def _error(data: Mapping[str, Any]) -> Iterator[str]:
    """The end of the traceback, then the error itself."""
    lines = str(data.get("traceback") or "").rstrip().splitlines()[:-1]
    if len(lines) > _TRACEBACK:
        yield f"  … {len(lines) - _TRACEBACK} more lines of traceback in the run's record"
    for line in lines[-_TRACEBACK:]:
        yield f"  {one_line(line, _LIMIT)}"
    node = _text(data, "node")
    yield f"✖ {f'{node}: ' if node else ''}{_text(data, 'type')}: {_text(data, 'message')}"


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    return "" if value is None else one_line(str(value), _LIMIT)


def _json(value: Any) -> str:
    return one_line(value if isinstance(value, str) else output.encode(value), _LIMIT)
