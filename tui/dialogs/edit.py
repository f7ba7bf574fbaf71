"""Another state for a thread: which channels, in whose name, and what that leads to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final, cast

from rich.cells import cell_len
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Static, TextArea

from backends.control.plan import Intent
from backends.graphs.drawing import Drawing
from backends.text import one_line

from ..editor import edit
from ..forms.draft import WHOLE, Draft
from ..forms.json_text import MOST_TYPED, JsonError
from ..verbs.carry import carry_out
from ..widgets.entry import EntryNote
from ..widgets.json_area import JsonArea
from ..widgets.key_bar import KeyBar
from ..widgets.picker import Picker
from ..words import short_id, size
from .modal import Modal

if TYPE_CHECKING:
    from backends.runs.spec import GraphRef

    from ..app import LgtopApp

_ALL: Final = "whole state"
_INNER: Final = ("__start__", "__end__")
"""Names in a drawing that are no nodes."""

_WIDEST: Final = 120
"""Cells of the frame at most."""

_SIDES: Final = 6
"""Cells beside its title."""

_SHORTEST: Final = 9
"""Cells that the id of a thread gets where there is no room."""


def heading(what: str, thread_id: str, checkpoint_id: str, columns: int) -> str:
    """A title for a terminal of so many columns; the thread's id gives way, so that the checkpoint can be read."""
    where = f" · checkpoint {checkpoint_id[:18]}…" if checkpoint_id else ""
    room = min(columns, _WIDEST) - _SIDES - cell_len(f"{what} · {where}")
    return f"{what} · {short_id(one_line(thread_id), max(room, _SHORTEST))}{where}"


