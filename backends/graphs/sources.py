"""The source files that a graph may be made of, and whether they have changed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b

from ..runs.spec import GraphRef
from .config import NAME
from .reference import location

_LIMIT = 2_000
"""Directories that are looked into; of a larger project some changes go unnoticed."""

_NOT_OURS = frozenset({"node_modules", "site-packages", "__pycache__"})
"""Directories without sources of the project's own, besides hidden ones and virtual environments."""


def is_source(path: str) -> bool:
    """Whether a change of this file may change a graph."""
    name = os.path.basename(path)
    return name.endswith(".py") or name == NAME or name.startswith(".env")


def directories(ref: GraphRef) -> list[str]:
    """Return the directories that a graph's own modules may be in: below its file, its project and dependencies."""
    waiting = [*_around(ref)]
    found: dict[str, None] = {}
    while waiting and len(found) < _LIMIT:
        folder = waiting.pop()
        if folder not in found:
            found[folder] = None
            waiting.extend(entry.path for entry in _entries(folder) if _is_ours(entry))
    return list(found)


def fingerprint(ref: GraphRef) -> str:
    """Return a short text that changes with a graph's sources, its configuration or its interpreter.

    It looks at times and sizes only: cheap, and an edited file is noticed.
    """
    return fingerprints([ref])[0]


def fingerprints(refs: Sequence[GraphRef]) -> list[str]:
    """Return the fingerprint of each graph; what they have in common is looked at once."""
    seen: dict[tuple[str, ...], bytes] = {}
    found = []
    for ref in refs:
        around = _around(ref)
        if around not in seen:
            seen[around] = _state(directories(ref))
        own = repr((ref.target, ref.root, ref.python, ref.dependencies, sorted(ref.env.items()))).encode()
        found.append(blake2b(own + seen[around], digest_size=12).hexdigest())
    return found


def _around(ref: GraphRef) -> tuple[str, ...]:
    """The topmost of the directories that a graph's own modules may be in."""
    file = location(ref)
    return (ref.root, *ref.dependencies, *([str(file.parent)] if file else []))


def _state(folders: Iterable[str]) -> bytes:
    """What changes with any source in these directories."""
    digest = blake2b(digest_size=12)
    for folder in sorted(folders):
        for entry in sorted(_entries(folder), key=lambda entry: entry.name):
            if is_source(entry.name):
                stat = entry.stat(follow_symlinks=False)
                digest.update(f"{entry.path}\0{stat.st_mtime_ns}\0{stat.st_size}\0".encode(errors="surrogateescape"))
    return digest.digest()


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError:
        return  # gone, or not ours to read: then the graph cannot read it either


def _is_ours(entry: os.DirEntry[str]) -> bool:
    """Whether it is a directory with sources of the project's own."""
    if entry.name.startswith(".") or entry.name in _NOT_OURS or not entry.is_dir(follow_symlinks=False):
        return False
    return not os.path.exists(os.path.join(entry.path, "pyvenv.cfg"))
