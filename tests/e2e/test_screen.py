"""The installed command in a real terminal: open, filter, look inside, come back, leave; nothing stays behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .tmux import PROMPT, terminal, wait_for

SIZES = [(80, 24), (120, 40)]
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A state directory."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def environment(home):
    """Where the command is found; no store of ours, no SSH, no colours switched off."""
    path = f"{BIN}:{os.environ.get('PATH', os.defpath)}"
    places = {"PATH": path, "LGTOP_STORE": "", "XDG_STATE_HOME": str(home)}
    return {**places, "NO_COLOR": "", "SSH_CONNECTION": "", "SSH_TTY": ""}


@pytest.fixture(scope="module")
def store(tmp_path_factory, home):
    """The demo's store, at rest."""
    path = tmp_path_factory.mktemp("e2e") / "demo.sqlite"
    words = [BIN / "lgtop", "demo", "--store", path, "--json"]
    subprocess.run(
        words,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        timeout=100,
        env={**os.environ, "XDG_STATE_HOME": str(home)},
    )
    return path


def leaves_the_terminal_as_it_was(screen):
    """The shell is back on a screen without remains, and echoes what is typed."""
    screen.type("echo all $((40 + 2))\n")
    text = wait_for(screen, "all 42")
    assert "echo all" in text
    assert "▌" not in text


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_look_at_a_store(environment, store, columns, rows):
    with terminal(columns, rows, environment) as screen:
        screen.type(f"lgtop {store}\n")
        first = wait_for(screen, ["fair-stand", "doc-contract", "? 3"])
        assert "stalled" in first
        assert first.index("fair-stand") < first.index("doc-contract")

        screen.type("/")
        wait_for(screen, "clear")
        screen.type("node:legal")
        wait_for(screen, lambda text: "fair-stand" in text and "doc-contract" not in text)
        screen.press("enter")
        wait_for(screen, ["2 shown", "open"])
        screen.type("G")
        screen.press("enter")

        wait_for(screen, ["›", "HISTORY", "1 State", "amount"])
        screen.type("2")
        wait_for(screen, ["against its parent", "letter"])
        screen.type("3")
        wait_for(screen, ["finance", "legal", "waiting"])
        screen.type("4")
        wait_for(screen, "__interrupt__")
        screen.type("5")
        wait_for(screen, "channel_v")
        screen.type("1")
        wait_for(screen, "amount")
        screen.press("tab")
        wait_for(screen, "fold")
        screen.press("escape")
        wait_for(screen, lambda text: "fold" not in text)
        screen.press("escape")
        wait_for(screen, lambda text: "2 shown" in text or "? 3" in text)
        screen.type("?")
        wait_for(screen, "Keys")
        screen.press("escape")
        wait_for(screen, lambda text: "Keys" not in text)
        screen.type("q")
        wait_for(screen, lambda text: text.rstrip().endswith(PROMPT))
        leaves_the_terminal_as_it_was(screen)


def test_a_filter_from_the_command_line(environment, store):
    with terminal(80, 24, environment) as screen:
        screen.type(f"lgtop {store} --filter status:failed\n")
        wait_for(screen, lambda text: "orders-tuesday" in text and "doc-contract" not in text and "5 shown" in text)
        screen.type("q")
        wait_for(screen, lambda text: text.rstrip().endswith(PROMPT))


def test_what_was_suspended_is_drawn_whole_when_it_is_back(environment, store):
    with terminal(80, 24, environment) as screen:
        screen.type(f"lgtop {store}\n")
        wait_for(screen, ["fair-stand", "q quit"])
        screen.type("\x1a")
        wait_for(screen, lambda text: text.rstrip().endswith(PROMPT))
        screen.type("clear; fg\n")
        lines = wait_for(screen, ["lgtop  ", "all threads", "STATUS", "fair-stand", "q quit"]).splitlines()
        assert lines[0].startswith(" lgtop")
        screen.type("q")
        wait_for(screen, lambda text: text.rstrip().endswith(PROMPT))


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        ("gone.sqlite", "gone.sqlite", 6),
        ("{store} --filter status:wating", "waiting", 2),
        ("show -s {store} doc-lett", "Did you mean doc-letter?", 3),
    ],
)
def test_what_cannot_be_opened_is_told_on_the_terminal(environment, store, words, said, code):
    with terminal(120, 40, environment) as screen:
        screen.type(f"lgtop {words.format(store=store)}; echo code $?\n")
        assert "Traceback" not in wait_for(screen, [said, f"code {code}"])


def test_a_table_keeps_to_the_terminal(environment, store):
    with terminal(80, 24, environment) as screen:
        screen.type(f"clear; lgtop ls -s {store} --limit 10; echo end\n")
        lines = wait_for(screen, "\nend").splitlines()
        assert lines[0].split() == ["STATUS", "THREAD", "NEXT", "STEP", "ACTIVE", "CKPTS", "WHY"]
        assert lines[11] == "end"
        assert all(len(line) <= 80 for line in lines)
        assert "…" in "\n".join(lines)


def test_watch_ends_with_ctrl_c(environment, store):
    with terminal(80, 24, environment) as screen:
        screen.type(f"lgtop watch -s {store}; echo code $?\n")
        wait_for(screen, "ctrl+c ends")
        screen.type("\x03")
        assert "Traceback" not in wait_for(screen, "code 130")
