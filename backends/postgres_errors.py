"""What psycopg and libpq raise -> typed errors with a sentence, and never a password."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .errors import EmptyPlace, NotAStore, StoreBusy, StoreError, StoreUnreachable
from .postgres_wire import Explained
from .text import one_line

_MASK = "••••"

_CONNECTING: tuple[tuple[str, str, str], ...] = (
    (
        r"password authentication failed|no password supplied|empty password",
        "The server at {place} does not accept the password of {user}.",
        "Put the right one into the URL, PGPASSWORD or ~/.pgpass.",
    ),
    (
        r"database .+ does not exist|no such database",
        "The server at {place} has no database named {database}.",
        "Check the name after the last slash of the URL.",
    ),
    (
        r"role .+ does not exist|no such user|user .+ not found",
        "The server at {place} has no role named {user}.",
        "Check the user in the URL, or set PGUSER.",
    ),
    (
        r"permission denied for database",
        "The role {user} may not connect to {database}.",
        "Ask for GRANT CONNECT ON DATABASE.",
    ),
    (
        r"no pg_hba\.conf entry",
        "The server at {place} does not let {user} in from this host.",
        "A line in its pg_hba.conf must allow it, perhaps only with sslmode=require.",
    ),
    (
        r"definition of service|service file",
        "The connection service is not defined: {detail}.",
        "Check PGSERVICE and pg_service.conf.",
    ),
    (
        r"\bssl\b|\btls\b|certificate",
        "No secure connection to {place}: {detail}.",
        "Check sslmode and sslrootcert; sslmode=prefer also takes an unencrypted connection.",
    ),
    (
        r"too many (clients|connections)|remaining connection slots|max_client_conn|no more connections allowed",
        "The server at {place} has no connection left.",
        "Try again later, or raise max_connections or the pool's size.",
    ),
    (
        r"starting up|shutting down|not yet accepting connections|recovery mode",
        "The server at {place} is starting up or shutting down.",
        "Try again in a moment.",
    ),
    (
        r"resolve|translate host name|name or service not known|nodename nor servname|name resolution",
        "The host of {place} is not known.",
        "Check its name in the URL, and the network.",
    ),
    (
        r"time.?out|timed out",
        "The server at {place} did not answer in time.",
        "Check host, port and firewall; connect_timeout=30 in the URL waits longer.",
    ),
    (
        r"refused|no such file or directory|unreachable|no route|is the server running",
        "No PostgreSQL server answers at {place}.",
        "Check host and port, and that the server runs.",
    ),
)
"""What libpq says while connecting (it gives no SQLSTATE then), in its own language and the server's English."""

_GENERAL = ("No connection to {place}: {detail}.", "Check the address and the server's log.")


class TablesChanged(StoreUnreachable):
    """A table or column that was there on opening has gone."""


class Place:
    """Where a connection leads, for sentences, and what those must not contain.

    Args:
        parameters: libpq's parameters, as far as they are known.
        environ: The environment, for ``PG*`` variables.
    """

    def __init__(self, parameters: Mapping[str, str], environ: Mapping[str, str]) -> None:
        def found(name: str, variable: str, default: str) -> str:
            return one_line(str(parameters.get(name) or environ.get(variable) or default), 80)

        self.host = found("host", "PGHOST", found("hostaddr", "PGHOSTADDR", "localhost"))
        self.port = found("port", "PGPORT", "5432")
        self.user = found("user", "PGUSER", environ.get("USER", "?"))
        self.database = found("dbname", "PGDATABASE", self.user)
        self._secrets = [str(parameters.get(name, "")) for name in ("password", "sslpassword")]
        self._secrets.append(environ.get("PGPASSWORD", ""))

    def __str__(self) -> str:
        return self.host if self.host.startswith("/") else f"{self.host}:{self.port}"

    def mask(self, text: str) -> str:
        """One printable line without the password, and without a full stop."""
        from urllib.parse import quote, quote_plus

        secrets = filter(None, self._secrets)
        forms = {form for secret in secrets for form in (secret, quote(secret, safe=""), quote_plus(secret))}
        for form in sorted(forms, key=len, reverse=True):
            text = text.replace(form, _MASK)
        return one_line(text, 300).rstrip(" .")


