"""Keys that are dimmed where they cannot do anything, and say why when they are pressed."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual import events
from textual.screen import Screen

if TYPE_CHECKING:
    from ..app import LgtopApp


class DimmedKeys(Screen[None]):
    """A screen some of whose keys depend on what is under the cursor.

    A subclass says in ``why_not`` what stands in the way of an action, and calls ``refresh_bindings`` when that may be
    something else.
    """

    @property
    def lgtop(self) -> LgtopApp:
        """The app."""
        return cast("LgtopApp", self.app)

    def why_not(self, action: str) -> str:
        """Say why an action cannot be done here and now; empty where it can."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What cannot be done is dimmed."""
        return None if self.why_not(action) else super().check_action(action, parameters)

    def on_key(self, event: events.Key) -> None:
        """Say why a dimmed key does nothing."""
        active = self.active_bindings.get(event.key)
        if active is not None and active.node is self and not active.enabled:
            event.stop()
            self.app.notify(self.why_not(active.binding.action.partition("(")[0]), severity="warning")
