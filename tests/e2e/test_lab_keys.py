"""The scene of the crash lab, by keys in a real terminal: start, kill, crashed, resume; then with durability exit."""

import os
import re
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from langgraph.checkpoint.sqlite import SqliteSaver

from demo_graphs.documents import builder

from .tmux import PROMPT, terminal, wait_for

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
LETTER = {"document_id": "letter", "content": "Thanks for the good advice. All well.", "pace": 0}


@pytest.fixture
def store(tmp_path):
    """A store with one letter that has been read."""
    path = tmp_path / "checkpoints.sqlite"
    with closing(sqlite3.connect(path, check_same_thread=False)) as connection:
        graph = builder.compile(checkpointer=SqliteSaver(connection))
        graph.invoke(LETTER, {"configurable": {"thread_id": "doc-letter"}})
    return path


@pytest.fixture
def environment(tmp_path):
    """Where the command is found, and where it writes."""
    homes = {name: str(tmp_path / name) for name in ("XDG_STATE_HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME")}
    for home in homes.values():
        Path(home).mkdir(mode=0o700)
    path = f"{BIN}:{os.environ.get('PATH', os.defpath)}"
    return {"PATH": path, **homes, **dict.fromkeys(("LGTOP_STORE", "NO_COLOR", "SSH_CONNECTION", "SSH_TTY"), "")}


def row(text, node):
    """The row of a node in the ledger: how often it ran, and what became of it."""
    found = re.search(rf"▏.? ?\s*{node}\s+(\S+)\s+(\S+)\s+([a-z ]+)", text)
    return (found[1], found[2], found[3].strip()) if found else None


def shows(**rows):
    return lambda text: all(row(text, node) == wanted for node, wanted in rows.items())


def threads(store):
    with closing(sqlite3.connect(store)) as connection:
        return {name for (name,) in connection.execute("SELECT DISTINCT thread_id FROM checkpoints")}


def test_the_scene(environment, store):
    with terminal(80, 24, environment) as screen:
        screen.type(f"cd {ROOT} && lgtop {store}\n")
        wait_for(screen, ["doc-letter", "✓ done"])
        screen.type("X")
        wait_for(screen, ["crash lab", "documents", "· extract", "sentiment !", "N starts it"], timeout=60)
        screen.type("i")
        wait_for(screen, ["Input of the runs", '"pace": 1.0'])
        screen.press("escape")
        wait_for(screen, "N starts it")
        screen.type("++++")
        wait_for(screen, "700 ms")

        screen.type("N")
        wait_for(screen, ["Crash runs on", "crashes its own runs only"])
        screen.press("enter")
        wait_for(screen, ["● running  extract", "● extract"], timeout=60)
        wait_for(screen, ["● running  sentiment", "● sentiment", "✓ extract"])
        wait_for(screen, ["† crashed", "struck by kill, inside sentiment", "† sentiment"])
        wait_for(screen, shows(extract=("1×", "1×", "kept"), sentiment=("1×", "·", "cut short")))

        screen.press("escape")
        wait_for(screen, lambda text: re.search(r"† crashed +documen", text))
        screen.type("X")
        wait_for(screen, ["crash lab", "† crashed"])
        screen.type("r")
        done = dict(extract=("1×", "1×", "kept"), sentiment=("2×", "1×", "ran again"), summary=("1×", "1×", "done"))
        wait_for(screen, lambda text: "✓ done" in text and shows(**done)(text), timeout=60)
        kept = threads(store)
        assert len(kept) == 2

        screen.type("z")
        wait_for(screen, "not started")
        screen.type("dd")
        wait_for(screen, "d exit")
        screen.type("N")
        wait_for(screen, ["● running  sentiment", "✓ extract"], timeout=60)
        wait_for(screen, ["† crashed", "nothing was saved"])
        wait_for(screen, shows(extract=("1×", "1×", "lost"), sentiment=("1×", "·", "cut short")))
        assert threads(store) == kept
        screen.type("r")
        wait_for(screen, lambda text: "✓ done" in text and shows(extract=("2×", "2×", "repeated"))(text), timeout=60)

        screen.type("q")
        wait_for(screen, lambda text: text.rstrip().endswith(PROMPT), timeout=60)


def test_side_by_side(environment, store):
    with terminal(120, 40, environment) as screen:
        screen.type(f"cd {ROOT} && lgtop {store}\n")
        wait_for(screen, ["doc-letter", "✓ done"])
        screen.type("x")
        wait_for(screen, ["crash lab", "sentiment !", '"pace": 0'], timeout=60)
        screen.type("pc")
        wait_for(screen, ["after sentiment", "sync | async | exit"])
        screen.type("N")
        wait_for(screen, "Crash runs on")
        screen.press("enter")
        wait_for(screen, lambda text: text.count("† crashed") >= 3 and "nothing was saved" in text, timeout=90)
        wait_for(screen, lambda text: re.search(r"extract +1× +kept +1× +(kept|lost) +1× +lost", text))
        wait_for(screen, lambda text: re.search(r"sentiment +1× +lost +1× +lost +1× +lost", text))
        screen.type("r")
        wait_for(screen, lambda text: text.count("✓ done") >= 3, timeout=90)
        wait_for(screen, lambda text: re.search(r"sentiment +2× +repeated +2× +repeated +2× +repeated", text))
        wait_for(screen, lambda text: re.search(r"extract +1× +kept +[12]× +(kept|repeated) +2× +repeated", text))
        screen.type("q")
        wait_for(screen, lambda text: text.rstrip().endswith(PROMPT), timeout=60)
