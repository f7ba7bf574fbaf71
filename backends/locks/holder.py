"""Who holds a thread."""

from __future__ import annotations

import os
from dataclasses import dataclass

from ..text import one_line

_FUTURE = 1e11


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds a thread's lock.

    Attributes:
        thread_id: The thread.
        pid: Its process id on its host; ``None`` where the kernel or the server does not tell.
        who: What it said about itself, e.g. ``you@laptop`` or the name of a program; untrusted.
        host: Host name; empty where not known.
        run_id: The run, where it is one of ours.
        since: Unix time from which it holds the lock; ``None`` where not known.
    """

    thread_id: str
    pid: int | None = None
    who: str = ""
    host: str = ""
    run_id: str | None = None
    since: float | None = None

    def __str__(self) -> str:
        """One safe line for a person: ``run k3f2 · you@laptop · pid 4312``."""
        parts = (
            f"run {self.run_id}" if self.run_id else "",
            self.who or self.host,
            f"pid {self.pid}" if self.pid else "",
        )
        return one_line(" · ".join(filter(None, parts)) or "held by an unknown process", 200)


def moment(told: object) -> float | None:
    """The Unix time that another process claims; ``None`` for what is none: infinite, in another millennium, no number.

    Args:
        told: A number or its text.
    """
    try:
        time = float(told) if isinstance(told, int | float | str) else 0.0
    except (ValueError, OverflowError):
        return None
    return time if 0 < time < _FUTURE else None


def this_host() -> str:
    """Name of this host, as ``Holder.host`` has it."""
    return os.uname().nodename


def this_user() -> str:
    """``user@host``: who a person is to others, unless they say otherwise."""
    import pwd

    try:
        name = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a container runs under a number that nobody gave a name
        name = os.environ.get("USER") or str(os.geteuid())
    return f"{name}@{this_host()}"
