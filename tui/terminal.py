"""What the terminal around us can do."""

from __future__ import annotations

import locale
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Terminal:
    """What was found out about the terminal.

    Attributes:
        remote: Reached over SSH: every byte drawn travels, so repaint seldom.
        unicode: It shows more than ASCII. The screen is written to stderr (``textual/drivers/linux_driver.py``).
        sixteen: It has the sixteen classic colours only.
    """

    remote: bool = False
    unicode: bool = True
    sixteen: bool = False

    @classmethod
    def detect(cls, environ: Mapping[str, str] = os.environ, encoding: str | None = None) -> Terminal:
        """Find out from the environment.

        Args:
            environ: ``SSH_CONNECTION``, ``SSH_TTY``, ``TERM``, ``COLORTERM``; ``LGTOP_TERMINAL=local|remote`` decides
                where the guess is wrong (inside tmux, for one, the variables are those of the first login).
            encoding: Encoding of the screen; that of stderr unless given.
        """
        profile = environ.get("LGTOP_TERMINAL", "")
        ssh = bool(environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"))
        term = environ.get("TERM", "")
        encoding = encoding or getattr(sys.stderr, "encoding", None) or locale.getpreferredencoding(False)
        return cls(
            remote=profile == "remote" or (ssh and profile != "local"),
            unicode=encoding.lower().replace("-", "").replace("_", "").startswith("utf"),
            sixteen=not environ.get("COLORTERM") and (term in ("dumb", "linux", "xterm", "vt100", "vt220", "screen")),
        )
