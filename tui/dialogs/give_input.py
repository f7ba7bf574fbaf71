"""The input of a graph, to be written or changed."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from backends.control.schema import problems
from backends.graphs.drawing import Drawing

from ..forms.json_text import write_json
from ..forms.schema import shape_of_schema
from ..widgets.entry import Entry
from ..widgets.key_bar import KeyBar
from .one_entry import OneEntry


class GiveInput(OneEntry[tuple[Any] | None]):
    """Asks for an input; answers with it, or with ``None``.

    Args:
        drawing: The graph, which says what it takes.
        value: What stands there at first; JSON.
    """

    BINDING_GROUP_TITLE = "Input"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+o", "accept", "take it", id="input.accept", tooltip="Take this input"),
        Binding("ctrl+r", "turn", "form", id="input.form", tooltip="As a form, or as JSON"),
    ]

    def __init__(self, drawing: Drawing, value: Any) -> None:
        schema = drawing.input_schema
        super().__init__(
            Entry(
                shape_of_schema(schema),
                write_json(value),
                as_json=True,
                check=lambda given: problems(given, schema, partial=True),
            )
        )

    def compose(self) -> ComposeResult:
        """A frame with the text in it."""
        with Vertical(classes="dialog"):
            yield Static("Input of the runs that are crashed", classes="dialog-title", markup=False)
            yield self._entry
            yield KeyBar()

    def on_mount(self) -> None:
        """Make room to write."""
        self.query_one(".dialog").styles.height = 20

    def answer(self, value: Any) -> tuple[Any] | None:
        """The value, in a tuple since it may be ``None`` itself."""
        return (value,)