def bad_address() -> StoreUnreachable:
    """The address is not one that libpq can parse; its own message would quote the password."""
    return StoreUnreachable(
        "The address is not a valid PostgreSQL URL.",
        "Write postgresql://user:password@host:5432/database, with @ : / % in a password percent-encoded.",
    )


def not_connected(error: Explained, place: Place) -> StoreError:
    """Translate the failure of a connection attempt."""
    detail = _first_line(error)
    known = ((reason, advice) for pattern, reason, advice in _CONNECTING if re.search(pattern, detail, re.IGNORECASE))
    reason, advice = next(known, _GENERAL)
    names = {"place": place, "user": place.user, "database": place.database, "detail": place.mask(detail)}
    return StoreUnreachable(reason.format_map(names), advice)


def not_answered(error: Explained, place: Place, *, lost: bool) -> StoreError:
    """Translate the failure of a statement.

    Args:
        error: What psycopg raised.
        place: The connection.
        lost: The connection is gone.
    """
    state = error.sqlstate or ""
    detail = place.mask(_first_line(error))
    if lost or (state[:2] in ("08", "57") and state != "57014"):
        return StoreUnreachable(f"The connection to {place} was lost: {detail}.", "The next read connects again.")
    match state:
        case "57014":
            return StoreBusy(f"The server cancelled the query: {detail}.", "Its statement_timeout may be too short.")
        case "55P03":
            return StoreBusy("Someone holds the tables locked.", "A migration or VACUUM FULL may be running.")
        case "40001" | "40P01":
            return StoreBusy(f"The server gave up the query: {detail}.", "Try again.")
        case "42501":
            return StoreUnreachable(f"The role {place.user} may not read it: {detail}.", grants(place.user))
        case "42P01" | "42703" | "XX000":
            return TablesChanged(f"The tables are not as they were: {detail}.", "The next read looks at them anew.")
    if state[:2] in ("53", "58"):
        return StoreBusy(f"The server lacks resources: {detail}.", "Look at its disk, memory and connections.")
    return StoreUnreachable(f"The server at {place} could not answer: {detail}.", "Its log may say more.")


def grants(user: str, tables: str = "checkpoints, checkpoint_blobs, checkpoint_writes") -> str:
    """What the owner of the tables must run."""
    return f'The owner can run: GRANT SELECT ON {tables} TO "{user}";'


def not_found(place: Place, elsewhere: list[str], migrations: bool) -> StoreError:
    """No table ``checkpoints`` on the search path.

    Args:
        place: The connection.
        elsewhere: Schemas that do have one.
        migrations: Whether there is a table ``checkpoint_migrations``.
    """
    if elsewhere:
        from urllib.parse import quote

        names = ", ".join(map(one_line, elsewhere))
        return NotAStore(
            f"{place.database} has checkpoint tables, but in schemas that are not on the search path: {names}.",
            f"Add ?options=-csearch_path%3D{quote(elsewhere[0])} to the URL; {place.user} needs USAGE on the schema.",
        )
    if migrations:
        return NotAStore(
            f"{place.database} has LangGraph's checkpoint_migrations, but no checkpoints table.",
            "setup() of the application's PostgresSaver did not finish: run it again.",
        )
    return EmptyPlace(
        f"{place.database} at {place} has no table named checkpoints.",
        "Check the database name, or call setup() of the application's PostgresSaver once.",
    )


def _first_line(error: Explained) -> str:
    """What the server said, or what libpq said, without the list of everything that was tried."""
    if error.diag.message_primary:
        return error.diag.message_primary
    lines = [line.strip(" -") for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if "FATAL:" in line] or [line for line in lines if not line.startswith("Multiple")]
    return re.sub(r"^.*(?:FATAL:| failed:)\s*", "", told[0]) if told else type(error).__name__
