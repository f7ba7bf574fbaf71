"""``lgtop demo`` as a person meets it: live, toured by keys and by itself, as text, killed; nothing stays behind."""

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import psycopg
import pytest

from . import tmux
from .tmux import PROMPT, terminal

BIN = Path(sys.executable).parent
PATIENCE = 100.0
"""Seconds for a demo to be made, and for each of its scenes: a dozen processes import LangGraph for it."""

wait_for = partial(tmux.wait_for, timeout=PATIENCE)


@pytest.fixture
def environment(tmp_path):
    """Where the command is found; places of our own; no SSH, no colours switched off."""
    path = f"{BIN}:{os.environ.get('PATH', os.defpath)}"
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    places = {"PATH": path, "LGTOP_STORE": "", "TMPDIR": str(temporary), "XDG_STATE_HOME": str(tmp_path / "state")}
    return {**places, "NO_COLOR": "", "SSH_CONNECTION": "", "SSH_TTY": ""}


@pytest.fixture
def demo(environment, tmp_path):
    """Run the command without a terminal, from a directory that has nothing to do with it."""

    def run(*words):
        return subprocess.run(
            [BIN / "lgtop", "demo", *words],
            cwd=tmp_path,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    return run


def processes(word):
    """Command lines of processes whose environment names a place."""
    listed = subprocess.run(["ps", "axeww", "-o", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if f"{word}/lgtop-demo-" in line]


def nothing_is_left(environment):
    """No process of a demo and no file of it."""
    place = environment["TMPDIR"]
    deadline = time.monotonic() + 30
    while left := processes(place) + [name for name in os.listdir(place) if name.startswith("lgtop")]:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)
    return True


def test_the_demo_is_live_and_leaves_nothing_behind(environment):
    with terminal(80, 24, environment) as screen:
        screen.type("lgtop demo\n")
        wait_for(screen, ["● running", "fair-stand", "batch-night", "crashed", "stalled", "doc-contract"])
        assert processes(environment["TMPDIR"])
        screen.type("/")
        wait_for(screen, "clear")
        screen.type("id:doc-live")
        screen.press("enter")
        wait_for(screen, lambda text: "doc-live" in text and "fair-stand" not in text)
        steps = set()
        wait_for(screen, lambda text: steps.update(re.findall(r"doc-live .* (\d+) +\d+s", text)) or len(steps) >= 2)
        screen.type("q")
        wait_for(screen, lambda text: text.rstrip().endswith(PROMPT))
    assert nothing_is_left(environment)


def test_whatever_the_demo_has_started_ends_with_it_even_when_it_is_killed(environment):
    words = [BIN / "lgtop", "demo", "--json"]
    child = subprocess.Popen(
        words, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    for line in child.stdout:
        if "batch-night" in line:
            break
    child.send_signal(signal.SIGSTOP)  # nothing is tidied up by itself any more
    assert processes(environment["TMPDIR"])
    child.kill()
    child.wait()
    assert nothing_is_left(environment)


def test_the_scene_on_stage_one_key_at_a_time(environment):
    with terminal(80, 24, environment) as screen:
        screen.type("lgtop demo --tour\n")
        text = wait_for(screen, "space  start a document run")
        assert "✓ each of the 9 statuses is there" in text
        for cue, status, proofs in ACTS:
            screen.type(" ")
            text = wait_for(screen, partial(shows, cue, status))
            for proof in proofs:
                assert f"✓ {proof}" in text
        screen.type(" ")
        wait_for(screen, lambda text: "end the tour" not in text)
        screen.type("q")
        wait_for(screen, lambda text: text.rstrip().endswith(PROMPT))
    assert nothing_is_left(environment)


def shows(cue, row, text):
    """Whether the caption has come to its cue, and the cursor to its row."""
    return cue in text and (row is None or re.search(row, text))


ACTS = [
    ("space  kill its process", r"▌ +● running +stage-sync", ["extract has done its work, once"]),
    (
        "space  resume it",
        r"▌ +† crashed +stage-sync",
        ["the list says crashed, and why", "what extract found is saved"],
    ),
    ("space  start the same with", r"▌ +✓ done +stage-sync", ["extract did not run again"]),
    ("space  kill that too", None, ["the store knows nothing of it yet"]),
    ("space  start it again", None, ["the thread is not in the list: nothing was saved", "there is nothing to resume"]),
    ("space  end the tour", r"▌ +✓ done +stage-exit", ["extract ran twice: its work was lost"]),
]
"""What the caption offers next, the row under the cursor, and what has been proved."""


def test_a_tour_that_drives_itself(environment):
    with terminal(120, 40, environment) as screen:
        screen.type("lgtop demo --autoplay 0.5; echo code $?\n")
        wait_for(screen, lambda text: re.search("† crashed +stage-sync", text))
        wait_for(screen, "extract ran twice")
        wait_for(screen, "code 0")
    assert nothing_is_left(environment)


def test_verbs_find_the_graph_of_a_demo_thread_from_any_directory(environment, tmp_path):
    with terminal(80, 24, environment) as screen:
        screen.type(f"cd {tmp_path} && lgtop demo\n")
        wait_for(screen, ["doc-contract", "● running"])
        screen.type("/id:doc-contract")
        screen.press("enter")
        wait_for(screen, lambda text: "doc-contract" in text and "fair-stand" not in text)
        wait_for(screen, "† crashed")
        screen.type("r")
        wait_for(screen, "runs sentiment")
        screen.press("enter")
        wait_for(screen, "✓ done")
        screen.type("q")
        wait_for(screen, lambda text: text.rstrip().endswith(PROMPT))
    assert nothing_is_left(environment)


def test_without_a_terminal_every_promise_is_kept(demo, environment):
    done = demo()
    assert (done.returncode, "✖" in done.stdout) == (0, False), done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "Every promise held."
    assert "extract 1× · sentiment 2× · summary 1×" in done.stdout
    assert "extract 2× · sentiment 2× · summary 1×" in done.stdout
    assert nothing_is_left(environment)


def test_on_a_server_in_a_schema_of_its_own_that_is_dropped(demo, environment, postgres_url):
    def schemas():
        with closing(psycopg.connect(postgres_url)) as connection:
            rows = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'lgtop_demo%'").fetchall()
            count = connection.execute("SELECT count(*) FROM checkpoints").fetchone()
        return rows, count[0]

    done = demo("--postgres", postgres_url)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✓ each of the 8 statuses is there" in done.stdout
    assert schemas() == ([], 0)
    assert nothing_is_left(environment)


def test_on_a_server_of_its_own(demo, environment):
    done = demo("--postgres", "--jsonl")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 28), done.stderr
    assert nothing_is_left(environment)


def test_a_server_that_is_not_there_is_refused_without_its_password(demo, environment):
    done = demo("--postgres", "postgresql://me:hush@127.0.0.1:1/nothing")
    assert (done.returncode, done.stdout) == (5, "")
    assert "refused" in done.stderr
    assert "hush" not in done.stderr
    assert nothing_is_left(environment)