class Edit(Modal[bool]):
    """Edits a state, shows what that would do, and does it; answers with whether it did.

    Args:
        title: What is edited; untrusted.
        intent: What is done with it: values, ``replace`` and ``as_node`` are filled in here.
        draft: The state.
        graph: The thread's graph.
        drawing: What the graph, or the subgraph that the checkpoint belongs to, looks like.
    """

    AUTO_FOCUS = "#edit-channel"
    BINDING_GROUP_TITLE = "Edit"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+o", "accept", "go on", id="edit.accept", tooltip="See what it does"),
        Binding("ctrl+t", "editor", "editor", id="edit.editor", tooltip="Write it in $EDITOR"),
        Binding("tab", "app.focus_next", "next", key_display="⇥", id="edit.tab", tooltip="Go to the next part"),
    ]

    def __init__(self, title: str, intent: Intent, draft: Draft, graph: GraphRef, drawing: Drawing) -> None:
        super().__init__()
        self._heading = one_line(title, _WIDEST)
        self._intent = intent
        self._draft = draft
        self._graph = graph
        nodes = [node.name for node in drawing.nodes if node.name not in _INNER]
        self._channels = Picker([_ALL, *draft.channels], _ALL)
        self._channels.id = "edit-channel"
        self._writers = Picker(nodes, notes=[consequence(drawing, node) for node in nodes])
        self._writers.id = "edit-as"
        self._shown = WHOLE

    def compose(self) -> ComposeResult:
        """A frame with the channel, its value, and in whose name it is written."""
        with Vertical(classes="dialog"):
            yield Static(self._heading, classes="dialog-title", markup=False)
            yield Horizontal(Static("channel  "), self._channels, classes="dialog-line dialog-gap")
            yield JsonArea()
            yield Horizontal(Static("as node  "), self._writers, classes="dialog-line dialog-space")
            yield EntryNote()
            yield KeyBar()

    @property
    def area(self) -> JsonArea:
        """The value as text."""
        return self.query_one(JsonArea)

    def on_mount(self) -> None:
        """Show the whole state."""
        self._show(WHOLE)

    # Which channel

    def _show(self, channel: str) -> None:
        """Show a channel; one that is too long for the text area is left to the editor."""
        self._shown = channel
        text = self._draft.text(channel)
        long = len(text) > MOST_TYPED
        self.area.read_only = long
        self.area.load_text(f"{size(len(text))} of JSON: ctrl+t opens it in an editor" if long else text)
        self._say()

    @on(Picker.Changed, "#edit-channel")
    def _picked(self, event: Picker.Changed) -> None:
        """Keep what was written, and show another channel; stay where it is no JSON."""
        event.stop()
        wanted = WHOLE if event.picker.value == _ALL else event.picker.value
        if wanted == self._shown:
            return
        if self._keep():
            self._show(wanted)
        else:
            with self.prevent(Picker.Changed):
                event.picker.value = self._shown or _ALL

    def _keep(self) -> bool:
        """Take what is written into the draft; False where it is no JSON, with the cursor on the mistake."""
        if self.area.read_only:
            return True
        try:
            self._draft.take(self.area.text, self._shown)
        except JsonError as error:
            self.query_one(EntryNote).say(error.reason, wrong=True)
            self.area.focus()
            self.area.move_cursor((error.line, error.column))
            return False
        return True

    @on(TextArea.Changed)
    @on(Picker.Changed, "#edit-as")
    def _say(self) -> None:
        """Say what was changed so far, and what cannot be."""
        changed = ", ".join(self._draft.changed)
        fixed = ", ".join(f"{name} {reason}" for name, reason in self._draft.locked.items())
        said = [f"changed: {changed}" if changed else "", f"not to be edited: {fixed}" if fixed else ""]
        self.query_one(EntryNote).say("   ".join(filter(None, said)))

    # The end

    def action_editor(self) -> None:
        """Write the value in an editor."""
        if not self._keep():
            return
        if (text := edit(cast("LgtopApp", self.app), self._draft.text(self._shown))) is None:
            return
        try:
            self._draft.take(text, self._shown)
        except JsonError as error:
            self.area.read_only = False
            self.area.load_text(text[:MOST_TYPED])
            self.call_after_refresh(self.query_one(EntryNote).say, error.reason, wrong=True)
        else:
            self._show(self._shown)

    def action_accept(self) -> None:
        """Go on, once."""
        if not self.is_busy("accept"):
            self._accept()

    @work(group="accept", exit_on_error=False)
    async def _accept(self) -> None:
        """Show what the edit would do, and do it if the person wants it."""
        if not self._keep():
            return
        changed = self._draft.changed
        note = self.query_one(EntryNote)
        if not changed:
            note.say("nothing was changed", wrong=True)
        elif not self._writers.value:
            note.say("choose the node in whose name it is written: its edges decide what comes next", wrong=True)
            self._writers.focus()
        else:
            intent = replace(self._intent, values=changed, replace=tuple(changed), as_node=self._writers.value)
            if await carry_out(cast("LgtopApp", self.app), intent, self._graph):
                self.dismiss(True)

    @on(Picker.Submitted)
    def _submitted(self, event: Picker.Submitted) -> None:
        event.stop()
        self.action_accept()


def consequence(drawing: Drawing, node: str) -> str:
    """What comes next where something is written in a node's name; safe."""
    following = drawing.next_after.get(node, ())
    if following is None:
        return "next: as its router decides"
    names = [one_line(name, 24) for name in following if name != "__end__"]
    return f"next: {', '.join(names)}" if names else "next: nothing, the thread is done"


def drawing_at(drawing: Drawing, ns: str) -> Drawing:
    """The drawing of the subgraph that a checkpoint namespace belongs to; the whole one where it is not known.

    Args:
        drawing: The graph.
        ns: ``node:task_id``, levels joined by ``|`` (``langgraph/constants.py``, ``NS_SEP``).
    """
    for level in filter(None, ns.split("|")):
        name = level.split(":", 1)[0]
        inner = next((node.subgraph for node in drawing.nodes if node.name == name), None)
        drawing = inner or drawing
    return drawing
