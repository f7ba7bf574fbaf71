"""Names of stores and threads as numbers and short texts that two processes work out alike."""

from __future__ import annotations

import os

from ..address import Address, parse_address

_BITS = 62
"""Offsets of bytes in a file are signed 64-bit numbers; what lies above is left for other uses."""

THREADS_END = 1 << _BITS
"""All values of ``thread_byte`` are below."""

_LOOPBACK = ("127.0.0.1", "::1")


def store_key(address: str) -> str:
    """Name a store shortly, so that two spellings of one store have the same name; nothing is opened.

    An SQLite store is known by its path with links resolved, as SQLite itself finds its ``-wal``: the name is the same
    before the file exists, after a restart and after a restore. A PostgreSQL store is known by host, port, database and
    search path; the user plays no part.

    Args:
        address: As for ``parse_address``.

    Returns:
        ``sqlite:`` or ``postgres:``, and 16 hexadecimal digits.

    Raises:
        StoreUnreachable: No store is named, or the address cannot be parsed.
        NotAStore: The address is of a kind that cannot be a checkpoint store.
    """
    parsed = parse_address(address, os.environ)
    parts = _postgres_parts(parsed) if parsed.path is None else (os.path.realpath(parsed.path),)
    return f"{parsed.kind}:{_digest(*parts).hex()}"


def thread_byte(thread_id: str) -> int:
    """Return the byte of a sidecar file that stands for a thread, below ``THREADS_END``."""
    return int.from_bytes(_digest(thread_id)) >> (64 - _BITS)


def thread_number(schema: str, thread_id: str) -> int:
    """Return the PostgreSQL advisory lock, a signed 64-bit number, that stands for a thread of a schema's tables."""
    return int.from_bytes(_digest(schema, thread_id), signed=True)


def _postgres_parts(address: Address) -> tuple[str, ...]:
    from ..postgres_open import Session

    session = Session(address.dsn or "", brief=True)
    place = session.place
    host = "localhost" if place.host in _LOOPBACK else place.host.lower()
    schemas = (name.strip().strip('"') for name in session.search_path.split(","))
    return host, place.port, place.database, ",".join(schemas)


def _digest(*parts: str) -> bytes:
    """Eight bytes; ids may hold lone surrogates, which UTF-8 alone does not take."""
    from hashlib import blake2b  # loads OpenSSL, which a list of threads that nobody runs does not need

    return blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest()
