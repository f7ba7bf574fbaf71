"""Stopping a run: drain first, then cancel, then kill."""

from __future__ import annotations

import os
import signal
from typing import Literal, TypeAlias

from ..errors import Refused
from .alive import holder_pid
from .run import Run

How: TypeAlias = Literal["drain", "cancel", "kill"]


def stop(run: Run, how: How) -> None:
    """Ask a run to stop, and return at once; its record tells when it has.

    Args:
        run: The run.
        how: ``drain`` lets the tasks of the superstep finish and saves their writes; ``cancel`` raises
            ``CancelledError`` in them; ``kill`` ends the process and everything that it started.

    Raises:
        Refused: It has ended, or cannot be reached from this computer or by this user.
    """
    if run.host != os.uname().nodename:
        raise Refused(f"Run {run.run_id} is on {run.host}.", "Stop it there.")
    pid = holder_pid(run.folder)  # the lock's holder and not the number in the record, which another may have by now
    if pid is None:
        raise Refused(f"Run {run.run_id} has ended already.")
    if pid == 0:
        raise Refused(f"Run {run.run_id} is in another container.", "Stop it there.")
    try:
        match how:
            case "drain":
                os.kill(pid, signal.SIGTERM)
            case "cancel":
                os.kill(pid, signal.SIGINT)
            case "kill":
                os.killpg(pid, signal.SIGKILL)  # the child leads a session of its own, so the group has its number
    except ProcessLookupError as error:
        raise Refused(f"Run {run.run_id} has ended already.") from error
    except PermissionError as error:
        raise Refused(f"Run {run.run_id} belongs to another user.") from error
