"""Whatever a user's code does, the run ends with a word about it, and nothing comes out beside its record."""

import os
import signal
import time
from pathlib import Path

import pytest

from backends.runs.alive import holder_pid
from backends.runs.events import Kind, Outcome
from backends.runs.spec import Verb
from backends.worker.pulse import GRACE
from tests.child import DEADLINE, Bench, Child, project

SOURCE = """
import asyncio, logging, multiprocessing, os, resource, signal, sys, threading, time, warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from typing_extensions import TypedDict
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph

class State(TypedDict, total=False):
    how: str
    where: str
    done: str

class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("no text")

class Unflushable:
    def write(self, text): pass
    def flush(self): raise RuntimeError("no flush")

def prints(state):
    print("printed")
    print("no end of line", end="", file=sys.stderr)
    os.write(1, b"\\nraw bytes \\xff\\x1b[31m\\n")
    os.system("echo from a child")
    logging.getLogger("app.node").warning("logged %s", "text")
    logging.getLogger("app.node").info("not logged")
    warnings.warn("warned")
    get_stream_writer()({"percent": 50})

def misbehaves(state):
    how = state["how"]
    if how == "prints": prints(state)
    if how == "reads": return {"done": f"read {sys.stdin.read()!r}"}
    if how == "asks": input("name? ")
    if how == "exits": sys.exit(3)
    if how == "exits now": os._exit(7)
    if how == "kills itself": os.kill(os.getpid(), 9)
    if how == "unprintable": raise Unprintable()
    if how == "base": raise BaseException("base")
    if how == "floods":
        line = b"x" * 99 + b"\\n"
        for _ in range(1000): os.write(2, line * 1000)
        os.write(2, b"the last words\\n")
    if how == "forks":
        if not os.fork():
            os._exit(0)
        os.wait()
    if how == "forks and goes on":
        if not os.fork():
            return {"done": "copy"}
    if how == "forks and exits":
        if not os.fork():
            sys.exit(0)
    if how == "ends what it forked":
        with multiprocessing.get_context("fork").Pool(2) as workers:
            workers.map(abs, range(3))
        forked = multiprocessing.get_context("fork").Process(target=time.sleep, args=(600,))
        forked.start()
        forked.terminate()
        forked.join(60)
        return {"done": f"exit {forked.exitcode}"}
    if how == "writes from a thread":
        write = get_stream_writer()
        with ThreadPoolExecutor(1) as others:
            others.submit(write, {"percent": 70}).result()
    if how == "closes": os.close(1); os.close(2); sys.stdout = None
    if how == "no flush": sys.stdout = sys.stderr = Unflushable()
    if how == "no descriptors": resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
    if how == "thread":
        threading.Thread(target=time.sleep, args=(600,)).start()
    if how == "waits":
        open(state["where"], "w").close()
        time.sleep(600)
    if how == "fails beside":
        open(state["where"], "w").close()
        while not os.path.exists(state["where"] + ".go"): time.sleep(0.01)
        print("came to its end")
    if how == "steps unheard": signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
    if how.startswith("steps"):
        open(state["where"], "w").close()
        while not os.path.exists(state["where"] + ".go"): time.sleep(0.01)
    return {"done": how}

async def waits_async(state):
    if state["how"] == "forks in the loop" and not os.fork():
        return {"done": "copy"}
    if state["how"] == "forks in the loop and exits" and not os.fork():
        sys.exit(0)
    if state["how"] == "waits async":
        open(state["where"], "w").close()
        await asyncio.sleep(600)
    if state["how"] == "blocks":
        open(state["where"], "w").close()
        while True: time.sleep(0.01)

builder = StateGraph(State)
builder.add_node("misbehaves", misbehaves)
builder.add_node("waits_async", waits_async)
def fails(state):
    while state["how"] == "fails beside":
        if os.path.exists(state["where"]): raise ValueError("failed beside")
        time.sleep(0.01)

builder.add_node("fails", fails)
def beside(state): return ["misbehaves", "fails"] if state["how"] == "fails beside" else ["misbehaves"]

builder.add_conditional_edges(START, beside)
builder.add_edge("misbehaves", "waits_async")
builder.add_edge("waits_async", END)
graph = builder.compile()
"""


