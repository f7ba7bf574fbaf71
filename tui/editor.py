"""A text in the person's own editor, while the app stands aside."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from textual.app import SuspendNotSupported

if TYPE_CHECKING:
    from .app import LgtopApp

_FALLBACK: Final = "vi"


def editor_command() -> list[str]:
    """The words that start the person's editor: ``$VISUAL``, then ``$EDITOR``, then vi."""
    return shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or _FALLBACK)


def edit(app: LgtopApp, text: str, suffix: str = ".json") -> str | None:
    """Have a text edited; returns when the editor has ended.

    The event loop stands still meanwhile, as the terminal belongs to the editor. The file can be read by nobody else,
    and is gone afterwards.

    Args:
        app: The app.
        text: What to edit.
        suffix: End of the file's name, by which editors choose their colours.

    Returns:
        The text as it was saved; ``None`` where there was no editing, and the app has said why.
    """
    with tempfile.TemporaryDirectory(prefix="lgtop-") as folder:
        path = Path(folder) / f"value{suffix}"
        path.touch(0o600)
        path.write_text(text, "utf-8")
        try:
            problem = _run(app, [*editor_command(), str(path)])
            edited = path.read_text("utf-8")
        except SuspendNotSupported:
            problem = "This terminal cannot be handed to an editor."
        except (ValueError, OSError) as error:  # quotes in $EDITOR that do not close; the file is gone, or no UTF-8
            problem = f"The editor could not be used: {error}."
    if problem:
        app.notify(problem, severity="warning")
    return None if problem else edited


def _run(app: LgtopApp, words: list[str]) -> str:
    """Give the terminal to a program until it ends; say what went wrong, if anything did."""
    with app.suspend():
        # Nothing may be raised in here: the app would not get its terminal back (``textual/app.py``, ``App.suspend``).
        try:
            code = subprocess.run(words, check=False).returncode
        except OSError as error:
            return f"{words[0]}: {error.strerror}. Set EDITOR to the editor of your choice."
    return f"{words[0]} ended with {code}: nothing was taken over." if code else ""
