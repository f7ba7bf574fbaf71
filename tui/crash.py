"""What is left when the app stops because of an error of its own: a private log and one sentence.

Textual would print a traceback with the values of local variables, and with them the password of a DSN.
"""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Iterable
from pathlib import Path

from backends.address import mask_dsn
from backends.text import clean


def write_log(error: BaseException, secrets: Iterable[str] = (), folder: Path | None = None) -> Path | None:
    """Write a traceback without local variables to a file that only its owner can read.

    Args:
        error: What happened.
        secrets: Texts that must not be in it, whatever an error message quotes.
        folder: Where to; the state directory of lgtop unless given.

    Returns:
        The file; ``None`` if none could be written.
    """
    text = mask_dsn("".join(traceback.format_exception(error)))
    for secret in secrets:
        text = text.replace(secret, "••••")
    try:
        folder = folder or state_folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / time.strftime("crash-%Y%m%d-%H%M%S.log")
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0), 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
            file.write(clean(text))
    except OSError:
        return None
    return path


def sentence(error: BaseException, log: Path | None) -> str:
    """Say what happened in one line, without quoting anything from a store."""
    where = f"Details: {log}" if log else "The log could not be written."
    return f"lgtop stopped because of an error of its own ({type(error).__name__}). {where}"


def state_folder() -> Path:
    """``$XDG_STATE_HOME/lgtop`` or what stands for it on this system."""
    from platformdirs import user_state_path

    return user_state_path("lgtop", appauthor=False)
