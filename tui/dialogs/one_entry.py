"""A dialog with one thing to fill in: a form where there is one, or JSON."""

from __future__ import annotations

from typing import Any

from ..forms.field import FieldError
from ..widgets.entry import Entry
from .modal import Modal, T


class OneEntry(Modal[T]):
    """Answers with what ``answer`` makes of the value, or with ``None``; a subclass lays it out.

    Args:
        entry: Where it is filled in.
    """

    AUTO_FOCUS = ""  # the entry knows where to begin

    def __init__(self, entry: Entry) -> None:
        super().__init__()
        self._entry = entry

    def on_mount(self) -> None:
        """Begin to fill in."""
        self._entry.enter()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A form, where there is one."""
        return self._entry.has_form if action == "turn" else super().check_action(action, parameters)

    def action_turn(self) -> None:
        """As a form, or as JSON."""
        self._entry.turn()

    def answer(self, value: Any) -> T:
        """What the dialog answers with."""
        raise NotImplementedError

    async def action_accept(self) -> None:
        """Answer, unless something is wrong with it."""
        try:
            value = await self._entry.value()
        except FieldError:
            return
        self.dismiss(self.answer(value))

    async def on_entry_submitted(self, event: Entry.Submitted) -> None:
        """Enter in the last field."""
        event.stop()
        await self.action_accept()
