"""From the words on the command line to an open store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from backends.errors import NotFound, StoreUnreachable

from .arguments import UsageError
from .output import narrate

if TYPE_CHECKING:
    from argparse import Namespace

    from backends.address import Address
    from backends.reader import Reader
    from backends.witness import Witness

_SUGGESTIONS = 5


def address_of(options: Namespace) -> Address:
    """The store that ``-s``, or else the environment, names.

    Raises:
        UsageError: Nothing names one.
        NotAStore: It is of a kind that cannot be a checkpoint store.
    """
    from backends.address import parse_address

    try:
        return parse_address(options.store, os.environ)
    except StoreUnreachable as error:
        raise UsageError(f"{error.reason} Give one with -s STORE, or set LGTOP_STORE.", options.prog) from None


def key_of_named_store(options: Namespace) -> str | None:
    """Identity of the store that ``-s`` or the environment names; ``None`` where neither does."""
    from backends.locks.key import store_key

    try:
        address = address_of(options)
    except UsageError:
        return None
    return store_key(address.target)


@contextmanager
def opened(options: Namespace) -> Iterator[Reader]:
    """Open the store read-only, say what must be known about it, and close it at the end.

    Raises:
        StoreError: It cannot be opened.
    """
    reader = open_reader(address_of(options))
    try:
        for warning in reader.store.info.warnings:
            narrate(f"lgtop: {warning}")
        yield reader
    finally:
        reader.close()


def open_reader(address: Address, witness: Witness | None = None) -> Reader:
    """Open a store read-only; the caller closes it.

    Args:
        address: The store.
        witness: Who knows of its locks and runs, where somebody keeps looking at them already.

    Raises:
        StoreError: It cannot be opened.
    """
    from backends.decode import Decoder
    from backends.reader import Reader
    from backends.store import open_store
    from backends.witness import Witness

    store = open_store(address.target, brief=True)
    return Reader(store, Decoder.from_environment(), witness or Witness.of(address, store))


def require_thread(reader: Reader, thread_id: str) -> None:
    """Make sure that a thread exists.

    Raises:
        NotFound: It does not; names the threads that may have been meant.
    """
    if thread_id in reader.store.heads_of([thread_id]):
        return
    meant = similar_threads(reader, thread_id)
    advice = f" Did you mean {', '.join(meant)}?" if meant else " See lgtop ls."
    raise NotFound(f"There is no thread {thread_id!r} in {reader.store.info.name}.{advice}")


def similar_threads(reader: Reader, wanted: str) -> list[str]:
    """Ids that begin with what was asked for, or else contain it, or else resemble it; a few of them."""
    from difflib import get_close_matches

    every = [head.thread_id for batch in reader.store.heads() for head in batch]
    low = wanted.lower()
    for likely in (lambda i: i.lower().startswith(low), lambda i: low in i.lower()):
        if found := [i for i in every if likely(i)]:
            return found[:_SUGGESTIONS]
    return get_close_matches(wanted, every[:20_000], n=_SUGGESTIONS)
