"""What the doctor finds out about the person's side: the terminal, and the settings."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from backends.address import mask_dsn
from backends.doctor.finding import Finding, State
from tui.config import ConfigError, load_config
from tui.config_path import config_path
from tui.terminal import Terminal

if TYPE_CHECKING:
    from tui.config import Profile

_SMALLEST = (80, 24)
"""Columns and lines below which the screens leave things out."""


def examine_terminal() -> Iterator[Finding]:
    """What the screens can count on here."""
    term = os.environ.get("TERM", "")
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        yield Finding("terminal", State.NOTE, "This is no terminal: lgtop STORE prints the list of threads instead.")
        return
    if term in ("", "dumb"):
        told = f"TERM is {term or 'not set'}: no screen can be drawn, and lists are printed instead."
        yield Finding("terminal", State.WARNING, told, "Set it to what the terminal is, such as xterm-256color.")
        return
    terminal, size = Terminal.detect(), shutil.get_terminal_size()
    colours = "16 colours" if terminal.sixteen else "colours"
    where = ", over SSH: redrawn seldom" if terminal.remote else ""
    yield Finding("terminal", State.OK, f"{term}, {size.columns}×{size.lines}, {colours}{where}.")
    if size < _SMALLEST:
        yield Finding("terminal", State.WARNING, "It is smaller than 80×24: columns are left out.", "Make it larger.")
    if not terminal.unicode:
        told = f"Its encoding is {sys.stderr.encoding}: everything is drawn in ASCII."
        yield Finding("terminal", State.WARNING, told, "Set a UTF-8 locale, such as LANG=C.UTF-8.")


def examine_settings(profile: Profile | None) -> Iterator[Finding]:
    """Whether ``config.toml`` can be used, and keeps its secrets."""
    path = config_path()
    try:
        config = load_config()
    except ConfigError as error:
        yield Finding("settings", State.FAULT, str(error), "lgtop does not start with it: mend the file.")
        return
    if not os.path.exists(path):
        yield Finding("settings", State.OK, f"There is no {path}; none is needed.")
        return
    used = f", profile {profile.name}" if profile else ""
    yield Finding("settings", State.OK, f"{path}: {len(config.profiles)} profiles{used}.")
    secret = [name for name, one in config.profiles.items() if mask_dsn(one.store) != one.store]
    if secret and os.stat(path).st_mode & (stat.S_IRGRP | stat.S_IROTH):
        told = f"Others can read {path}, and profile {secret[0]} holds a password."
        yield Finding("settings", State.WARNING, told, f"chmod 600 {path}; or keep the password in ~/.pgpass.")
