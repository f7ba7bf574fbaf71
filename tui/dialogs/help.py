"""Every key that works on the present screen, in groups, and what its signs mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widgets import Static

from ..widgets.lines import Lines
from .modal import Modal

_LAST: Final = (Lines.BINDING_GROUP_TITLE, "Everywhere")
"""Groups that are the same on every screen come last."""


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
        self._rows: list[tuple[str, str]] = []
        for group in groups:
            self._rows += [("", ""), ("", group.title)] if self._rows else [("", group.title)]
            self._rows += group.keys

    @property
    def line_count(self) -> int:
        """Titles, keys and the empty lines between groups."""
        return len(self._rows)

    def render_row(self, y: int, width: int, selected: bool) -> list[Segment]:
        """Draw a title or a key."""
        key, text = self._rows[y]
        if not key:
            return [Segment(f" {text}", self.ink("bold dim"))]
        return [Segment(f"   {key:<16} ", self.ink("accent")), Segment(text, Style.null())]


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
