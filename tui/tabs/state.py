"""State: every channel with its type and size, as an outline of its value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from backends.channels import START
from backends.messages import is_message
from backends.outline import Node, Tone
from backends.present import preview, type_label
from backends.reader import Reader
from backends.unfold import value_node
from backends.values import DeltaValue, Value

from ..words import size
from .request import Answer, Request, note
from .states import States

_OPEN = 12
"""Children that a channel unfolds by itself."""


def load(reader: Reader, request: Request, states: States) -> Answer:
    """Read the state of a checkpoint.

    Raises:
        NotFound: It is not in the store any more.
        StoreError: The store cannot be read.
    """
    state = states.of(reader, request.key)
    if state.problem is not None:
        return Answer((note(f"✖ {state.problem}", Tone.FAILED),))
    if not state.values and state.given:
        given = value_node((START,), START, state.given[START], request.width)
        return Answer(
            (note("No channel holds a value yet; the first step takes this input:"), replace(given, open=True)),
            state.size,
        )
    if not state.values:
        return Answer((note("The state is empty: no channel holds a value here."),))
    return Answer(tuple(channel_nodes(state.values, state.sizes, request.width)), state.size)


def channel_nodes(values: Mapping[str, Value], sizes: Mapping[str, int], width: int) -> list[Node]:
    """Make a row of each channel.

    Args:
        values: Channel values, untrusted; those of a DeltaChannel as ``DeltaValue``.
        sizes: Bytes by channel.
        width: Cells of a row.
    """
    return [_channel_node(name, value, sizes[name], width) for name, value in values.items()]


def _channel_node(name: str, value: Value, count: int, width: int) -> Node:
    node = value_node((name,), name, value, width)
    label = f"{_kind(value)} · {size(count)}"
    if node.tone is Tone.SPEAKER:
        return replace(node, label=label, text=preview(value), tone=Tone.PLAIN)
    inside = len(value) if isinstance(value, list | dict) else 0
    text = f"… {preview(value[-1])}" if inside > 1 and isinstance(value, list) and is_message(value[-1]) else None
    return replace(node, label=label, text=text, open=0 < inside <= _OPEN)


def _kind(value: Value) -> str:
    """Type of a channel; a DeltaChannel says what its value would be folded from."""
    if not isinstance(value, DeltaValue):
        return type_label(value)
    count = len(value.writes)
    parts = ["seed"] if value.has_seed else []
    if count or not parts:
        parts.append(f"{count} delta{'' if count == 1 else 's'}")
    return " + ".join(parts) + ("" if value.complete else ", ancestors missing")
