"""Programs run in forked children of the tests: real processes, without the seconds that importing LangGraph takes."""

from __future__ import annotations

import os
import runpy
import signal
import sys
from pathlib import Path
from typing import TextIO

from tests.locking import DEADLINE, within
from tests.sqlite_files import fork


class Forked:
    """A program that runs; what it imports should have been imported before.

    Args:
        program: The file.
        arguments: What it is given.
        complaints: File for its standard error.

    Attributes:
        pid: Its process id.
        stdin: Its standard input.
        stdout: Its standard output.
    """

    def __init__(self, program: Path, arguments: tuple[str, ...], complaints: Path) -> None:
        (inner_in, outer_in), (outer_out, inner_out) = os.pipe(), os.pipe()
        self._complaints = complaints
        self._status: int | None = None

        def run() -> None:
            errors = os.open(complaints, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            for number, descriptor in enumerate((inner_in, inner_out, errors)):
                os.dup2(descriptor, number)
            os.close(outer_in)
            sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w", 1), open(2, "w", 1)  # noqa: SIM115
            sys.argv = [str(program), *arguments]
            runpy.run_path(str(program), run_name="__main__")

        self.pid = fork(run)
        os.close(inner_in)
        os.close(inner_out)
        self.stdin: TextIO = open(outer_in, "w")  # noqa: SIM115
        self.stdout: TextIO = open(outer_out)  # noqa: SIM115

    def tell(self, line: str) -> None:
        """Write a line to it."""
        self.stdin.write(f"{line}\n")
        self.stdin.flush()

    def end(self) -> int:
        """Wait for its end; its exit code, or minus the signal that ended it."""
        assert within(DEADLINE, self._over), "it did not end"
        assert self._status is not None
        return self._status

    def complaint(self) -> str:
        """What it wrote to standard error."""
        return self._complaints.read_text()

    def close(self) -> None:
        """Kill it if it runs."""
        if not self._over():
            os.kill(self.pid, signal.SIGKILL)
            self.end()
        self.stdin.close()
        self.stdout.close()

    def _over(self) -> bool:
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._status = os.waitstatus_to_exitcode(status) if pid else None
        return self._status is not None
