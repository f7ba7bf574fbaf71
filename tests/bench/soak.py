"""Look at everything in a store for a while, with random keys, and prove that nothing was written to it.

    python -m tests.bench.soak /path/to/store.sqlite --seconds 600
    python -m tests.bench.soak postgresql://… --seconds 600

SQLite: the checksums of the file and of its WAL before and after. Postgres: the write counters of
`pg_stat_user_tables`. An error of our own that the app survived (its log) ends the soak, too.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.terminal import PtyTerminal

KEYS = [
    *("j", "k", "g", "G", "\r", "\r", "\r", "\x1b", "\t", "1", "2", "3", "4", "5", "6", "n", "N", "d", "y", "w", "t"),
    *("o", "p", " ", "[", "]", "+", "_", "F", "?", "i", "\x04", "\x15", "\x1b[A", "\x1b[B", "\x1b[5~", "\x1b[6~"),
    *("/status:!done\r", "/e\r", "/\x1b", ":\x1b"),
]
COMMANDS = [
    ["ls", "--json"],
    ["ls", "--filter", "status:!done"],
    ["inbox", "--json"],
    ["history", "{thread}", "--json"],
    ["show", "{thread}", "--json"],
    ["diff", "{thread}", "--json"],
]


def fingerprint(address: str) -> str:
    """What must not change: the bytes of a SQLite file, the write counters of a Postgres database."""
    if not address.startswith("postgres"):
        found = [Path(address), Path(f"{address}-wal")]
        return " ".join(hashlib.sha256(file.read_bytes()).hexdigest() for file in found if file.exists())
    import psycopg

    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("select pg_stat_force_next_flush()")
        rows = connection.execute(
            "select relname, n_tup_ins, n_tup_upd, n_tup_del, pg_relation_size(relid)"
            " from pg_stat_user_tables order by relname"
        ).fetchall()
    return repr(rows)


def look_around(address: str, seconds: float, seed: int) -> int:
    """Press random keys in the app for `seconds`; return how many."""
    chance = random.Random(seed)
    until = time.monotonic() + seconds
    pressed = 0
    with tempfile.TemporaryDirectory() as state:
        os.environ["XDG_STATE_HOME"] = state
        while time.monotonic() < until:
            keys, trouble = look_once(address, min(until, time.monotonic() + 60), chance)
            pressed += keys
            logs = [log.read_text()[-2000:] for log in Path(state).glob("lgtop/crash-*.log")]
            if trouble or logs:
                raise SystemExit("\n".join([f"seed {seed}, {pressed} keys: {trouble}", *logs]))
    return pressed


def look_once(address: str, until: float, chance: random.Random) -> tuple[int, str]:
    """Press random keys in one app until a moment of the monotonic clock; return how many, and what went wrong."""
    pressed = 0
    command = [sys.executable, "-m", "lgtop", address, "--readonly"]
    with PtyTerminal(command, columns=chance.choice([80, 120])) as terminal:
        terminal.wait_for("STATUS")
        while time.monotonic() < until:
            terminal.send(chance.choice(KEYS))
            pressed += 1
            terminal.pump(0.05)
            if terminal.ended:  # the palette has a way to quit, and sooner or later the keys find it
                code = terminal.close()
                return pressed, f"the app ended with {code}" if code else ""
            if "Traceback" in terminal.text:
                return pressed, "a traceback on the screen"
    return pressed, ""


def run_commands(address: str) -> None:
    """Run every reading command on some of the threads."""
    lgtop = [sys.executable, "-m", "lgtop"]
    listing = subprocess.run([*lgtop, "ls", "-s", address, "--jsonl", "--limit", "20"], capture_output=True, text=True)
    import json

    threads = [json.loads(line)["thread_id"] for line in listing.stdout.splitlines()]
    for thread in threads:
        for command in COMMANDS:
            filled = [part.format(thread=thread) if part == "{thread}" else part for part in command]
            done = subprocess.run([*lgtop, filled[0], "-s", address, *filled[1:]], capture_output=True, text=True)
            if done.returncode not in (0, 3):
                raise SystemExit(f"{filled} ended with {done.returncode}: {done.stderr}")


def main() -> None:
    """Parse the arguments, look around, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    before = fingerprint(args.store)
    run_commands(args.store)
    pressed = look_around(args.store, args.seconds, args.seed)
    after = fingerprint(args.store)
    print(f"{pressed} keys in {args.seconds:.0f} s; the store is {'unchanged' if before == after else 'CHANGED'}")
    raise SystemExit(0 if before == after else 1)


if __name__ == "__main__":
    main()
