"""Threads are controlled from the keyboard alone, in a real terminal; the store then has what LangGraph makes of it."""

import os
import sys
from pathlib import Path

import pytest

from tests.pilot.control_project import DONE, WAITING, make_project, make_threads, state_of

from .tmux import PROMPT, terminal, wait_for

SIZES = [(80, 24), (120, 40)]
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def homes(tmp_path_factory):
    """A project, a store of its threads, and the directories that lgtop writes to."""
    folder = tmp_path_factory.mktemp("e2e-control")
    project = make_project(folder / "project")
    return project, make_threads(project, folder / "store.sqlite"), folder


@pytest.fixture
def project(homes):
    """The project."""
    return homes[0]


@pytest.fixture
def store(homes, tmp_path):
    """A store of the test's own."""
    path = tmp_path / "checkpoints.sqlite"
    path.write_bytes(homes[1].read_bytes())
    return path


@pytest.fixture
def environment(homes, tmp_path):
    """Where the command is found, where it writes, and an editor that a test can write."""
    folder, editor = homes[2], tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed -i "s/12000/9000/" "$1"\n')
    editor.chmod(0o755)
    return {
        "PATH": f"{BIN}:{os.environ.get('PATH', os.defpath)}",
        "XDG_STATE_HOME": str(folder / "state"),
        "XDG_RUNTIME_DIR": str(folder / "runtime"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "EDITOR": str(editor),
        "VISUAL": "",
        **dict.fromkeys(("LGTOP_STORE", "NO_COLOR", "SSH_CONNECTION", "SSH_TTY"), ""),
    }


def opened(screen, project, store, thread):
    """Open the store in the project and put the cursor on a thread."""
    screen.type(f"cd {project} && lgtop {store}\n")
    wait_for(screen, ["team-dinner", "fair-stand", "new-server"])
    screen.type("/")
    wait_for(screen, "clear")
    screen.type(thread)
    wait_for(screen, lambda text: thread in text and "1 shown" in text)
    screen.press("enter")
    wait_for(screen, ["↵ open", thread])


def left(screen):
    """Leave the app; the shell is back."""
    screen.type("q")
    wait_for(screen, lambda text: text.rstrip().endswith(PROMPT), timeout=60)


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_two_questions_are_answered_from_the_inbox(environment, project, store, columns, rows):
    with terminal(columns, rows, environment) as screen:
        opened(screen, project, store, WAITING)
        screen.type("i")
        wait_for(screen, ["QUESTION", "Does the budget allow", "Is a stand in order?"])
        screen.type("a")
        wait_for(screen, ["Answer fair-stand", "0 of 2 answered", "choose with"])
        screen.type("y")
        wait_for(screen, "‹ yes ›")
        screen.press("down")
        wait_for(screen, "comment")
        screen.type("all right")
        wait_for(screen, "all right")
        screen.type("\x0e")  # ctrl+n
        wait_for(screen, ["1 of 2 answered", "choose with"])
        screen.type("n")
        wait_for(screen, "‹ no ›")
        screen.type("\x0f")  # ctrl+o
        wait_for(screen, ["answer fair-stand", "sync: saved", "do it"], timeout=60)
        screen.press("enter")
        wait_for(screen, ["fair-stand done", "nothing waits for you"], timeout=60)
        screen.press("escape")
        wait_for(screen, "STATUS")
        left(screen)
    found = state_of(project, store, WAITING)
    assert found.next == ()
    assert found.values["outcome"] == "refused"
    assert sorted(found.values["verdicts"].values()) == [False, True]


def test_a_thread_is_forked_from_an_older_checkpoint(environment, project, store):
    with terminal(80, 24, environment) as screen:
        opened(screen, project, store, DONE)
        screen.press("enter")
        wait_for(screen, ["HISTORY", "head", "State"])
        screen.type("jjj")
        wait_for(screen, lambda text: any("▌" in line and " 1 " in line for line in text.splitlines()))
        screen.type("f")
        wait_for(screen, ["Fork team-dinner", "run again from this checkpoint", "new thread up to this checkpoint"])
        screen.press("enter")
        wait_for(screen, ["fork team-dinner", "hold", "do it"], timeout=60)
        screen.press("enter")
        wait_for(screen, ["team-dinner waiting"], timeout=60)
        wait_for(screen, "fork")
        screen.press("escape")
        wait_for(screen, "STATUS")
        left(screen)
    assert set(state_of(project, store, DONE).next) == {"finance", "legal"}


def test_a_state_is_edited_in_the_text_area_and_in_an_editor(environment, project, store):
    with terminal(120, 40, environment) as screen:
        opened(screen, project, store, WAITING)
        screen.type("e")
        wait_for(screen, ["Edit · fair-stand", '"amount": 12000', "whole state", "not chosen"], timeout=60)
        screen.type("\x14")  # ctrl+t
        wait_for(screen, ['"amount": 9000', "changed: amount"])
        screen.type("p")
        wait_for(screen, ["‹ purpose ›", '"a stand"'])
        screen.press("tab")
        wait_for(screen, lambda text: "‹ purpose ›" in text and "choose with" not in text)
        screen.type('"two stands"\x0b')  # ctrl+k deletes the rest of the line
        wait_for(screen, ['"two stands"', "‹ purpose ›"])
        screen.press("tab")
        wait_for(screen, "choose with")
        screen.type("h")
        wait_for(screen, ["‹ hold ›", "next: finance, legal"])
        screen.type("\x0f")  # ctrl+o
        wait_for(screen, ["edit fair-stand", "do it"], timeout=60)
        screen.press("enter")
        wait_for(screen, "fair-stand done", timeout=60)
        left(screen)
    found = state_of(project, store, WAITING)
    assert (found.values["amount"], found.values["purpose"]) == (9000, "two stands")
    assert found.metadata["source"] == "update"
    assert set(found.next) == {"finance", "legal"}


def test_a_run_is_started_and_the_read_only_screen_refuses(environment, project, store):
    with terminal(80, 24, environment) as screen:
        opened(screen, project, store, WAITING)
        screen.type("N")
        wait_for(screen, ["Start a run", "purpose", "amount"], timeout=60)
        screen.type("chairs")
        wait_for(screen, "chairs")
        screen.press("down")
        screen.type("640")
        wait_for(screen, "640")
        screen.press("enter")
        wait_for(screen, ["start spending-", "load", "do it"], timeout=60)
        screen.press("enter")
        wait_for(screen, ["2 waiting", "waiting:"], timeout=60)
        left(screen)
        before = store.read_bytes()
        screen.type(f"clear; lgtop --readonly {store}\n")
        wait_for(screen, ["fair-stand", "read-only"])
        screen.type("r")
        wait_for(screen, "nothing is written")
        left(screen)
    assert store.read_bytes() == before
