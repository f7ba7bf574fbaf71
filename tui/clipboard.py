"""Copying, and saying truthfully where the text went.

OSC 52 asks the terminal and gets no answer; tmux swallows it by default; macOS Terminal ignores it. So the roads that
report success are taken as well, and named.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from typing import Final

_TOOLS: Final = (
    ("pbcopy", ("pbcopy",), None),
    ("wl-copy", ("wl-copy",), "WAYLAND_DISPLAY"),
    ("xclip", ("xclip", "-selection", "clipboard"), "DISPLAY"),
    ("xsel", ("xsel", "--clipboard", "--input"), "DISPLAY"),
    ("clip.exe", ("clip.exe",), "WSL_DISTRO_NAME"),
)
"""Tool, command, environment variable without which it cannot work."""

_PATIENCE: Final = 1.0
"""Seconds that a tool gets."""


def copy_with_tools(text: str, environ: Mapping[str, str] = os.environ) -> list[str]:
    """Copy a text by the tools that can be asked whether it worked; blocks until they have answered.

    Args:
        text: What to copy.
        environ: Says whether tmux is around, and whether the desktop is on this machine.

    Returns:
        Where the text is now: ``tmux buffer``, ``xclip``, ...; empty if nowhere for certain.
    """
    done: list[str] = []
    if environ.get("TMUX") and _pipe(("tmux", "load-buffer", "-w", "-"), text):
        done.append("tmux buffer")
    if not (environ.get("SSH_CONNECTION") or environ.get("SSH_TTY")):
        for name, command, needs in _TOOLS:
            if (needs is None or environ.get(needs)) and shutil.which(name) and _pipe(command, text):
                done.append(name)
                break
    return done


def _pipe(command: tuple[str, ...], text: str) -> bool:
    """Feed a tool; True if it says that it worked."""
    try:
        result = subprocess.run(
            command,
            input=text.encode("utf-8", "replace"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return result.returncode == 0
