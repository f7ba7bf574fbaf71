"""How a PostgreSQL session says for whom it holds a thread, and how others read it.

It says so twice. ``application_name`` is visible to every role, but has room for 63 bytes of ASCII. The text of the
session's last statement is visible to its own role and to members of ``pg_read_all_stats`` only: there, a comment tells
everything. Both are what a client claims, and untrusted.
"""

from __future__ import annotations

import re

from .holder import Holder, moment

PREFIX = "lgtop "
"""How the application name of every session that holds a lock begins."""

_NAME_SIZE = 63
"""``NAMEDATALEN - 1``: longer application names are cut by the server."""

_NAME = re.compile(r"lgtop (?:run (\S+) )?(.*) (\d+)", re.DOTALL)
_COMMENT = re.compile(r"/\* lgtop (\S+) \*/\s*$")


def application_name(holder: Holder) -> str:
    """``lgtop run 1121-0910-k3f2 you@laptop 4312``; what does not fit is taken from the middle."""
    run = f"run {holder.run_id} " if holder.run_id else ""
    who = holder.who.encode("ascii", "replace").decode()
    room = _NAME_SIZE - len(PREFIX) - len(run) - len(f" {holder.pid}")
    return f"{PREFIX}{run}{who[: max(room, 0)]} {holder.pid}"


def comment(holder: Holder) -> str:
    """Everything as an SQL comment; nothing in it is special to SQL but percent signs, to psycopg."""
    from urllib.parse import quote, urlencode

    fields = {
        "thread": holder.thread_id,
        "pid": holder.pid,
        "host": holder.host,
        "who": holder.who,
        "run": holder.run_id,
        "since": holder.since,
    }
    given = {name: value for name, value in fields.items() if value}
    return f"/* lgtop {urlencode(given, quote_via=quote, safe='@', errors='surrogatepass')} */"


def read_comment(statement: str) -> Holder | None:
    """The holder that a statement's comment tells; ``None`` where there is none, or it was cut."""
    found = _COMMENT.search(statement)
    if found is None:
        return None
    from urllib.parse import parse_qsl

    fields = dict(parse_qsl(found[1], errors="surrogatepass"))
    try:
        return Holder(
            fields["thread"],
            int(fields["pid"]),
            fields.get("who", ""),
            fields.get("host", ""),
            fields.get("run"),
            moment(fields.get("since")),
        )
    except (KeyError, ValueError):
        return None


def read_name(name: str, thread_id: str, since: float | None) -> Holder:
    """The holder that an application name tells, any name at all."""
    found = _NAME.fullmatch(name)
    if found is None:
        return Holder(thread_id, None, name, since=since)
    return Holder(thread_id, int(found[3]), found[2], run_id=found[1], since=since)
