"""Diff: what changed between two checkpoints, channel by channel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from backends.diff import Change, channel_summary, diff, line_diff
from backends.errors import NotFound
from backends.outline import Node, Path, Tone
from backends.present import approx_size, preview
from backends.reader import Reader
from backends.text import clean
from backends.unfold import ranged, value_node
from backends.values import Value
from backends.wrap import wrap

from .request import Answer, Request, note
from .states import State, States

ADDED, REMOVED, CHANGED = "+", "−", "~"

_CONTEXT = 2
"""Unchanged lines shown around changed ones."""

_SHORT = 60
"""Characters of a value that may stand beside another on one row."""

_NAMES = 24
"""Cells that a row needs besides."""

_INDENT = 8
"""Cells before a line of text."""

_LONGEST_LINE = 4000
"""Characters of a line that are shown here."""

_TONES = {"+": Tone.ADDED, "-": Tone.REMOVED, " ": Tone.QUIET, "…": Tone.QUIET}
_SIGNS = {"+": ADDED, "-": REMOVED, " ": " ", "…": "…"}

_COMPARED = 1_000_000
"""Characters of a text that are compared line by line."""


def load(reader: Reader, request: Request, states: States) -> Answer:
    """Compare a checkpoint with the base, or with its parent.

    Raises:
        NotFound: It is not in the store any more.
        StoreError: The store cannot be read.
    """
    new = states.of(reader, request.key)
    base = request.base or request.parent
    try:
        old = states.of(reader, base) if base is not None else State({}, {})
    except NotFound:
        return Answer((_title(request), note("It is not in the store, so there is nothing to compare with.")))
    for problem in (old.problem, new.problem):
        if problem is not None:
            return Answer((_title(request), note(f"✖ {problem}", Tone.FAILED)))
    changes = diff(old.values, new.values)
    if not changes and base is None:
        return Answer((note("It has no parent, and its state is empty: nothing to compare."),))
    nodes = (_title(request), *change_nodes(changes, request.width))
    return Answer(nodes, sum(approx_size(change.old) + approx_size(change.new) for change in changes))


def _title(request: Request) -> Node:
    """Say what is compared."""
    if request.base == request.key:
        return note("This is the marked checkpoint: go to another one to see the difference.")
    if request.base is not None:
        return note(f"against {request.against or request.base.checkpoint_id}, which is marked")
    if request.parent is not None:
        return note("against its parent")
    return note("It has no parent: everything is new.")


def change_nodes(changes: Sequence[Change], width: int) -> list[Node]:
    """Make a row of each channel that changed, with its changes below.

    Args:
        changes: From ``diff`` of two states.
        width: Cells of a row.

    Returns:
        At least one row: it says so when nothing changed.
    """
    summary = channel_summary(changes)
    by_channel: dict[str, list[Change]] = {name: [] for name in summary}
    for change in changes:
        by_channel[str(change.path[0])].append(change)
    return [_channel_node(name, found, summary[name], width) for name, found in by_channel.items()] or [
        note("no change")
    ]


def _channel_node(name: str, changes: Sequence[Change], summary: str, width: int) -> Node:
    if len(changes[0].path) == 1:
        return replace(_change_node((name,), name, changes[0], width), label=summary, open=True)
    path: Path = (name,)

    def rows(start: int, stop: int) -> list[Node]:
        return [
            _change_node((*path, index), _place(change.path[1:]), change, width)
            for index, change in enumerate(changes[start:stop], start)
        ]

    return Node(
        path,
        name,
        [change.new for change in changes],
        label="",
        text=summary,
        mark=CHANGED,
        unfold=lambda: ranged(path, len(changes), rows),
        open=True,
        find="",
    )


def _place(path: Sequence[object]) -> str:
    """Write a path inside a channel: ``[12].content``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def _change_node(path: Path, name: str, change: Change, width: int) -> Node:
    if change.op == "add":
        return replace(value_node(path, name, change.new, width), mark=ADDED)
    if change.op == "remove":
        return replace(value_node(path, name, change.old, width), mark=REMOVED)
    return _replaced(path, name, change.old, change.new, width)


def _replaced(path: Path, name: str, old: Value, new: Value, width: int) -> Node:
    """A value in place of another: on one row if they are short, texts by line, anything else one above the other."""
    node = Node(path, name, new, label="", mark=CHANGED, find="", open=True)
    before, after = preview(old, _SHORT), preview(new, _SHORT)
    if len(before) + len(after) < width - _NAMES and not before.endswith("…") and not after.endswith("…"):
        return replace(node, text=f"{before} → {after}", find=f"{before} {after}")
    if _has_lines(old, new):
        hunks = list(_hunks(line_diff(old, new)))
        added, removed = (sum(tag == sign for tag, _ in hunks) for sign in ("+", "-"))
        text = f"+{added} {REMOVED}{removed} line{'' if max(added, removed) == 1 else 's'}"
        return replace(node, text=text, unfold=lambda: _line_nodes(path, hunks, width))
    both = [
        replace(value_node((*path, "old"), "", old, width), mark=REMOVED),
        replace(value_node((*path, "new"), "", new, width), mark=ADDED),
    ]
    return replace(node, text="", unfold=lambda: both)


def _has_lines(old: Value, new: Value) -> bool:
    """Whether two values are texts worth a comparison by line."""
    texts = isinstance(old, str) and isinstance(new, str)
    return texts and len(old) + len(new) <= _COMPARED and ("\n" in old or "\n" in new)


def _hunks(lines: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield changed lines and a few around them; ``…`` with their number stands for the others."""
    if lines and lines[-1] == (" ", ""):
        lines = lines[:-1]  # both texts end with a newline
    near: set[int] = set()
    for index, (tag, _) in enumerate(lines):
        if tag != " ":
            near.update(range(index - _CONTEXT, index + _CONTEXT + 1))
    hidden = 0
    for index, line in enumerate(lines):
        if index not in near:
            hidden += 1
            continue
        if hidden:
            yield "…", f"{hidden:,} unchanged line{'' if hidden == 1 else 's'}"
            hidden = 0
        yield line
    if hidden:
        yield "…", f"{hidden:,} unchanged line{'' if hidden == 1 else 's'}"


def _line_nodes(path: Path, lines: Sequence[tuple[str, str]], width: int) -> Sequence[Node]:
    """Rows of a comparison by line; long lines take several."""

    def rows(start: int, stop: int) -> list[Node]:
        return [
            Node((*path, index, part), "", line, "", text, _TONES[tag], _SIGNS[tag], find=line if not part else "")
            for index, (tag, line) in enumerate(lines[start:stop], start)
            for part, text in enumerate(wrap(clean(line[:_LONGEST_LINE]), max(20, width - _INDENT)))
        ]

    return ranged(path, len(lines), rows)
