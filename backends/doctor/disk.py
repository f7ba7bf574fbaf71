"""Room on the file systems that a store and the records of runs are on."""

from __future__ import annotations

import os

from .finding import Finding, State, size

_FULL = 16_000_000
"""Bytes below which the next write may fail: a WAL alone takes 4 MB before it is taken over (SQLite's default of 1,000
pages), and as much again while it is."""

_SCARCE = 0.02
"""Part of a file system below which it is nearly full."""


def room(name: str, folder: str) -> Finding:
    """How much can still be written.

    Args:
        name: Name of the finding.
        folder: Any existing directory of the file system.
    """
    try:
        found = os.statvfs(folder)
    except OSError as error:
        return Finding(name, State.WARNING, f"The room in {folder} cannot be told: {error.strerror}.")
    free, total = found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize
    told = f"{size(free)} of {size(total)} are free where {folder} is."
    if found.f_files and not found.f_favail:
        return Finding(name, State.FAULT, f"No inode is free where {folder} is: no file can be made.", _ADVICE)
    if free < _FULL:
        return Finding(name, State.FAULT, f"The disk is full: {told}", _ADVICE)
    if free < total * _SCARCE:
        return Finding(name, State.WARNING, f"The disk is nearly full: {told}", _ADVICE)
    return Finding(name, State.OK, told)


_ADVICE = "Make room: lgtop du shows the largest threads, lgtop prune removes old checkpoints."


def existing(folder: str) -> str:
    """The directory, or the nearest one above it that exists."""
    while not os.path.isdir(folder) and folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
    return folder
