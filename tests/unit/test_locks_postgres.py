"""Advisory locks: what a session says about itself, who can read it, poolers, lost sessions."""

from __future__ import annotations

import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

import psycopg
import pytest

from backends.errors import AlreadyRunning, StoreError, StoreUnreachable
from backends.locks import postgres_board
from backends.locks.board import LockBoard
from backends.locks.holder import Holder, this_host
from backends.locks.key import thread_number
from backends.locks.postgres_label import application_name, comment, read_comment, read_name
from backends.locks.process import this_process
from backends.locks.take import take
from tests import pooler, postgres
from tests.locking import Contender, within
from tests.pooler import Pooler
from tests.sqlite_files import fork

SESSIONS = """
SELECT pid, application_name, query, state FROM pg_stat_activity
WHERE application_name LIKE 'lgtop %' AND datname = current_database()
"""


@pytest.fixture
def admin(postgres_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def board(postgres_url: str) -> Iterator[LockBoard]:
    with closing(LockBoard(postgres_url)) as opened:
        yield opened


def end(admin: psycopg.Connection, pid: int) -> None:
    admin.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))


# --- what a session says -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "run_id", "expected"),
    [
        ("you@laptop", "1121-0910-k3f2", "lgtop run 1121-0910-k3f2 you@laptop 4312"),
        ("you@laptop", None, "lgtop you@laptop 4312"),
        ("night job 7", None, "lgtop night job 7 4312"),
        ("Jürgen@büro", "r", "lgtop run r J?rgen@b?ro 4312"),
        ("w" * 80, "1121-0910-k3f2", f"lgtop run 1121-0910-k3f2 {'w' * 33} 4312"),
    ],
)
def test_an_application_name_fits_and_is_read_again(who: str, run_id: str | None, expected: str):
    name = application_name(Holder("a", 4312, who, "laptop", run_id))
    assert name == expected
    assert len(name) <= 63
    assert name.isascii()
    cut = who.encode("ascii", "replace").decode()[:33]
    assert read_name(name, "a", 5.0) == Holder("a", 4312, cut, run_id=run_id, since=5.0)


def test_a_strange_application_name_is_shown_as_it_is():
    assert read_name("lgtop", "a", None) == Holder("a", None, "lgtop")
    assert read_name("psql", "a", 1.0) == Holder("a", None, "psql", since=1.0)


@pytest.mark.parametrize("text", ["*/ DROP TABLE x; --", "%s %(a)s", "a=b&c", "\0\n", "日本", "\ud800"])
def test_a_comment_holds_any_text(text: str):
    holder = Holder(text, 1, text, text, text, 1795251712.5)
    assert read_comment(f"SELECT 1 {comment(holder)}") == holder
    assert comment(holder).count("*/") == 1
    assert comment(holder).isascii()


@pytest.mark.parametrize(
    "statement",
    ["", "SELECT 1", "/* lgtop */", "/* lgtop pid=1 */", "/* lgtop thread=a&pid=x */", "/* lgtop thread=a&pid=1"],
)
def test_what_is_no_comment_of_ours_is_none(statement: str):
    assert read_comment(statement) is None


def test_times_that_are_none_are_left_out():
    for since in ("nan", "inf", "-1", "1e300", "x"):
        found = read_comment(f"/* lgtop thread=a&pid=1&since={since} */")
        assert found is not None
        assert found.since is None


# --- who can read it ---------------------------------------------------------------------------------------------


def test_administrators_see_it_in_the_list_of_sessions(postgres_url: str, admin: psycopg.Connection):
    with take(postgres_url, "a", who="you@laptop", run_id="r1"):
        ((_, name, query, state),) = admin.execute(SESSIONS).fetchall()
    assert name == f"lgtop run r1 you@laptop {os.getpid()}"
    assert "thread=a&" in query
    assert state == "idle"
    assert within(5, lambda: admin.execute(SESSIONS).fetchall() == [])


