"""Messages that reach the app from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from backends.feed_events import Event


@dataclass
class FeedEvent(Message, bubble=False):
    """The feed, on its own thread, has something to say.

    Attributes:
        event: What it says; frozen.
    """

    event: Event
