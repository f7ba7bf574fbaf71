"""The events of a run, a line each; new ones come at the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType

from backends.runs.events import Event, Kind

from ..run_events import Said, clock, say
from .lines import Lines
from .one_line import clip, fit

_MOST: Final = 100_000
"""Events that are kept; the oldest are dropped first."""

_SUBJECT: Final = 18
"""Cells of what a line is about, where the list is wide; half as many more where it is very wide."""

_SILENT: Final = (Kind.HEARTBEAT, Kind.GRAPH)
"""Kinds that say nothing to a person."""


class EventLines(Lines):
    """The list. While the cursor is on the last line it stays there, whatever is added.

    Attributes:
        dropped: Events that were forgotten because there are too many.
        logs: Whether lines that the user's code printed or logged are shown.
    """

    DEFAULT_CSS = "EventLines { overflow-y: scroll; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "activate", "read", key_display="↵", id="lines.activate", tooltip="Read the whole event"),
        Binding("G,end", "last", "End", show=False, id="lines.last", tooltip="Go to the last line, and stay there"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.dropped = 0
        self.logs = True
        self._events: list[Event] = []
        self._shown: list[Event] = []
        self._began: dict[str, float] = {}

    @property
    def total(self) -> int:
        """Events that there have been, but those that say nothing."""
        return self.dropped + len(self._events)

    @property
    def selected(self) -> Event | None:
        """The event under the cursor."""
        return self._shown[self.cursor] if self.cursor < len(self._shown) else None

    @property
    def at_end(self) -> bool:
        """Whether new lines take the cursor with them."""
        return self.cursor >= len(self._shown) - 1

    def add(self, events: Sequence[Event]) -> None:
        """Take events in."""
        stay = self.at_end
        for event in events:
            if event.kind is Kind.TASK and event.data.get("phase") == "start":
                self._began[str(event.data.get("id"))] = event.t
        fresh = [event for event in events if event.kind not in _SILENT]
        self._events += fresh
        self._shown += [event for event in fresh if self._wanted(event)]
        forgotten = self._forget()
        self.rows_changed(len(self._shown) - 1 if stay else max(0, self.cursor - forgotten))

    def show_logs(self, shown: bool) -> None:
        """Show or hide what the user's code printed or logged; the cursor stays on its event, or near it."""
        here, stay = self.selected, self.at_end
        self.logs = shown
        self._shown = [event for event in self._events if self._wanted(event)]
        row = next((y for y, event in enumerate(self._shown) if here is not None and event.t >= here.t), 0)
        self.rows_changed(len(self._shown) - 1 if stay else row)

    def text_of(self, event: Event) -> str:
        """What is said about an event."""
        said = say(event, self._began)
        return f"{said.subject} {said.text}" if said is not None else ""

    def find(self, start: int, step: int) -> int | None:
        """The next line that the pattern matches, round the end.

        Args:
            start: The line to begin after.
            step: 1 or -1.
        """
        count = len(self._shown)
        if self.pattern is None or not count:
            return None
        rows = ((start + step * number) % count for number in range(1, count + 1))
        return next((row for row in rows if self.pattern.search(self.text_of(self._shown[row]))), None)

    def _wanted(self, event: Event) -> bool:
        return self.logs or event.kind is not Kind.LOG

    def _forget(self) -> int:
        """Drop the oldest events where there are too many; how many lines went."""
        many = len(self._events) - _MOST
        if many < _MOST // 10:
            return 0
        gone = self._events[:many]
        lines = sum(map(self._wanted, gone))
        del self._events[:many], self._shown[:lines]
        self.dropped += many
        return lines

    # Drawing

    @property
    def line_count(self) -> int:
        """Number of lines."""
        return len(self._shown)

    def render_row(self, y: int, width: int, selected: bool) -> list[Segment]:
        """Draw an event."""
        event = self._shown[y]
        said = say(event, self._began) or Said("?", "dim", str(event.kind), "")
        subject = min(_SUBJECT * 3 // 2 if width > 100 else _SUBJECT, max(6, width // 5))
        quiet = self.ink("dim") if said.calm and not selected else Style.null()
        segments = [
            Segment("▌" if selected else " ", self.ink("accent")),
            Segment(f"{clock(event.t)}  " if width >= 60 else "", self.ink("dim")),
            Segment(f"{said.sign} ", self.ink(said.look)),
            Segment(f"{fit(said.subject, subject)}  ", self.ink("dim") if said.calm else self.ink("strong")),
        ]
        room = width - sum(cell_len(segment.text) for segment in segments)
        return [*segments, Segment(clip(said.text, room), quiet)]
