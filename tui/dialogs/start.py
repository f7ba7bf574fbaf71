"""A new run: which graph, on which thread, with what input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static

from backends.control.names import propose_thread_id
from backends.control.plan import Intent
from backends.control.schema import problems
from backends.errors import StoreError
from backends.reader import Reader
from backends.runs.spec import GraphRef, Verb
from backends.text import one_line

from ..editor import edit
from ..forms.field import FieldError, Kind
from ..forms.json_text import write_json
from ..forms.schema import example, shape_of_schema
from ..verbs.carry import carry_out, complain, drawing_for
from ..widgets.entry import Entry
from ..widgets.form import FieldInput
from ..widgets.key_bar import KeyBar
from ..widgets.picker import Picker
from .modal import Modal

if TYPE_CHECKING:
    from backends.graphs.drawing import Drawing

    from ..app import LgtopApp

_CHROME: Final = 12
"""Lines of the frame, its title, graph, thread, keys, and the gaps between them."""


class Start(Modal[bool]):
    """Asks for graph, thread and input, shows what that would do, and starts it; answers with whether it did.

    Args:
        graphs: Graphs to choose from, the likeliest first; at least one.
        thread_id: A thread to go on with; empty proposes a new one.
    """

    AUTO_FOCUS = ""  # where to begin is known once the graph has been looked at
    BINDING_GROUP_TITLE = "Start"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+o", "accept", "go on", id="start.accept", tooltip="See what it does"),
        Binding("ctrl+r", "turn", "JSON", id="start.json", tooltip="As JSON, or as a form"),
        Binding("ctrl+t", "editor", "editor", id="start.editor", tooltip="Write it in $EDITOR"),
        Binding("tab", "app.focus_next", "next", key_display="⇥", id="start.tab", tooltip="Go to the next field"),
    ]

    def __init__(self, graphs: Sequence[GraphRef], thread_id: str = "") -> None:
        super().__init__()
        self._graphs = {f"{graph.name}": graph for graph in reversed(graphs)}
        names = [graph.name for graph in graphs]
        notes = [one_line(graph.target, 60) if graph.target != graph.name else "" for graph in graphs]
        self._picker = Picker(list(dict.fromkeys(names)), names[0], notes)
        self._asked = thread_id
        self._line = FieldInput(thread_id, select_on_focus=False)

    def compose(self) -> ComposeResult:
        """A frame with the three."""
        with Vertical(classes="dialog"):
            yield Static("Start a run", classes="dialog-title", markup=False)
            yield Horizontal(Static("graph    "), self._picker, classes="dialog-line dialog-gap")
            yield Horizontal(Static("thread   "), self._line, classes="dialog-line dialog-gap")
            yield Static("reading what the graph takes…", id="start-input", classes="dialog-hint", markup=False)
            yield Vertical(id="start-place")
            yield KeyBar()

    def on_mount(self) -> None:
        """Find out what the graph takes."""
        self._read()

    @property
    def graph(self) -> GraphRef:
        """The chosen graph."""
        return self._graphs[self._picker.value]

    @property
    def entry(self) -> Entry | None:
        """Where the input is filled in; ``None`` while the graph is looked at."""
        return next(iter(self.query(Entry)), None)

    # The graph

    @on(Picker.Changed)
    def _picked(self, event: Picker.Changed) -> None:
        event.stop()
        if event.picker is self._picker:
            self._read()

    @work(exclusive=True, group="graph", exit_on_error=False)
    async def _read(self) -> None:
        """Have the graph drawn, and offer what it takes."""
        app, graph = cast("LgtopApp", self.app), self.graph
        if not self._asked:
            self._line.value = propose_thread_id(graph.name, app.index.rows)
        said = self.query_one("#start-input", Static)
        said.update("reading what the graph takes…")
        place = self.query_one("#start-place")
        await place.remove_children()
        drawing = await drawing_for(app, graph)
        said.update(
            "input" if drawing is not None else "input: the graph cannot be loaded, so it is not known what it takes"
        )
        entry = entry_for(drawing)
        await place.mount(entry)
        self._fit()
        if self.focused is None:
            self.call_after_refresh(entry.enter)
        self.refresh_bindings()

    def on_resize(self) -> None:
        """Make the frame as high as what is in it."""
        self._fit()

    def _fit(self) -> None:
        lines = self.entry.lines if self.entry is not None else 0
        self.query_one(".dialog").styles.height = min(self.size.height, _CHROME + lines)

    # What was filled in

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What cannot be done before the graph has been looked at."""
        if action == "turn":
            return self.entry is not None and self.entry.has_form
        if action in ("editor", "accept"):
            return True if self.entry is not None else None
        return super().check_action(action, parameters)

    def action_turn(self) -> None:
        """Fill it in as JSON, or as a form again."""
        if self.entry is not None:
            self.entry.turn()
            self._fit()

    def action_editor(self) -> None:
        """Write the input in an editor."""
        if (entry := self.entry) is not None and (text := edit(cast("LgtopApp", self.app), entry.text)) is not None:
            entry.take(text)
            self._fit()

    @on(Entry.Submitted)
    @on(Picker.Submitted)
    @on(Input.Submitted)
    def _submitted(self, event: Entry.Submitted | Picker.Submitted | Input.Submitted) -> None:
        event.stop()
        self.action_accept()

    def action_accept(self) -> None:
        """Go on, once."""
        if not self.is_busy("accept"):
            self._accept()

    @work(group="accept", exit_on_error=False)
    async def _accept(self) -> None:
        """Show what the run would do, and start it if the person wants it."""
        entry, thread_id = self.entry, self._line.value.strip()
        if entry is None:
            return
        if not thread_id:
            entry.wrong("thread: an id is needed")
            self._line.focus()
            return
        app = cast("LgtopApp", self.app)
        try:
            value = await entry.value()
            head = await app.store_thread.run(lambda reader: head_of(reader, thread_id))
        except FieldError:
            return
        except StoreError as error:
            complain(app, error)
            return
        intent = Intent(Verb.START.value, thread_id, seen_head=head, input=value)
        if await carry_out(app, intent, self.graph):
            app.control.remember(thread_id, self.graph)
            self.dismiss(True)


def head_of(reader: Reader, thread_id: str) -> str | None:
    """Root head of a thread; empty where there is no such thread, ``None`` where it has no root namespace."""
    head = reader.store.heads_of([thread_id]).get(thread_id)
    return "" if head is None else None if head.ns else head.checkpoint_id


def entry_for(drawing: Drawing | None) -> Entry:
    """What the input is filled in with: a form where all of it is simple, JSON to begin with otherwise."""
    schema = drawing.input_schema if drawing is not None else None
    shape = shape_of_schema(schema)
    simple = shape is not None and all(field.kind is not Kind.JSON for field in shape.fields)
    return Entry(
        shape,
        write_json(example(schema)),
        as_json=not simple,
        check=lambda value: problems(value, schema, partial=True),
    )
