"""How much of the history is to stay?"""

from __future__ import annotations

from typing import Any, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from backends.errors import QueryError
from backends.maintenance.policy import Policy
from backends.query_parse import seconds
from backends.text import one_line

from ..forms.schema import shape_of_schema
from ..widgets.entry import Entry
from ..widgets.key_bar import KeyBar
from .one_entry import OneEntry

_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        "keep": {
            "type": "integer",
            "default": 10,
            "description": "checkpoints of each branch that stay, the newest; its tip always does",
        },
        "older than": {"type": "string", "description": "only what is older may go: 30d, 12h, 90m; empty for any age"},
        "finished": {"type": "boolean", "default": True, "description": "only threads with nothing left to do"},
    },
    "required": ["keep", "finished"],
}

_CHROME: Final = 6
"""Lines of the frame, its title and its keys."""


class BulkPrune(OneEntry[Policy | None]):
    """Asks for a policy; answers with it, or with ``None``.

    Args:
        title: What is pruned; untrusted.
    """

    BINDING_GROUP_TITLE = "Prune"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+o", "accept", "go on", id="prune.accept", tooltip="See what would go"),
    ]

    def __init__(self, title: str) -> None:
        super().__init__(Entry(shape_of_schema(_SCHEMA), check=lambda given: _wrong(given)))
        self._heading = one_line(title, 100)

    def compose(self) -> ComposeResult:
        """A frame with the fields in it."""
        with Vertical(classes="dialog bulk-dialog"):
            yield Static(self._heading, classes="dialog-title", markup=False)
            yield self._entry
            yield KeyBar()

    def on_mount(self) -> None:
        """Make the frame as high as the fields."""
        self.query_one(".dialog").styles.height = self._entry.lines + _CHROME

    def answer(self, value: Any) -> Policy | None:
        """The policy that the fields make."""
        return policy_of(value)


def policy_of(given: dict[str, Any]) -> Policy:
    """The policy that the fields make.

    Raises:
        QueryError: The age cannot be understood.
    """
    age = given.get("older than", "").strip()
    return Policy(given.get("keep", 1), seconds(age, 0) if age else None, given.get("finished", True))


def _wrong(given: dict[str, Any]) -> list[str]:
    """What is wrong with the fields."""
    if given.get("keep", 1) < 1:
        return ["at least one checkpoint of each branch stays"]
    try:
        policy_of(given)
    except QueryError as error:
        return [error.reason]
    return []
