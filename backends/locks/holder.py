"""Who holds a thread."""

from __future__ import annotations

from dataclasses import dataclass

from ..text import one_line


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
