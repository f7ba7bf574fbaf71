"""A value out of an outline: in the pager, and in the clipboard."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Final

from backends.outline import Node
from backends.present import approx_size, to_json
from backends.values import Value

from .words import size

if TYPE_CHECKING:
    from .app import LgtopApp

_MOST_COPIED: Final = 1_000_000
"""Bytes that a clipboard takes, by OSC 52 or through a tool."""

_MOST_READ: Final = 20_000_000
"""Bytes of a value that are written out as JSON; a text may be longer."""


def as_text(value: Value) -> str:
    """What is copied or paged of a value: a text as it is, anything else as JSON.

    Args:
        value: Any decoded value; secrets stay masked.

    Returns:
        Text that UTF-8 can hold; not cleaned.
    """
    text = value if isinstance(value, str) else json.dumps(to_json(value), ensure_ascii=False, indent=2)
    return text.encode("utf-8", "replace").decode()


async def read(app: LgtopApp, node: Node) -> None:
    """Show a value in the pager, or say why not."""
    from .screens.pager import Pager

    length = approx_size(node.value)
    if not isinstance(node.value, str) and length > _MOST_READ:
        app.notify(f"Too long to read at once ({size(length)}): unfold it, or use lgtop show --json.")
    else:
        app.push_screen(Pager(node.name, await asyncio.to_thread(as_text, node.value)))


async def copy(app: LgtopApp, node: Node) -> None:
    """Copy a value, or say why not."""
    length = approx_size(node.value)
    if length > _MOST_COPIED:
        app.notify(f"Not copied: {size(length)} is more than a clipboard takes. Use lgtop show --json.")
    else:
        text = await asyncio.to_thread(as_text, node.value)
        app.copy(text, f"{node.name or 'value'} ({size(len(text))})")