def test_another_role_sees_who_holds_what_it_knows(
    postgres_url: str, postgres_role: Callable[..., str], monkeypatch: pytest.MonkeyPatch
):
    """A role without ``pg_read_all_stats`` sees application names, not statements."""
    asked = 0

    def threads() -> list[str]:
        nonlocal asked
        asked += 1
        return ["b", "a"]

    clock = 100.0
    monkeypatch.setattr(postgres_board.time, "monotonic", lambda: clock)
    reader = postgres_role(postgres_url, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    with closing(LockBoard(reader)) as board, take(postgres_url, "a", who="you@laptop", run_id="r1"):
        for _ in range(3):
            assert board.holders(threads) == {"a": Holder("a", os.getpid(), "you@laptop", run_id="r1")}
        assert asked == 1  # a list of 100,000 threads is not gone through at each look
        with take(postgres_url, "unheard of"):
            for _ in range(3):
                assert set(board.holders(threads)) == {"a"}
            assert asked == 2
            clock += 6
            board.holders(threads)
            assert asked == 3
        with pytest.raises(AlreadyRunning, match=f"run r1 · you@laptop · pid {os.getpid()}"):
            take(reader, "a")


def test_locks_of_other_applications_are_none_of_ours(postgres_url: str, admin: psycopg.Connection, board: LockBoard):
    admin.execute(
        "SELECT pg_advisory_lock(1), pg_advisory_lock(2, 3), set_config('application_name', 'lgtop x', false)"
    )
    assert board.holders(lambda: ["a"]) == {}
    admin.execute("SELECT pg_advisory_lock(%s)", (thread_number("public", "a"),))
    assert board.holders(lambda: ["a"]) == {
        "a": Holder("a", None, "lgtop x", since=board.holders(lambda: ["a"])["a"].since)
    }
    with pytest.raises(AlreadyRunning, match="lgtop x"):
        take(postgres_url, "a")


def test_a_session_that_lies_about_its_thread_is_not_believed(
    postgres_url: str, admin: psycopg.Connection, board: LockBoard
):
    admin.execute("SET application_name = 'lgtop liar 1'")
    told = comment(Holder("b", 1, "liar", "host")).replace("%", "%%")
    admin.execute(f"SELECT pg_advisory_lock(%s) {told}".encode(), (thread_number("public", "a"),))
    assert board.holders() == {}
    with closing(LockBoard(postgres_url)) as another:
        assert set(another.holders(lambda: ["a", "b"])) == {"a"}


def test_each_schema_has_threads_of_its_own(postgres_url: str, admin: psycopg.Connection, board: LockBoard):
    postgres.migrate(postgres_url, postgres.LATEST, schema="team")
    team = postgres.with_parameters(postgres_url, options="-csearch_path=team")
    both = postgres.with_parameters(postgres_url, options="-csearch_path=nowhere,public")
    with closing(LockBoard(team)) as theirs, take(team, "a", who="team"):
        assert board.holders(lambda: ["a"]) == {}
        with take(both, "a", who="public"):
            assert theirs.holders()["a"].who == "team"
            assert board.holders()["a"].who == "public"


def test_a_database_without_tables_can_be_locked_before_they_are_made(postgres_database: Callable[..., str]):
    url = postgres_database(None)
    with take(url, "a"):
        postgres.migrate(url, postgres.LATEST)
        with pytest.raises(AlreadyRunning):
            take(url, "a")


def test_a_role_that_may_only_read_can_lock(postgres_url: str, postgres_role: Callable[..., str]):
    reader = postgres_role(postgres_url, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    with take(reader, "a") as lock:
        assert lock.held()


# --- passwords ---------------------------------------------------------------------------------------------------


def test_the_password_is_nowhere(postgres_url: str, postgres_role: Callable[..., str], admin: psycopg.Connection):
    url = postgres_role(postgres_url)
    with take(url, "a"):
        told = str(admin.execute(SESSIONS).fetchall())
        with pytest.raises(AlreadyRunning) as busy:
            take(url, "a")
    with pytest.raises(StoreUnreachable, match="does not accept the password") as refused:
        take(url.replace("p%40ss", "wrong"), "a")
    for text in (told, str(busy.value), str(refused.value), repr(refused.value.__context__)):
        assert "ss: w" not in text
        assert "ss%3A" not in text
        assert "wrong" not in text


def test_a_server_that_is_not_there_is_named(postgres_url: str):
    nowhere = f"postgresql://postgres@127.0.0.1:{postgres.free_port()}/x"
    with pytest.raises(StoreUnreachable, match="No PostgreSQL server answers at 127"):
        take(nowhere, "a")
    with closing(LockBoard(nowhere)) as board, pytest.raises(StoreUnreachable):
        board.holders()


# --- sessions that end -------------------------------------------------------------------------------------------


def test_a_session_that_the_server_ends_is_noticed(postgres_url: str, admin: psycopg.Connection, board: LockBoard):
    with take(postgres_url, "a") as lock:
        end(admin, admin.execute(SESSIONS).fetchall()[0][0])
        assert within(5, lambda: not lock.held())
        assert board.holders() == {}
        lock.release()
        with take(postgres_url, "a") as other:
            assert other.held()
            assert not lock.held()


def test_a_board_that_lost_its_session_makes_another(postgres_url: str, admin: psycopg.Connection, board: LockBoard):
    with take(postgres_url, "a"):
        assert "a" in board.holders()
        ours = "SELECT pid FROM pg_stat_activity WHERE application_name = 'lgtop' AND datname = current_database()"
        (pid,) = admin.execute(ours).fetchone() or (0,)
        end(admin, pid)
        with suppress(StoreError):
            board.holders()
        assert "a" in board.holders()


def test_a_server_that_ends_idle_sessions_leaves_locks_alone(postgres_url: str, admin: psycopg.Connection):
    """Another idle session, begun later, shows when the server has had its chance."""
    name = admin.info.dbname
    for setting in ("idle_session_timeout", "idle_in_transaction_session_timeout", "transaction_timeout"):
        with suppress(psycopg.errors.UndefinedObject):  # servers before 14 and 17
            admin.execute(f'ALTER DATABASE "{name}" SET {setting} = 1000'.encode())
    with Pooler(postgres_url) as found, take(postgres_url, "a") as lock, take(found.url, "b") as pooled:
        with psycopg.connect(postgres_url) as idle:
            idle.execute("SELECT 1")
            assert within(20, lambda: _ended(idle))
        assert lock.held()
        assert pooled.held()
        with psycopg.connect(postgres_url) as looker:
            held = looker.execute(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            ).fetchone()
            assert held == (2,)


def _ended(connection: psycopg.Connection) -> bool:
    with suppress(psycopg.Error):
        connection.pgconn.consume_input()
        return False
    return True


def test_a_descriptor_that_another_took_over_is_left_alone_in_a_forked_child(
    postgres_url: str, admin: psycopg.Connection
):
    with take(postgres_url, "a") as lock:
        (number,) = this_process().sockets
        end(admin, admin.execute(SESSIONS).fetchall()[0][0])
        assert within(5, lambda: not lock.held())  # libpq has closed its socket
        pipe = os.pipe()
        reading, writing = (fcntl.fcntl(side, fcntl.F_DUPFD, number + 1) for side in pipe)
        os.dup2(writing, number)

        def child() -> None:
            os.write(number, b"mine")

        assert os.waitpid(fork(child), 0)[1] == 0
        for descriptor in {*pipe, writing, number}:
            os.close(descriptor)
        assert os.read(reading, 100) == b"mine"
        os.close(reading)


def test_a_server_that_has_not_noticed_a_death_is_given_time(
    postgres_server: postgres.Server, postgres_url: str, admin: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
):
    with Contender(postgres_url, "a") as dead:
        assert dead.ask("take") == "taken"
        session = admin.execute(SESSIONS).fetchall()[0][0]

        def tell(what: signal.Signals) -> None:
            if postgres_server.managed:  # elsewhere, its processes are out of reach, and it may be quick
                with suppress(ProcessLookupError):
                    os.kill(session, what)

        sleep, waits = time.sleep, []

        def wait(seconds: float) -> None:
            waits.append(seconds)
            tell(signal.SIGCONT)
            sleep(seconds)

        monkeypatch.setattr(time, "sleep", wait)
        tell(signal.SIGSTOP)
        try:
            dead.kill()
            with take(postgres_url, "a") as lock:
                assert lock.held()
        finally:
            tell(signal.SIGCONT)
        assert waits or not postgres_server.managed


# --- poolers -----------------------------------------------------------------------------------------------------


@pytest.fixture(params=["refuses options", "ignores options"])
def through(request: pytest.FixtureRequest, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pooler]:
    """A transaction pooler; what it says its process id is, is not that of a server."""
    with Pooler(postgres_url) as found:
        if request.param == "ignores options":
            monkeypatch.setattr(pooler, "_KNOWN", {*pooler._KNOWN, "options"})
            key = found._greeting.index(b"K\0\0\0")
            monkeypatch.setattr(
                found, "_greeting", found._greeting[: key + 5] + b"\x7f" * 4 + found._greeting[key + 9 :]
            )
        yield found


def test_behind_a_transaction_pooler_a_transaction_holds_the_lock(
    through: Pooler, postgres_url: str, board: LockBoard, admin: psycopg.Connection
):
    with Contender(through.url, "a", "other") as other:
        for _ in range(4):
            with take(through.url, "a", who="you@laptop", run_id="r1") as lock:
                ((_, name, _, state),) = admin.execute(SESSIONS).fetchall()
                assert name == f"lgtop run r1 you@laptop {os.getpid()}"
                assert state == "idle in transaction"
                assert board.holders()["a"].host == this_host()
                assert other.ask("take") == f"busy: run r1 · you@laptop · pid {os.getpid()}"
                with pytest.raises(AlreadyRunning, match="run r1"):
                    take(postgres_url, "a")
                assert lock.held()
            assert not lock.held()
            assert board.holders() == {}
            assert within(5, lambda: admin.execute(SESSIONS).fetchall() == [])  # pooled sessions have their names back
        assert other.ask("take") == "taken"


def test_a_lock_behind_a_pooler_holds_no_vacuum_back(through: Pooler, admin: psycopg.Connection):
    with take(through.url, "a"):
        held = admin.execute(
            "SELECT backend_xmin, backend_xid FROM pg_stat_activity WHERE application_name LIKE 'lgtop %'"
            " AND datname = current_database()"
        ).fetchall()
    assert held == [(None, None)]


def test_a_search_path_reaches_through_a_pooler(postgres_url: str, board: LockBoard):
    postgres.migrate(postgres_url, postgres.LATEST, schema="team")
    path = {"options": "-csearch_path=team"}
    with (
        Pooler(postgres_url) as found,
        closing(LockBoard(postgres.with_parameters(postgres_url, **path))) as theirs,
        take(postgres.with_parameters(found.url, **path), "a"),
    ):
        assert set(theirs.holders()) == {"a"}
        assert board.holders(lambda: ["a"]) == {}