PLAIN = SOURCE.replace("async def ", "def ").replace("await asyncio.sleep", "time.sleep")
"""The same without coroutines, for LangGraph's plain loop: a node that is alone in its step has the main thread."""


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, str(tmp_path / "store.sqlite"), project(tmp_path / "project", SOURCE))


@pytest.fixture
def plain(tmp_path: Path) -> Bench:
    return Bench(tmp_path, str(tmp_path / "store.sqlite"), project(tmp_path / "plain", PLAIN))


def run(bench: Bench, how: str, **more: str) -> Child:
    child = bench.do(Verb.START, input={"how": how, **more}, create_store=True)
    assert child.boot() == ""
    return child


def logs(child: Child) -> list[tuple[str, str]]:
    return [(event["stream"], event["text"]) for event in child.of(Kind.LOG)]


def test_what_is_printed_and_logged_is_told(bench: Bench):
    child = run(bench, "prints")
    assert child.end["outcome"] == Outcome.DONE
    told = logs(child)
    for stream, text in (
        ("stdout", "printed"),
        ("stderr", "no end of line"),
        ("stdout", "raw bytes \ufffd\x1b[31m"),
        ("stdout", "from a child"),
        ("app.node", "logged text"),
    ):
        assert any(each[0] == stream and text in each[1] for each in told), (text, told)
    assert any("warned" in text for _, text in told)
    assert not any("not logged" in text for _, text in told)
    assert [event["level"] for event in child.of(Kind.LOG) if event["stream"] == "app.node"] == ["WARNING"]
    assert b"raw bytes \xff" in (child.folder / "output.log").read_bytes()
    assert child.of(Kind.CUSTOM) == [{"ns": "", "value": {"percent": 50}}]


def test_reading_finds_the_end_of_input(bench: Bench):
    assert run(bench, "reads").end["outcome"] == Outcome.DONE
    assert run(bench, "asks").end["reason"].startswith("EOFError")


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("exits", "The graph's code called sys.exit(3)."),
        ("unprintable", "Unprintable: (its text cannot be made)"),
        ("base", "BaseException: base"),
    ],
)
def test_what_is_raised_is_the_end(bench: Bench, how: str, reason: str):
    child = run(bench, how)
    assert (child.end["outcome"], child.end["reason"], child.end["exit"]) == (Outcome.FAILED, reason, 1)
    assert child.end["next"] == ["misbehaves"]
    assert "in misbehaves" in child.of(Kind.ERROR)[0]["traceback"]


@pytest.mark.parametrize(
    ("how", "reason"), [("exits", "The graph's code called sys.exit(3)."), ("base", "BaseException: base")]
)
def test_what_is_raised_in_the_main_thread_is_the_end(plain: Bench, how: str, reason: str):
    child = run(plain, how)
    assert (child.end["outcome"], child.end["reason"], child.end["exit"]) == (Outcome.FAILED, reason, 1)
    assert child.end["next"] == ["misbehaves"]
    assert "in misbehaves" in child.of(Kind.ERROR)[0]["traceback"]


@pytest.mark.parametrize(("how", "code"), [("exits now", 7), ("kills itself", -9)])
def test_a_process_that_is_gone_says_nothing_and_is_seen_to_be_gone(bench: Bench, how: str, code: int):
    child = run(bench, how)
    assert child.process.returncode == code
    assert not child.of(Kind.END)
    assert child.of(Kind.TASK)[-1]["phase"] == "start"
    assert holder_pid(child.folder) is None
    assert bench.do(Verb.RESUME).of(Kind.LOCKED)  # the thread is free again


def test_a_hundred_megabytes_fill_neither_the_record_nor_the_disk(bench: Bench):
    child = run(bench, "floods")
    assert child.end["outcome"] == Outcome.DONE
    assert sum(path.stat().st_size for path in child.folder.rglob("*")) < 8_000_000
    output = (child.folder / "output.log").read_bytes()
    assert b"bytes left out" in output
    assert output.endswith(b"the last words\n")
    assert any("lines left out" in text for _, text in logs(child))
    assert child.events()[-1].t - child.events()[0].t < 60


@pytest.mark.parametrize(
    "how",
    ["forks", "forks and goes on", "forks and exits", "forks in the loop", "forks in the loop and exits"],
)
def test_a_graph_that_forks_is_told_once(bench: Bench, how: str):
    told_once(run(bench, how))


