"""What an application imports from ``lgtop``, beside packages of its own whose names are ours."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pytest

import lgtop
from backends.errors import AlreadyRunning, NotAStore, Refused
from backends.locks import public
from backends.locks.board import LockBoard
from backends.locks.holder import this_user
from backends.locks.process import this_process
from backends.locks.public import adopt, thread_lock
from backends.locks.take import take
from tests.locking import ROOT, Contender, within
from tests.sqlite_files import fork


@pytest.fixture
def store(tmp_path: Path) -> str:
    return str(tmp_path / "x.db")


def run_in(project: Path, program: str) -> str:
    """Run a program of a project that can import ``lgtop``; what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose own packages are called like ours."""
    folder = tmp_path / "project"
    for name in ("backends", "tui", "demo_graphs", "tests"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(f"mine = 'the project\\'s {name}'\n")
    return folder


def test_with_holds_the_thread_for_a_block(store: str):
    with thread_lock(store, "a") as held, Contender(store, "a") as other:
        assert held.held()
        assert other.ask("take") == f"busy: {public._program()} {this_user()} · pid {os.getpid()}"
    assert not held.held()
    with held, pytest.raises(AlreadyRunning), thread_lock(store, "a", who="again"):
        pytest.fail("the thread was taken twice")
    with pytest.raises(ZeroDivisionError), held:
        raise ZeroDivisionError
    with thread_lock(store, "a", who="job 7"):
        assert LockBoard(store).holders()["a"].who == "job 7"


def test_a_number_is_the_thread_that_langgraph_makes_of_it(store: str):
    with thread_lock(store, 5) as held, Contender(store, "5") as other:  # type: ignore[arg-type]
        assert held.held()
        assert other.ask("take").startswith("busy")


async def test_async_with_holds_the_thread_for_a_block(store: str):
    with Contender(store, "a") as other:
        async with thread_lock(store, "a") as held:
            assert held.held()
            assert other.ask("take").startswith("busy")
            with pytest.raises(AlreadyRunning, match=f"pid {os.getpid()}"):
                async with thread_lock(store, "a"):
                    pytest.fail("the thread was taken twice")
        assert not held.held()
        assert other.ask("take") == "taken"


def test_it_waits_as_long_as_it_is_told(store: str):
    with Contender(store, "a") as other:
        assert other.ask("take") == "taken"
        started = time.monotonic()
        with pytest.raises(AlreadyRunning), thread_lock(store, "a", timeout=0.2):
            pytest.fail("it was held")
        assert time.monotonic() - started >= 0.2
        threading.Timer(0.1, other.kill).start()
        with thread_lock(store, "a", timeout=20) as lock:
            assert lock.held()


async def test_the_event_loop_goes_on_while_it_waits(store: str, monkeypatch: pytest.MonkeyPatch):
    loop, entered, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def slow(*arguments: str, **named: str) -> object:
        loop.call_soon_threadsafe(entered.set)
        assert go_on.wait(20)
        return take(*arguments, **named)

    monkeypatch.setattr(public, "take", slow)
    busy = ThreadPoolExecutor(1)
    loop.set_default_executor(busy)
    release = threading.Event()
    busy.submit(release.wait)  # the loop's own threads have no time either
    lock = thread_lock(store, "a")
    entering = asyncio.create_task(lock.__aenter__())
    await entered.wait()
    assert not entering.done()
    go_on.set()
    assert (await entering).held()
    await lock.__aexit__(None, None, None)
    release.set()


async def test_a_lock_that_arrives_after_a_cancellation_is_given_back(store: str, monkeypatch: pytest.MonkeyPatch):
    loop, entered, go_on = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def slow(*arguments: str, **named: str) -> object:
        lock = take(*arguments, **named)
        loop.call_soon_threadsafe(entered.set)
        assert go_on.wait(20)
        return lock

    monkeypatch.setattr(public, "take", slow)
    entering = asyncio.create_task(thread_lock(store, "a").__aenter__())
    await entered.wait()
    entering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await entering
    assert "a" in LockBoard(store).holders()
    go_on.set()
    assert within(20, lambda: LockBoard(store).holders() == {})


def test_what_cannot_be_locked_is_refused(tmp_path: Path):
    with pytest.raises(NotAStore), thread_lock(":memory:", "a"):
        pytest.fail("nothing to hold")
    (tmp_path / "x.db-lgtop").mkdir()
    with pytest.raises(Refused), thread_lock(str(tmp_path / "x.db"), "a"):
        pytest.fail("nothing to hold")


def test_inside_a_run_its_own_thread_is_held_already(store: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(this_process(), "adopted", set())
    link = Path(store).with_name("link.db")
    link.symlink_to(store)
    with take(store, "a", who="the run", run_id="r1") as lock:
        adopt("a", store)
        with thread_lock(str(link), "a", timeout=5) as inner:
            assert inner.held()
        assert lock.held()
        with thread_lock(store, "b") as other:  # any other thread is taken as usual
            assert set(LockBoard(store).holders()) == {"a", "b"}
            assert other.held()

        def child() -> None:
            with pytest.raises(AlreadyRunning, match="run r1"):
                thread_lock(store, "a").__enter__()

        assert os.waitpid(fork(child), 0)[1] == 0


def test_two_copies_of_the_package_in_one_process_know_of_each_other(store: str):
    theirs = lgtop.thread_lock
    assert theirs is not thread_lock
    with theirs(store, "a", who="theirs") as lock:
        assert LockBoard(store).holders()["a"].who == "theirs"
        with pytest.raises(AlreadyRunning, match="theirs"):
            take(store, "a")
        with take(store, "b"), pytest.raises(lgtop.AlreadyRunning), theirs(store, "b"):
            pytest.fail("the thread was taken twice")
        assert lock.held()
    assert LockBoard(store).holders() == {}


def test_the_backends_are_ours_and_the_same_each_time():
    package = lgtop.load_backends()
    assert isinstance(package, ModuleType)
    assert package.__name__ == "_lgtop_backends"
    assert Path(str(package.__file__)) == ROOT / "backends" / "__init__.py"
    assert lgtop.load_backends() is package
    assert package is not sys.modules["backends"]


def test_what_is_offered_can_be_imported():
    for name in lgtop.__all__:
        assert getattr(lgtop, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        getattr(lgtop, "nothing")  # noqa: B009


def test_an_application_keeps_its_own_packages_of_our_names(project: Path, store: str):
    told = run_in(
        project,
        f"""
        import sys
        import backends
        from lgtop import AlreadyRunning, thread_lock
        import tui, demo_graphs, tests
        with thread_lock({store!r}, "a") as lock:
            try:
                with thread_lock({store!r}, "a"):
                    print("twice")
            except AlreadyRunning:
                print(lock.held(), sys.modules["backends"] is backends)
        print(backends.mine, tui.mine, demo_graphs.mine, tests.mine, sep="; ")
        """,
    )
    assert (
        told == "True True\nthe project's backends; the project's tui; the project's demo_graphs; the project's tests\n"
    )


def test_importing_lgtop_first_hides_nothing_either(project: Path, store: str):
    told = run_in(
        project,
        f"""
        from lgtop import thread_lock
        with thread_lock({store!r}, "a"):
            import backends
            print(backends.mine)
        """,
    )
    assert told == "the project's backends\n"


def test_importing_lgtop_costs_an_application_nothing(project: Path):
    told = run_in(project, "import sys, lgtop; print([m for m in sys.modules if m.startswith(('_lgtop', 'backends'))])")
    assert told == "[]\n"
    told = run_in(
        project,
        """
        import sys
        from lgtop import thread_lock
        print({"langgraph", "psycopg", "rich", "textual"} & set(sys.modules))
        """,
    )
    assert told == "set()\n"


def test_many_threads_that_import_at_once_get_one_package(project: Path):
    told = run_in(
        project,
        """
        from concurrent.futures import ThreadPoolExecutor
        import lgtop
        with ThreadPoolExecutor(8) as pool:
            print(len({id(p) for p in pool.map(lambda _: lgtop.load_backends(), range(64))}))
        """,
    )
    assert told == "1\n"
