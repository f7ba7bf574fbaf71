"""Where lgtop keeps what it remembers: ``$XDG_STATE_HOME/lgtop`` or what stands for it on this system."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def state_path() -> str:
    """The folder of everything that outlives a process: runs, the action log, remembered choices; it may not exist.

    It is where platformdirs says, which only macOS needs to be asked about: a list of threads is printed before it is
    imported.
    """
    home = os.environ.get("XDG_STATE_HOME", "").strip()
    if not home and sys.platform != "darwin":
        home = os.path.expanduser("~/.local/state")
    if home:
        return os.path.join(os.path.abspath(home), "lgtop")
    from platformdirs import user_state_dir

    return user_state_dir("lgtop", appauthor=False)


def state_folder() -> Path:
    """The same as a ``Path``."""
    from pathlib import Path

    return Path(state_path())


def private_folder(path: Path) -> Path:
    """Make a folder that only its owner can read, with its parents, and return it.

    Raises:
        OSError: It cannot be made.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def write_whole(path: Path, text: str) -> None:
    """Replace a small file, readable by its owner only; a reader sees the old one or the new one, whole.

    Raises:
        OSError: The disk is full, the folder is read-only, ...
    """
    name = path.with_name(f".new-{os.getpid()}-{threading.get_ident()}-{path.name}")  # tempfile is slow to import
    handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
