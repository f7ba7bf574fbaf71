"""Every key that works on the present screen, in groups, and what its signs mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widgets import Static

from backends.wrap import wrap

from ..widgets.lines import Lines
from ..widgets.one_line import fit
from .modal import Modal

_LAST: Final = (Lines.BINDING_GROUP_TITLE, "Everywhere")
"""Groups that are the same on every screen come last."""

_INDENT: Final = 3
_GAP: Final = 3
"""Cells before the keys, and behind the longest."""

_LEAST: Final = 20
"""Cells that a text gets however narrow the terminal is."""


@dataclass(slots=True)
class Group:
    """Keys that belong together.

    Attributes:
        title: What they are for.
        keys: Keys as shown, and what they do; or signs, and what they mean.
    """

    title: str
    keys: list[tuple[str, str]] = field(default_factory=list)


def groups_of(screen: Screen[object]) -> list[Group]:
    """The bindings of a screen that are active now, keys of one action on one line; then the signs of its lists.

    Bindings without an id are Textual's own and left out.
    """
    groups: dict[str, dict[str, tuple[list[str], str]]] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if binding.id is None:
            continue
        title = _title(active.node, binding)
        keys, _ = groups.setdefault(title, {}).setdefault(binding.action, ([], binding.tooltip or binding.description))
        keys.append(screen.app.get_key_display(binding))
    found = [
        Group(title, [(" ".join(dict.fromkeys(keys)), text) for keys, text in actions.values()])
        for title, actions in groups.items()
    ]
    signs = dict.fromkeys(sign for lines in screen.query(Lines) if _in_sight(lines) for sign in lines.LEGEND)
    if signs:
        found.append(Group("Signs", list(signs)))
    return sorted(found, key=lambda group: _LAST.index(group.title) if group.title in _LAST else -1)


def _in_sight(node: DOMNode) -> bool:
    """Whether a widget and all that it stands in are shown."""
    return all(above.display for above in node.ancestors_with_self)


def _title(node: object, binding: Binding) -> str:
    """What a binding is for: moving, this screen, or everywhere."""
    if binding.id and binding.id.startswith("lines."):
        return Lines.BINDING_GROUP_TITLE
    if isinstance(node, App):
        return "Everywhere"
    return getattr(node, "BINDING_GROUP_TITLE", None) or "Here"


class HelpLines(Lines):
    """The groups as rows."""

    DEFAULT_CSS = """
    HelpLines {
        background: $surface;
    }
    """

    def __init__(self, groups: Sequence[Group]) -> None:
        super().__init__()
        self._groups = groups
        self._keys = max((cell_len(key) for group in groups for key, _ in group.keys), default=0)
        self._rows: list[tuple[str, str]] = []

    def on_resize(self) -> None:
        """Break what the keys do to the width."""
        room = max(_LEAST, self.view.width - _INDENT - self._keys - _GAP)
        self._rows = []
        for group in self._groups:
            self._rows += [("", ""), ("", group.title)] if self._rows else [("", group.title)]
            for key, text in group.keys:
                first, *more = wrap(text, room)
                self._rows += [(key or " ", first), *((" ", line) for line in more)]
        super().on_resize()

    @property
    def line_count(self) -> int:
        """Titles, keys and the empty lines between groups."""
        return len(self._rows)

    def render_row(self, y: int, width: int, selected: bool) -> list[Segment]:
        """Draw a title or a key."""
        key, text = self._rows[y]
        if not key:
            return [Segment(f" {text}", self.ink("bold dim"))]
        indent = " " * _INDENT
        return [Segment(f"{indent}{fit(key, self._keys + _GAP)}", self.ink("accent")), Segment(text, Style.null())]


class Help(Modal[None]):
    """The keys of a screen.

    Args:
        groups: What ``groups_of`` found before this dialog was opened.
        heading: What the screen is called.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,question_mark", "close", show=False, id="help.close", tooltip="Close"),
    ]

    def __init__(self, groups: Sequence[Group], heading: str) -> None:
        super().__init__()
        self._groups = groups
        self._heading = heading

    def compose(self) -> ComposeResult:
        """A frame with the keys in it."""
        with Vertical(classes="dialog"):
            yield Static(self._heading, classes="dialog-title", markup=False)
            yield HelpLines(self._groups)
            yield Static("j k to scroll   esc close   Shift+drag selects text in most terminals", classes="dialog-hint")
