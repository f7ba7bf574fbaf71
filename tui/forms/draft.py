"""A state as JSON that a person may change, channel by channel or as a whole."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from .json_text import JsonError, read_json, write_json, write_line

WHOLE: Final = ""
"""Stands for the whole state instead of a channel."""

_LOST: Final = {
    "$secret": "holds a secret, which is not shown",
    "$encrypted": "holds encrypted values",
    "$undecodable": "holds values that cannot be read",
    "$delta": "is kept as changes; only the graph can put it together",
    "$deep": "is nested too deeply to be shown whole",
}
"""Forms of ``present.to_json`` that do not say what the value is; writing them back would destroy it."""


def locked(value: Any) -> str:
    """Say why a channel cannot be edited: part of its value is not in its JSON; empty where it can.

    Args:
        value: What ``present.to_json`` made of it.
    """
    rest = [value]
    while rest:
        match rest.pop():
            case dict() as mapping:
                if reason := next((why for key, why in _LOST.items() if key in mapping), ""):
                    return reason
                rest.extend(mapping.values())
            case list() as items:
                rest.extend(items)
    return ""


class Draft:
    """A state, and what was changed of it.

    Args:
        state: JSON by channel.
        channels: Channels that may be added; those of the state always may be changed.

    Attributes:
        locked: Channels that cannot be edited, with the reason.
    """

    def __init__(self, state: Mapping[str, Any], channels: Collection[str] = ()) -> None:
        reasons = {name: locked(value) for name, value in state.items()}
        self.locked = {name: reason for name, reason in reasons.items() if reason}
        self._first = {name: value for name, value in state.items() if name not in self.locked}
        self._now = dict(self._first)
        self._known = {*state, *channels}

    @property
    def channels(self) -> tuple[str, ...]:
        """Channels that can be edited."""
        return tuple(self._now)

    def text(self, channel: str = WHOLE) -> str:
        """The present value of a channel, or the whole state, as JSON."""
        return write_json(self._now if channel == WHOLE else self._now[channel])

    def take(self, text: str, channel: str = WHOLE) -> None:
        """Take over a text.

        Raises:
            JsonError: It is no JSON, or no state.
        """
        value = read_json(text)
        if channel == WHOLE:
            self._now = self._state(value)
        else:
            self._now[channel] = value

    def _state(self, value: Any) -> dict[str, Any]:
        """Check a whole state: a channel can get another value, but never go."""
        if not isinstance(value, dict):
            raise JsonError("the whole state is a mapping of channels: {…}")
        if gone := [name for name in self._now if name not in value]:
            raise JsonError(f"{', '.join(gone)}: a channel cannot be taken away; give it another value")
        if hidden := [name for name in value if name in self.locked]:
            raise JsonError(f"{hidden[0]} {self.locked[hidden[0]]}")
        if new := [name for name in value if name not in self._known]:
            raise JsonError(f"the graph has no channel {', '.join(new)}")
        return value

    @property
    def changed(self) -> dict[str, Any]:
        """The channels that have another value now, with that value."""
        return {
            name: value
            for name, value in self._now.items()
            if name not in self._first or write_line(value) != write_line(self._first[name])
        }
