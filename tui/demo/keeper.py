"""The process that tidies up behind a demo, also behind one that was killed: it waits for its standard input to end.

The first line says what is to be done: ``target`` names the store, ``operator`` whose runs end, ``directory`` what is
removed. In a ``temporary`` store every run ends, at once; in one that is kept each stops after its step.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from backends.runs.run import Run

_REST = Path(__file__).resolve().parents[2] / "demo_graphs" / "rest.py"
_PATIENCE = 5.0
"""Seconds that a run has to stop."""


def main() -> None:
    """Wait for the end of the demo, then end its runs and remove what is not kept."""
    order = json.loads(sys.stdin.readline())
    sys.stdin.read()
    directory = Path(order["directory"])
    whose = None if order["temporary"] else order["operator"]
    end_runs(order["target"], whose)
    if not order["temporary"]:
        rest(order["target"])
    # What the app says about an error of its own names a log in here.
    if not any(directory.glob("state/lgtop/crash-*.log")):
        rmtree(directory, ignore_errors=True)


def end_runs(target: str, operator: str | None) -> None:
    """End the runs of a store.

    Args:
        target: The store.
        operator: Whose runs: they are drained; ``None`` kills every run.
    """
    from backends.errors import Refused
    from backends.locks.key import store_key
    from backends.runs.ledger import Ledger
    from backends.runs.stop import stop

    ledger = Ledger(store_key(target))

    def live() -> list[Run]:
        return [run for run in ledger.refresh() if run.live and operator in (None, run.operator)]

    for how in ("kill",) if operator is None else ("drain", "kill"):
        for run in live():
            with suppress(Refused):  # it has just ended by itself
                stop(run, how)  # type: ignore[arg-type]
        deadline = time.monotonic() + _PATIENCE
        while live() and time.monotonic() < deadline:
            time.sleep(0.02)


def rest(target: str) -> None:
    """Have an SQLite file that is kept hold everything by itself."""
    environment = {**os.environ, "LGTOP_STORE": target}
    subprocess.run([sys.executable, "-P", str(_REST)], env=environment, stderr=subprocess.DEVNULL, check=False)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    main()
