"""Opening a PostgreSQL store, or being told in one sentence why not; and never the password."""

from __future__ import annotations

import os
import socket
import threading
import traceback
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, quote_plus, urlsplit

import psycopg
import pytest

from backends.errors import Cancelled, NotAStore, StoreBusy, StoreError, StoreUnreachable
from backends.postgres import PostgresStore
from backends.postgres_open import Session, Statement
from tests import postgres

SECRET = "s3cr3t p@ss:w/rd%41"

Role = Callable[..., str]


@pytest.fixture(autouse=True, params=["psycopg", "libpq"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything here holds for stores that stay open, and for those that are open for a few reads."""
    for opener in (PostgresStore, Session):
        defaults = opener.__init__.__kwdefaults__
        assert defaults is not None
        monkeypatch.setitem(defaults, "brief", request.param == "libpq")


@pytest.fixture
def account(postgres_url: str, postgres_role: Role) -> str:
    """URL of a role that may read everything, with its password."""
    return postgres_role(postgres_url, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")


def place_of(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


def refusal(address: str) -> StoreError:
    """The error that opening raises, after a look at everything that it could show of a password."""
    with pytest.raises(StoreError) as caught:
        PostgresStore(address)
    error = caught.value
    assert error.reason.endswith(".")
    assert error.advice
    assert error.__cause__ is None
    assert error.__context__ is None
    assert_no_secret("".join(traceback.format_exception(error)), repr(error), str(error), repr(error.args))
    return error


def assert_no_secret(*texts: str) -> None:
    for text in texts:
        for secret in (SECRET, postgres.PASSWORD):
            for form in (secret, quote(secret), quote(secret, safe=""), quote_plus(secret)):
                assert form not in text


def test_what_an_open_store_says_of_itself(account: str) -> None:
    with closing(PostgresStore(account)) as store:
        info = store.info
        role, database = urlsplit(account).username, urlsplit(account).path[1:]
        assert info.kind == "postgres"
        assert info.name == f"{database}@127.0.0.1"
        assert info.location == f"postgresql://{role}@{place_of(account)}/{database}, schema public"
        assert info.schema == "migration 9"
        assert not info.writable
        assert info.warnings == ()
        assert_no_secret(repr(store), repr(info), str(store.cursor()), repr(store.poll(store.cursor())))


def test_the_owner_could_write(postgres_url: str) -> None:
    with closing(PostgresStore(postgres_url)) as store:
        assert store.info.writable


def test_a_connection_string_works_too(postgres_url: str) -> None:
    parts = urlsplit(postgres_url)
    address = f"host={parts.hostname} port={parts.port} user={parts.username} dbname={parts.path[1:]}"
    with closing(PostgresStore(address)) as store:
        assert store.counts() == {}


def test_an_at_sign_that_is_in_no_password(postgres_url: str) -> None:
    with closing(PostgresStore(postgres_url + "?application_name=a@b/c")) as store:
        assert store.counts() == {}


def test_a_database_that_promises_no_encoding(postgres_server: postgres.Server) -> None:
    name = f"{postgres_server.template.replace('template', 'ascii')}_{os.getpid()}"
    url = postgres.database_url(postgres_server.url, name)
    with psycopg.connect(postgres_server.url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE \"{name}\" ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0".encode())
    try:
        postgres.migrate(url, postgres.LATEST)
        with psycopg.connect(url, autocommit=True) as connection, closing(PostgresStore(url)) as store:
            cursor = store.cursor()
            connection.execute("INSERT INTO checkpoints VALUES (E'\\xff\\xc3\\xa9', '', 'x', NULL, NULL, '{}', '{}')")
            assert list(store.counts()) == ["\\xffé"]
            assert store.poll(cursor).changed == {"\\xffé"}
            assert [head.thread_id for batch in store.heads() for head in batch] == ["\\xffé"]
    finally:
        postgres.drop_database(postgres_server, name)


@pytest.fixture
def environment(account: str, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """``PG*`` variables that lead to the store."""
    parts = urlsplit(account)
    monkeypatch.setenv("PGHOST", parts.hostname or "")
    monkeypatch.setenv("PGPORT", str(parts.port))
    monkeypatch.setenv("PGDATABASE", parts.path[1:])
    monkeypatch.setenv("PGUSER", parts.username or "")
    monkeypatch.setenv("PGPASSWORD", postgres.PASSWORD)
    return monkeypatch


def test_libpq_variables(environment: pytest.MonkeyPatch, account: str) -> None:
    with closing(PostgresStore("postgresql://")) as store:
        assert store.info.location.startswith(f"postgresql://{urlsplit(account).username}@{place_of(account)}/")
    environment.setenv("PGPASSWORD", SECRET)
    assert "does not accept the password" in refusal("postgresql://").reason


def test_options_of_the_environment(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("PGOPTIONS", "-c search_path=nowhere")
    assert "csearch_path%3Dpublic" in refusal("postgresql://").advice


def test_a_service_file(monkeypatch: pytest.MonkeyPatch, account: str, tmp_path: Path) -> None:
    parts = urlsplit(account)
    settings = {"host": parts.hostname, "port": parts.port, "dbname": parts.path[1:], "user": parts.username}
    settings["password"] = postgres.PASSWORD
    lines = "\n".join(f"{name}={value}" for name, value in settings.items())
    (tmp_path / "services").write_text(f"[right]\n{lines}\n[lost]\n{lines}\noptions=-csearch_path=nowhere\n")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    with closing(PostgresStore("postgresql://?service=right")) as store:
        assert parts.path[1:] in store.info.name
        assert_no_secret(store.info.location)
    assert "nowhere" not in refusal("postgresql://?service=lost").reason
    with monkeypatch.context() as inner:
        inner.setenv("PGSERVICE", "none")
        assert "service" in refusal("postgresql://").reason


def test_the_server_sees_who_we_are_and_that_we_only_read(postgres_url: str) -> None:
    session = Session(postgres_url)
    show = "SELECT current_setting('application_name'), current_setting('default_transaction_read_only')"
    assert session.read(Statement(show)) == [[("lgtop", "on")]]
    with pytest.raises(StoreError) as caught:
        session.read(Statement("INSERT INTO checkpoint_migrations VALUES (99) RETURNING v"))
    assert "read-only" in caught.value.reason
    session.close()


# --- refusals ----------------------------------------------------------------------------------------------------


def with_secret(url: str, user: str = "postgres") -> str:
    return postgres.role_url(url, user, SECRET)


def test_nobody_listens(postgres_url: str) -> None:
    parts = urlsplit(with_secret(postgres_url))
    port = postgres.free_port()
    error = refusal(parts._replace(netloc=parts.netloc.rpartition(":")[0] + f":{port}").geturl())
    assert error.reason == f"No PostgreSQL server answers at 127.0.0.1:{port}."


def test_a_socket_that_is_not_there(tmp_path: Path) -> None:
    error = refusal(f"postgresql://me:{quote(SECRET, safe='')}@/db?host={quote(str(tmp_path), safe='')}")
    assert isinstance(error, StoreUnreachable)
    assert str(tmp_path)[:40] in error.reason


def test_a_host_that_is_not_known() -> None:
    error = refusal(f"postgresql://me:{quote(SECRET, safe='')}@no-such-host.invalid/db")
    assert error.reason == "The host of no-such-host.invalid:5432 is not known."


def test_a_server_that_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        error = refusal(f"postgresql://me:{quote(SECRET, safe='')}@127.0.0.1:{port}/db?connect_timeout=2")
    assert "did not answer in time" in error.reason


def test_a_server_that_speaks_something_else() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        port = listener.getsockname()[1]

        def answer() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(100)
                    connection.sendall(b"HTTP/1.1 400 \x1b[31mBad Request\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        error = refusal(f"postgresql://me:{quote(SECRET, safe='')}@127.0.0.1:{port}/db?connect_timeout=2")
    assert isinstance(error, StoreUnreachable)
    assert "\x1b" not in str(error)


def test_a_wrong_password(account: str) -> None:
    role = urlsplit(account).username or ""
    error = refusal(postgres.role_url(account, role, SECRET))
    assert error.reason == f"The server at {place_of(account)} does not accept the password of {role}."
    assert "PGPASSWORD" in error.advice


def test_no_password(account: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGPASSWORD", raising=False)
    parts = urlsplit(account)
    error = refusal(parts._replace(netloc=f"{parts.username}@{place_of(account)}").geturl())
    assert "password" in error.reason


def test_an_unknown_database(account: str) -> None:
    error = refusal(postgres.database_url(account, "nothing here"))
    assert error.reason == f"The server at {place_of(account)} has no database named nothing here."


def test_an_unknown_role(postgres_url: str) -> None:
    assert "no_such_role" in refusal(with_secret(postgres_url, "no_such_role")).reason


def test_no_encryption_to_be_had(account: str) -> None:
    error = refusal(postgres.with_parameters(account, sslmode="require"))
    assert error.reason.startswith("No secure connection")
    assert "sslmode" in error.advice


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql://me:{SECRET}@host:notaport/db",
        f"postgresql://me:{SECRET}@[::1/db",
        f"postgresql://me:{quote(SECRET, safe='')}@host/db?no_such_parameter=1",
        f"host=here password='{SECRET}",
        "postgresql://me:%zz@host/db",
        f"postgresql://me:x@{SECRET}@host/db",
        f"postgresql://me:x/{SECRET}@host/db",
    ],
)
def test_an_address_that_cannot_be_parsed(address: str) -> None:
    assert refusal(address).reason == "The address is not a valid PostgreSQL URL."


def test_no_right_to_connect(postgres_url: str, account: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(f'REVOKE CONNECT ON DATABASE "{urlsplit(postgres_url).path[1:]}" FROM PUBLIC'.encode())
    assert "may not connect" in refusal(account).reason


# --- what an open store may meet ---------------------------------------------------------------------------------


def test_a_lost_connection_is_made_again(postgres_url: str) -> None:
    with closing(PostgresStore(postgres_url)) as store, psycopg.connect(postgres_url, autocommit=True) as admin:
        cursor = store.cursor()
        admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE application_name = 'lgtop' AND datname = current_database()"
        )
        with pytest.raises(StoreUnreachable) as caught:
            store.counts()
        assert "was lost" in caught.value.reason
        assert caught.value.__context__ is None
        admin.execute("INSERT INTO checkpoints VALUES ('a', '', 'x', NULL, NULL, '{}', '{}')")
        assert store.counts() == {"a": 1}
        assert store.poll(cursor).changed == {"a"}


def test_a_table_locked_by_a_migration(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from backends import postgres_open

    monkeypatch.setattr(postgres_open, "_BEGIN", postgres_open._BEGIN.replace("5s", "50ms"))
    with closing(PostgresStore(postgres_url)) as store, psycopg.connect(postgres_url) as other:
        other.execute("LOCK TABLE checkpoints IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(StoreBusy, match="locked"):
            store.counts()
        other.rollback()
        assert store.counts() == {}


def test_a_statement_timeout_of_the_server(postgres_url: str) -> None:
    session = Session(postgres.with_parameters(postgres_url, options="-c statement_timeout=50"))
    with pytest.raises(StoreBusy, match="statement_timeout"):
        session.read(Statement("SELECT pg_sleep(30)"))
    assert session.read(Statement("SELECT 1")) == [[(1,)]]
    session.close()


def test_errors_of_a_statement_hide_the_password(postgres_url: str, account: str) -> None:
    with closing(PostgresStore(account)) as store, psycopg.connect(postgres_url, autocommit=True) as admin:
        role = urlsplit(account).username
        admin.execute(f'REVOKE SELECT ON checkpoints FROM "{role}"'.encode())
        with pytest.raises(StoreUnreachable) as caught:
            store.counts()
        assert f'GRANT SELECT ON checkpoints, checkpoint_blobs, checkpoint_writes TO "{role}"' in caught.value.advice
        assert_no_secret("".join(traceback.format_exception(caught.value)))


def test_tables_that_are_dropped_and_made_again(postgres_url: str) -> None:
    with closing(PostgresStore(postgres_url)) as store, psycopg.connect(postgres_url, autocommit=True) as admin:
        cursor = store.cursor()
        admin.execute("DROP TABLE checkpoints, checkpoint_blobs, checkpoint_writes, checkpoint_migrations")
        with pytest.raises(StoreUnreachable):
            store.counts()
        with pytest.raises(NotAStore):
            store.counts()
        with pytest.raises(NotAStore):
            store.poll(cursor)
        postgres.migrate(postgres_url, 8)
        admin.execute("INSERT INTO checkpoints VALUES ('a', '', 'x', NULL, NULL, '{}', '{}')")
        assert store.counts() == {"a": 1}
        assert store.poll(cursor).reload
        assert store.raw([head.key for head in store.newest_heads(1)])


def test_interrupt_stops_the_statement_that_runs(postgres_url: str) -> None:
    session, raised = Session(postgres_url), []

    def read() -> None:
        try:
            session.read(Statement("SELECT pg_sleep(60)"))
        except StoreError as error:
            raised.append(error)

    session.interrupt()
    reading = threading.Thread(target=read)
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        active = (
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND application_name = 'lgtop'"
            " AND datname = current_database()"
        )
        reading.start()
        while admin.execute(active).fetchone() != (1,):
            pass
        session.interrupt()
        reading.join()
    assert [type(error) for error in raised] == [Cancelled]
    session.interrupt()
    assert session.read(Statement("SELECT 1")) == [[(1,)]]
    session.close()