@pytest.mark.parametrize("how", ["forks and goes on", "forks and exits"])
def test_a_graph_that_forks_in_the_main_thread_is_told_once(plain: Bench, how: str):
    told_once(plain.do(Verb.START, input={"how": how}, create_store=True, durability="async"))


@pytest.mark.parametrize("way", ["bench", "plain"])
def test_what_a_graph_forks_can_be_ended_as_in_a_script(request: pytest.FixtureRequest, way: str):
    child = run(request.getfixturevalue(way), "ends what it forked")
    assert child.end["outcome"] == Outcome.DONE
    assert "exit -15" in child.of(Kind.TASK)[1]["result"]


@pytest.mark.parametrize("way", ["bench", "plain"])
def test_a_node_may_tell_something_from_a_thread_of_its_own(request: pytest.FixtureRequest, way: str):
    child = run(request.getfixturevalue(way), "writes from a thread")
    assert child.end["outcome"] == Outcome.DONE
    assert child.of(Kind.CUSTOM) == [{"ns": "", "value": {"percent": 70}}]


def told_once(child: Child) -> None:
    assert child.end["outcome"] == Outcome.DONE
    ended = [event["name"] for event in child.of(Kind.TASK) if event["phase"] == "end"]
    assert ended == ["misbehaves", "waits_async"]
    deadline = time.monotonic() + DEADLINE
    while _group_lives(child):  # no copy stays behind
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _group_lives(child: Child) -> bool:
    try:
        os.killpg(child.process.pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_closed_descriptors_and_threads_that_never_end_do_not_keep_a_run(bench: Bench):
    assert run(bench, "closes").end["outcome"] == Outcome.DONE
    child = run(bench, "thread")
    assert child.end["outcome"] == Outcome.DONE
    assert child.process.returncode == 0


@pytest.mark.parametrize("how", ["no flush", "no descriptors"])
def test_a_run_that_is_done_is_done_though_its_last_output_cannot_be_read(bench: Bench, how: str):
    child = run(bench, how)
    assert (child.end["outcome"], child.process.returncode) == (Outcome.DONE, 0)


@pytest.mark.parametrize(
    ("source", "outcome", "said"),
    [
        ("raise ValueError('at import')", Outcome.FAILED, "ValueError: at import"),
        ("import sys; sys.exit('bye')", Outcome.FAILED, "The graph's code called sys.exit('bye')."),
        ("import nobody_has_this", Outcome.FAILED, "No module named 'nobody_has_this'"),
        ("graph = (", Outcome.FAILED, "SyntaxError"),
        ("other = 1", Outcome.REFUSED, "There is no 'graph'"),
    ],
)
@pytest.mark.parametrize("verb", [Verb.START, Verb.DRAW])
def test_a_module_that_cannot_be_imported(
    bench: Bench, tmp_path: Path, source: str, outcome: Outcome, said: str, verb: Verb
):
    bench.graph = project(tmp_path / "broken", source)
    child = bench.do(verb, input={}, create_store=True)
    assert child.end["outcome"] == Outcome.REFUSED
    assert said in child.end["reason"]
    assert bool(child.of(Kind.ERROR)) is (outcome is Outcome.FAILED)
    assert not child.of(Kind.RUNNING)
    assert child.boot() == ""


def test_a_module_that_hangs_is_seen_to_live_and_can_be_stopped(bench: Bench, tmp_path: Path):
    bench.graph = project(tmp_path / "hanging", "import time\ntime.sleep(600)\n")
    child = bench.begin(Verb.START, input={}, create_store=True)
    child.until(lambda event: event.kind is Kind.HEARTBEAT)
    os.kill(child.process.pid, signal.SIGTERM)
    assert child.wait().end["outcome"] == Outcome.DRAINED
    assert not child.of(Kind.RUNNING)


def test_drain_waits_for_the_end_of_the_superstep(bench: Bench, tmp_path: Path):
    where = tmp_path / "reached"
    child = bench.begin(Verb.START, input={"how": "steps", "where": str(where)}, create_store=True)
    child.until(lambda event: where.exists())
    os.kill(child.process.pid, signal.SIGTERM)
    assert child.until(lambda event: event.kind is Kind.STOPPING).data["how"] == "drain"
    Path(f"{where}.go").touch()
    end = child.wait().end
    assert (end["outcome"], end["next"], end["exit"]) == (Outcome.DRAINED, ["waits_async"], 0)
    assert bench.do(Verb.RESUME).end["outcome"] == Outcome.DONE


def test_a_signal_that_does_not_wake_the_main_thread_is_heard(bench: Bench, tmp_path: Path):
    """As if it came when the main thread had looked for the last time and was about to wait."""
    where = tmp_path / "reached"
    child = bench.begin(Verb.START, input={"how": "steps unheard", "where": str(where)}, create_store=True)
    child.until(lambda event: event.kind is Kind.STOPPING)
    Path(f"{where}.go").touch()
    assert child.wait().end["outcome"] == Outcome.DRAINED


def test_drain_of_a_plain_graph(plain: Bench, tmp_path: Path):
    where = tmp_path / "reached"
    child = plain.begin(Verb.START, input={"how": "steps", "where": str(where)}, create_store=True)
    child.until(lambda event: where.exists())
    os.kill(child.process.pid, signal.SIGTERM)
    child.until(lambda event: event.kind is Kind.STOPPING)
    Path(f"{where}.go").touch()
    end = child.wait().end
    assert (end["outcome"], end["next"], end["exit"]) == (Outcome.DRAINED, ["waits_async"], 0)


@pytest.mark.parametrize("how", ["waits", "blocks", "fails beside"])
def test_cancel_ends_a_plain_graph(plain: Bench, tmp_path: Path, how: str):
    """In the main thread at once; beside it, as soon as LangGraph has waited long enough for the thread."""
    where = tmp_path / "reached"
    child = plain.begin(Verb.START, input={"how": how, "where": str(where)}, create_store=True)
    child.until(lambda event: where.exists())
    os.kill(child.process.pid, signal.SIGINT)
    asked = child.until(lambda event: event.kind is Kind.STOPPING).t
    end = child.wait().end
    assert (end["outcome"], end["exit"]) == (Outcome.CANCELLED, 1)
    assert end["next"] != []
    assert child.events()[-1].t - asked < 2 * GRACE


@pytest.mark.parametrize("how", ["waits", "waits async"])
def test_cancel_ends_a_run_at_once(bench: Bench, tmp_path: Path, how: str):
    where = tmp_path / "reached"
    child = bench.begin(Verb.START, input={"how": how, "where": str(where)}, create_store=True)
    child.until(lambda event: where.exists())
    os.kill(child.process.pid, signal.SIGINT)
    end = child.wait().end
    assert (end["outcome"], end["exit"]) == (Outcome.CANCELLED, 1)
    assert [event["how"] for event in child.of(Kind.STOPPING)] == ["cancel"]


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_plain_node_beside_a_failed_one_comes_to_its_end(bench: Bench, tmp_path: Path, cancelled: bool):
    where = tmp_path / "reached"
    child = bench.begin(Verb.START, input={"how": "fails beside", "where": str(where)}, create_store=True)
    child.until(lambda event: where.exists())
    child.until(lambda event: event.kind is Kind.HEARTBEAT and event.data["running"] == ["misbehaves"])
    assert bench.do(Verb.RESUME).end["outcome"] == Outcome.BUSY
    if cancelled:
        os.kill(child.process.pid, signal.SIGINT)
    else:
        Path(f"{where}.go").touch()
    assert child.wait().end["outcome"] == (Outcome.CANCELLED if cancelled else Outcome.FAILED)
    assert (("stdout", "came to its end") in logs(child)) is not cancelled


def test_a_second_cancel_ends_code_that_blocks_the_loop(bench: Bench, tmp_path: Path):
    where = tmp_path / "reached"
    child = bench.begin(Verb.START, input={"how": "blocks", "where": str(where)}, create_store=True)
    child.until(lambda event: where.exists())
    os.kill(child.process.pid, signal.SIGINT)
    child.until(lambda event: event.kind is Kind.STOPPING)
    os.kill(child.process.pid, signal.SIGINT)
    assert child.wait().end["outcome"] == Outcome.CANCELLED


def test_the_app_sees_a_graph_that_blocks_the_loop_live(bench: Bench, tmp_path: Path):
    where = tmp_path / "reached"
    child = bench.begin(Verb.START, input={"how": "blocks", "where": str(where)}, create_store=True)
    child.until(lambda event: where.exists())
    beat = child.until(lambda event: event.kind is Kind.HEARTBEAT and event.data["running"] != [])
    assert beat.data["running"] == ["waits_async"]
    os.killpg(child.process.pid, signal.SIGKILL)
    assert child.wait().process.returncode == -9
