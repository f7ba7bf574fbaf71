"""Where a store is: paths, ``sqlite:///`` and ``file:`` URIs, PostgreSQL DSNs, environment variables."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from .errors import NotAStore, StoreUnreachable

_MASK = "••••"
_POSTGRES_URL = re.compile(r"^postgres(?:ql)?(?:\+\w+)?://", re.IGNORECASE)
_SQLITE_URL = re.compile(r"^sqlite(?:\+\w+)?://(?:localhost)?/?", re.IGNORECASE)
_FILE_URI = re.compile(r"^file:(?://(?:localhost)?(?=/))?", re.IGNORECASE)
_OTHER_URL = re.compile(r"^([a-z][a-z0-9+.-]+)://", re.IGNORECASE)
_CONNINFO = re.compile(r"^\s*(?:host|hostaddr|port|dbname|user|service|password|passfile|sslmode|options)\s*=\s*\S")
_CONNINFO_PASSWORD = re.compile(r"\b((?:ssl)?password\s*=\s*)('(?:\\.|[^'\\])*'?|(?:\\.|[^\s\\])+)", re.IGNORECASE)
_QUERY_PASSWORD = re.compile(r"([?&](?:ssl)?password=)[^&#\s]*", re.IGNORECASE)
_USER_PASSWORD = re.compile(r"(://[^:/?#@\s]*):(\S*)@")
_LIBPQ = ("PGSERVICE", "PGHOST", "PGHOSTADDR", "PGDATABASE")
"""Variables that say which database libpq means; ``PGUSER`` or ``PGPASSWORD`` alone do not."""


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed store address.

    Attributes:
        kind: ``sqlite`` or ``postgres``.
        raw: What was given, without a password.
        path: Absolute path of the file; ``None`` for PostgreSQL.
        dsn: What libpq is to connect to, with the password if one was given; ``None`` for SQLite. Never show it.
        label: Short name for titles, without a password.
    """

    kind: Literal["sqlite", "postgres"]
    raw: str
    path: str | None
    dsn: str | None
    label: str

    @property
    def target(self) -> str:
        """What a connection, a lock or a child process is given: the path, or the DSN with its password."""
        return self.dsn or self.path or self.raw

    def __repr__(self) -> str:
        return f"Address({self.kind}, {self.raw!r})"


def parse_address(text: str | None, environ: Mapping[str, str]) -> Address:
    """Find out which store is meant; nothing is opened.

    A text that names an existing file is that file, whatever it looks like.

    Args:
        text: The argument as given; ``None`` or empty means ``LGTOP_STORE``, then libpq's own variables.
        environ: The environment.

    Raises:
        StoreUnreachable: No store was named.
        NotAStore: The address is of a kind that cannot be a checkpoint store.
    """
    text = (text or "").strip("\n") or environ.get("LGTOP_STORE", "")
    if not text:
        if any(environ.get(name) for name in _LIBPQ):
            return _libpq_default(environ)
        raise StoreUnreachable(
            "No checkpoint store is named.",
            "Give a path or a postgresql:// address, or set LGTOP_STORE.",
        )
    if _POSTGRES_URL.match(text):
        return _postgres(_POSTGRES_URL.sub("postgresql://", text))
    path = sqlite_path(text)
    if _CONNINFO.match(text) and not os.path.lexists(path):
        return _postgres(text)
    return Address("sqlite", text, path, None, os.path.basename(path) or path)


