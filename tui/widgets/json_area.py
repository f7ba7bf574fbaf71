"""A text area for JSON."""

from __future__ import annotations

import asyncio
from typing import Any

from textual.reactive import reactive
from textual.widgets import TextArea

from ..forms.json_text import JsonError, read_json_or_file


class JsonArea(TextArea):
    """Edits JSON as text; without a grammar, because Textual's parser may take the process down with it.

    Args:
        text: What stands in it at first.
    """

    DEFAULT_CSS = """
    JsonArea, JsonArea:focus {
        height: 1fr;
        border: none;
        padding: 0 1;
        background: $boost;
        scrollbar-size-vertical: 1;
        & .text-area--cursor-line { background: $boost; }
    }
    """

    cursor_blink = reactive(False, init=False)

    def __init__(self, text: str = "") -> None:
        super().__init__(text, soft_wrap=True, tab_behavior="focus", show_line_numbers=False)

    async def value(self) -> Any:
        """The value that the text stands for, or that of the file that it names with ``@path``.

        Raises:
            JsonError: It is none; the cursor stands where it ends to be JSON.
        """
        try:
            return await asyncio.to_thread(read_json_or_file, self.text)
        except JsonError as error:
            self.focus()
            if not self.text.lstrip().startswith("@"):
                self.move_cursor((error.line, error.column))
            raise
