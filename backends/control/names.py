"""Ids for new threads."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Container

_OTHER = re.compile(r"[^a-z0-9]+")
_DIGITS = "23456789abcdefghjkmnpqrstuvwxyz"
"""Nothing that can be mistaken for something else."""

_LENGTH = 24


def propose_thread_id(graph_name: str, taken: Container[str] = (), now: float | None = None) -> str:
    """Propose an id for a new thread: which graph, when, and a tail that makes it unique.

    Args:
        graph_name: The graph's name or target.
        taken: Ids that exist.
        now: Unix time; ``None`` is the present.

    Returns:
        E.g. ``documents-20261121-0910-k3``, in local time: an id that sorts by time, can be typed, and needs no quotes.
    """
    base = graph_name.rsplit("/", 1)[-1].split(":", 1)[0].removesuffix(".py")
    slug = _OTHER.sub("-", base.lower()).strip("-")[:_LENGTH].rstrip("-") or "thread"
    stamp = time.strftime("%Y%m%d-%H%M", time.localtime(now))
    size = 2
    while True:
        tail = "".join(secrets.choice(_DIGITS) for _ in range(size))
        proposed = f"{slug}-{stamp}-{tail}"
        if proposed not in taken:
            return proposed
        size += 1
