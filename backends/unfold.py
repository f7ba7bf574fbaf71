"""Decoded values -> rows of an outline: fields, items, messages; long lists in ranges, long texts in lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import TypeAlias, overload

from .messages import Message, ToolCall, as_message
from .outline import Node, Path, Tone
from .present import children, preview
from .text import clean, one_line
from .values import Encrypted, Typed, Undecodable, Value
from .wrap import wrap

CHUNK = 100
"""Rows that unfold at once; a longer list unfolds to ranges first."""

LINES = 100
"""Lines of a text that unfold; all of it is in the pager."""

_MARGIN, _LEAST_WIDTH = 4, 20
"""Cells of a row beside its text, and cells that a text gets in any case."""

PREVIEW = 400
"""Characters of a message that its row can show."""

Child: TypeAlias = tuple[str | int, Value]

_LEAVES = frozenset((str, int, float, bool, type(None), bytes))
_CONTAINERS = frozenset((list, tuple, dict))


def value_node(path: Path, name: str, value: Value, width: int = 80) -> Node:
    """Make the row of a value.

    Args:
        path: Its identity in the outline.
        name: Key or index; untrusted.
        value: Any decoded value.
        width: Cells of a row, to which unfolded texts are broken.
    """
    kind = type(value)
    if kind in _LEAVES:
        return Node(path, name, value)
    if kind is Undecodable or kind is Encrypted:
        return Node(path, name, value, tone=Tone.FAILED)
    if kind is not list and (message := as_message(value)) is not None:
        return _message_node(path, name, message, width)
    if not (value if kind in _CONTAINERS else children(value)):
        return Node(path, name, value)
    return Node(path, name, value, brief="", unfold=lambda: child_nodes(path, value, width))


def child_nodes(path: Path, value: Value, width: int = 80) -> Sequence[Node]:
    """Make the rows of what is inside a value, or of ranges of it where there is much."""
    below = _Entries(value) if type(value) is dict else children(value) or ()

    def rows(start: int, stop: int) -> Sequence[Node]:
        return [value_node((*path, key), str(key), item, width) for key, item in below[start:stop]]

    def hint(start: int, stop: int) -> str:
        first, last = below[start][0], below[stop - 1][0]
        return "" if isinstance(first, int) else f"{one_line(first, 40)} … {one_line(str(last), 40)}"

    return ranged(path, len(below), rows, hint)


class _Entries:
    """What ``children`` returns for a mapping, one slice at a time: all of a long one take long."""

    def __init__(self, mapping: dict[Value, Value]) -> None:
        self._mapping = mapping
        self._keys = list(mapping)

    def __len__(self) -> int:
        return len(self._keys)

    @overload
    def __getitem__(self, at: int) -> Child: ...
    @overload
    def __getitem__(self, at: slice) -> list[Child]: ...
    def __getitem__(self, at: int | slice) -> Child | list[Child]:
        if isinstance(at, slice):
            return [self._child(key) for key in self._keys[at]]
        return self._child(self._keys[at])

    def _child(self, key: Value) -> Child:
        return (key if type(key) in (str, int) else preview(key)), self._mapping[key]


def ranged(
    path: Path,
    count: int,
    rows: Callable[[int, int], Sequence[Node]],
    hint: Callable[[int, int], str] = lambda start, stop: "",
) -> Sequence[Node]:
    """Make rows, or rows for ranges of them where there are more than a screen or two can show.

    Args:
        path: Identity of what they are inside of.
        count: How many there are.
        rows: Makes those from ``start`` to ``stop``.
        hint: Says what such a range begins and ends with.

    Returns:
        At most ``CHUNK`` rows. Ranges are 100, 1,000, ... long, so that an index is where one expects it.
    """

    def between(start: int, stop: int) -> Sequence[Node]:
        if stop - start <= CHUNK:
            return rows(start, stop)
        step = CHUNK
        while stop - start > step * CHUNK:
            step *= 10
        return [one_range(first, min(first + step, stop)) for first in range(start, stop, step)]

    def one_range(start: int, stop: int) -> Node:
        return Node(
            (*path, ("range", start, stop)),
            f"{start:,} … {stop - 1:,}",
            label=f"{stop - start:,} of {count:,}",
            text=hint(start, stop),
            tone=Tone.QUIET,
            unfold=lambda: between(start, stop),
            find="",
        )

    return between(0, count)


def text_nodes(path: Path, text: str, width: int, tone: Tone = Tone.PLAIN, mark: str = "") -> list[Node]:
    """Make a row of each line of a text; the value of every one is the whole text.

    Args:
        path: Identity of the text.
        text: Untrusted.
        width: Cells of a row; the lines of deeper texts are shorter.
        tone: Of each line.
        mark: In front of each line.
    """
    width = max(_LEAST_WIDTH, width - _MARGIN - 2 * len(path))
    start = clean(text[: (LINES + 2) * (width + 1)])
    lines = list(islice(wrap(start, width), LINES + 1))
    rows = [
        Node((*path, number), "", text, "", line, tone=tone, mark=mark, find="") for number, line in enumerate(lines)
    ]
    if len(lines) > LINES:
        rest = f"… {len(text):,} characters in all"
        rows[LINES:] = [Node((*path, "rest"), "", text, "", rest, tone=Tone.QUIET, find="")]
    return rows


# Messages


def _message_node(path: Path, name: str, message: Message, width: int) -> Node:
    """A message on one row: who, what, which tools."""
    said = one_line(message.text, PREVIEW)
    calls = "  ".join(map(_call_text, message.tool_calls[:8]))
    speaker = f"{message.role} {message.name}" if message.name else message.role
    return Node(
        path,
        name,
        message.value,
        label=one_line(speaker, 40),
        text=f"{said}  {calls}" if said and calls else said or calls,
        brief="",
        tone=Tone.SPEAKER,
        unfold=lambda: [
            *(text_nodes((*path, "content"), message.text, width) if message.text else ()),
            *_other_rows(path, message, width),
        ],
        find=f"{speaker} {message.text}",
        inside=lambda: list(_other_rows(path, message, width)),
    )


def _call_text(call: ToolCall) -> str:
    return f"→ {one_line(call.name, 60)}({preview(call.args, 120)})"


def _other_rows(path: Path, message: Message, width: int) -> Iterator[Node]:
    """Yield what a message unfolds to besides its text: tool calls, and every other field that says something."""
    for index, call in enumerate(message.tool_calls):
        node = value_node((*path, "tool_calls", index), one_line(call.name, 60), call.args, width)
        yield replace(node, mark="→")
    for key, value in _other_fields(message):
        yield value_node((*path, key), key, value, width)


def _other_fields(message: Message) -> Iterator[tuple[str, Value]]:
    """Yield the fields that the rows of text and calls do not show."""
    fields = message.value.data if isinstance(message.value, Typed) else message.value
    for key, value in fields.items() if isinstance(fields, dict) else ():
        shown = key == "tool_calls" or (key == "content" and isinstance(value, str))
        if not shown and value not in (None, "", [], {}):
            yield str(key), value