def sqlite_path(text: str) -> str:
    """Return the absolute path that an SQLite address means.

    URIs are tried as written first, then percent-decoded and without their query, so that a file whose name contains
    ``%``, ``?`` or ``#`` is found however it was written.

    Raises:
        NotAStore: It names no file: an in-memory database, or another kind of URL.
    """
    plain = os.path.abspath(os.path.expanduser(text))
    if os.path.lexists(plain):
        return plain
    sqlite, file = _SQLITE_URL.match(text), _FILE_URI.match(text)
    matched = sqlite or file
    if matched is None:
        if other := _OTHER_URL.match(text):
            raise NotAStore(
                f"{other[1]}:// is not a kind of store that lgtop reads.",
                "It reads SQLite files (a path, sqlite:///path) and PostgreSQL (postgresql://…).",
            )
        candidates = [text]
    else:
        body = text[matched.end() :]
        bare = re.split(r"[?#]", body, maxsplit=1)[0]
        from urllib.parse import unquote

        candidates = [body, unquote(body), bare, unquote(bare)]
    if candidates[-1] in ("", ":memory:") or (matched and "mode=memory" in text):
        raise NotAStore(
            "An in-memory database lives only inside the process that made it.",
            "Give the path of a file on disk.",
        )
    paths = [os.path.abspath(os.path.expanduser(candidate)) for candidate in candidates]
    return next((path for path in paths if os.path.lexists(path)), paths[-1])


def mask_dsn(text: str) -> str:
    """Return a DSN, or any message that may quote one, with every password replaced by dots.

    Malformed addresses are masked too, generously: what stands between the first ``:`` after the user and the last
    ``@`` is taken for the password.
    """
    text = _USER_PASSWORD.sub(rf"\1:{_MASK}@", text)
    text = _QUERY_PASSWORD.sub(rf"\1{_MASK}", text)
    return text if "://" in text else _CONNINFO_PASSWORD.sub(rf"\1{_MASK}", text)


def similar_files(path: str, limit: int = 3) -> list[str]:
    """Return names of database files beside a path that does not exist, or inside a directory; likeliest first."""
    from difflib import SequenceMatcher

    directory = path if os.path.isdir(path) else os.path.dirname(path) or "."
    wanted = "" if directory == path else os.path.basename(path).lower()
    try:
        with os.scandir(directory) as entries:
            found = [entry.name for entry in entries if entry.is_file()]
    except OSError:
        return []
    databases = [name for name in found if name.lower().endswith((".sqlite", ".sqlite3", ".db", ".db3"))]
    databases.sort(key=lambda name: (-SequenceMatcher(None, wanted, name.lower()).ratio(), name))
    return databases[:limit]


def _libpq_default(environ: Mapping[str, str]) -> Address:
    """What libpq connects to when it is told nothing."""
    where = environ.get("PGSERVICE") or environ.get("PGHOST") or environ.get("PGHOSTADDR") or "local"
    database = environ.get("PGDATABASE") or environ.get("PGUSER") or "default"
    label = where if environ.get("PGSERVICE") else f"{database}@{where}"
    return Address("postgres", "postgresql://", None, "postgresql://", label)


def _postgres(dsn: str) -> Address:
    masked = mask_dsn(dsn)
    return Address("postgres", masked, None, dsn, _postgres_label(masked))


def _unquoted(text: str) -> str:
    """Without percent encoding; most names have none, and need nothing loaded for it."""
    if "%" not in text:
        return text
    from urllib.parse import unquote

    return unquote(text)


def _postgres_label(masked: str) -> str:
    """``database@host`` of a DSN whose password is masked already."""
    if "://" in masked:
        authority, _, rest = masked.split("://", 1)[1].partition("/")
        host = authority.rpartition("@")[2].partition("?")[0]
        database = _unquoted(re.split(r"[?#]", rest, maxsplit=1)[0])
        user = authority.rpartition("@")[0].partition(":")[0]
        query = dict(re.findall(r"[?&](host|dbname|service)=([^&#]*)", masked))
        host = host or _unquoted(query.get("host", "")) or query.get("service", "") or "local"
        return f"{database or query.get('dbname', '') or _unquoted(user) or 'default'}@{host}"
    pairs = dict(re.findall(r"\b(host|hostaddr|dbname|service|user)\s*=\s*'?([^\s']+)", masked))
    if "service" in pairs:
        return str(pairs["service"])
    host = pairs.get("host") or pairs.get("hostaddr") or "local"
    return f"{pairs.get('dbname') or pairs.get('user') or 'default'}@{host}"
