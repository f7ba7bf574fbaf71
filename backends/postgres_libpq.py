"""The wire by libpq alone: for a command that asks a few questions and is gone.

To import psycopg takes longer than all that such a command does besides. libpq itself is loaded in a few milliseconds:
the same library, from psycopg's own wheel, or else the system's. Reading many rows takes longer, cell by cell.
"""

from __future__ import annotations

import ctypes
import os
import select
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from operator import itemgetter
from typing import Any, Final

from .postgres_text import READINGS, filled, read_text
from .postgres_wire import Failure, Row

_BAD: Final = 1
"""``ConnStatusType``."""

_FAILED, _READING, _WRITING, _ESTABLISHED = range(4)
"""``PostgresPollingStatusType``."""

_COMMAND, _TUPLES = 1, 2
"""``ExecStatusType``."""

_IN_TRANSACTION, _IN_ERROR = 2, 3
"""``PGTransactionStatusType``."""

_SQLSTATE, _PRIMARY = ord("C"), ord("M")
"""``PG_DIAG_SQLSTATE``, ``PG_DIAG_MESSAGE_PRIMARY``."""

_SHORTEST, _LONGEST = 2.0, 130.0
"""Seconds to connect: at least, and where the address sets no limit; as psycopg has them."""

_Receiver = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)


class _Option(ctypes.Structure):
    """``PQconninfoOption``."""

    _fields_ = (
        *((name, ctypes.c_char_p) for name in ("keyword", "envvar", "compiled", "val", "label", "dispchar")),
        ("dispsize", ctypes.c_int),
    )


_TEXT, _NUMBER, _HANDLE = ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p
_SIGNATURES: Final[Mapping[str, tuple[Any, tuple[Any, ...]]]] = {
    "PQconninfoParse": (ctypes.POINTER(_Option), (_TEXT, ctypes.POINTER(_HANDLE))),
    "PQconninfoFree": (None, (_HANDLE,)),
    "PQfreemem": (None, (_HANDLE,)),
    "PQconnectStartParams": (_HANDLE, (_HANDLE, _HANDLE, _NUMBER)),
    "PQconnectPoll": (_NUMBER, (_HANDLE,)),
    "PQsetNoticeReceiver": (_HANDLE, (_HANDLE, _Receiver, _HANDLE)),
    "PQfinish": (None, (_HANDLE,)),
    "PQstatus": (_NUMBER, (_HANDLE,)),
    "PQtransactionStatus": (_NUMBER, (_HANDLE,)),
    "PQsocket": (_NUMBER, (_HANDLE,)),
    "PQserverVersion": (_NUMBER, (_HANDLE,)),
    "PQparameterStatus": (_TEXT, (_HANDLE, _TEXT)),
    "PQerrorMessage": (_TEXT, (_HANDLE,)),
    "PQhost": (_TEXT, (_HANDLE,)),
    "PQport": (_TEXT, (_HANDLE,)),
    "PQuser": (_TEXT, (_HANDLE,)),
    "PQdb": (_TEXT, (_HANDLE,)),
    "PQpass": (_TEXT, (_HANDLE,)),
    "PQescapeLiteral": (_HANDLE, (_HANDLE, _TEXT, ctypes.c_size_t)),
    "PQsendQuery": (_NUMBER, (_HANDLE, _TEXT)),
    "PQconsumeInput": (_NUMBER, (_HANDLE,)),
    "PQisBusy": (_NUMBER, (_HANDLE,)),
    "PQgetResult": (_HANDLE, (_HANDLE,)),
    "PQgetCancel": (_HANDLE, (_HANDLE,)),
    "PQcancel": (_NUMBER, (_HANDLE, _HANDLE, _NUMBER)),
    "PQfreeCancel": (None, (_HANDLE,)),
}
_OF_RESULTS: Final[Mapping[str, tuple[Any, tuple[Any, ...]]]] = {
    "PQresultStatus": (_NUMBER, (_HANDLE,)),
    "PQresultErrorMessage": (_TEXT, (_HANDLE,)),
    "PQresultErrorField": (_TEXT, (_HANDLE, _NUMBER)),
    "PQntuples": (_NUMBER, (_HANDLE,)),
    "PQnfields": (_NUMBER, (_HANDLE,)),
    "PQftype": (_NUMBER, (_HANDLE, _NUMBER)),
    "PQgetvalue": (_TEXT, (_HANDLE, _NUMBER, _NUMBER)),
    "PQgetisnull": (_NUMBER, (_HANDLE, _NUMBER, _NUMBER)),
    "PQclear": (None, (_HANDLE,)),
}
"""What only looks into memory keeps the interpreter's lock: to let go of it for each cell would take far longer."""

_silent = _Receiver(lambda _argument, _result: None)
"""Without a receiver, libpq prints notices on standard error."""


def available() -> bool:
    """Whether libpq is found."""
    return _libpq() is not None


def parse(address: str) -> dict[str, str] | None:
    """See ``Library.parse``."""
    pq, message = _loaded(), ctypes.c_void_p()
    try:
        options = pq.PQconninfoParse(address.encode(), ctypes.byref(message))
    except UnicodeError:
        return None
    if not options:
        pq.PQfreemem(message)
        return None
    try:
        return dict(_given(options))
    finally:
        pq.PQconninfoFree(options)


def _given(options: Any) -> Iterator[tuple[str, str]]:
    for option in options:
        if option.keyword is None:
            return
        if option.val is not None:
            yield option.keyword.decode(), option.val.decode()


def connect(parameters: Mapping[str, str]) -> LibpqWire:
    """See ``Library.connect``; all addresses of a host share the time that there is to connect."""
    texts = [(name.encode(), value.encode()) for name, value in parameters.items()]
    array = _TEXT * (len(texts) + 1)
    names, values = (array(*map(itemgetter(at), texts)) for at in range(2))
    wire = LibpqWire(_loaded().PQconnectStartParams(names, values, 0))
    try:
        wire.establish(_patience(parameters.get("connect_timeout", "")))
    except BaseException:
        wire.close()
        raise
    return wire


def _patience(text: str) -> float:
    seconds = int(text) if text.strip().isdecimal() else 0
    return max(_SHORTEST, seconds) if seconds else _LONGEST


class LibpqWire:
    """See ``Wire``.

    Args:
        handle: ``PGconn *``.
    """

    def __init__(self, handle: int | None) -> None:
        if not handle:
            raise Failure("out of memory")
        self._pq = _loaded()
        self._handle: int | None = handle
        self._pq.PQsetNoticeReceiver(handle, _silent, None)

    def establish(self, seconds: float) -> None:
        """Go through with connecting."""
        deadline, state = time.monotonic() + seconds, _WRITING
        while state != _ESTABLISHED:
            if state == _FAILED or self.closed:
                raise self._failure()
            if not self._ready(select.POLLIN if state == _READING else select.POLLOUT, deadline):
                raise Failure("timeout expired")
            state = self._pq.PQconnectPoll(self._handle)

    @property
    def closed(self) -> bool:
        """See ``Wire.closed``."""
        # A connection under way has other states, and is not asked by others.
        return self._handle is None or self._pq.PQstatus(self._handle) == _BAD

    @property
    def version(self) -> int:
        """See ``Wire.version``."""
        return int(self._pq.PQserverVersion(self._handle))

    @property
    def encoding(self) -> str:
        """See ``Wire.encoding``."""
        return read_text(self._pq.PQparameterStatus(self._handle, b"server_encoding") or b"")

    def actual(self) -> dict[str, str]:
        """See ``Wire.actual``."""
        names = {"host": "PQhost", "port": "PQport", "user": "PQuser", "dbname": "PQdb", "password": "PQpass"}
        return {name: read_text(getattr(self._pq, asked)(self._handle) or b"") for name, asked in names.items()}

    def run(self, text: str, parameters: Sequence[object]) -> list[list[Row]]:
        """See ``Wire.run``."""
        self._send(filled(text, parameters, self._quoted))
        found: list[list[Row]] = []
        failure: Failure | None = None
        while result := self._result():
            try:
                status = _cells().PQresultStatus(result)
                if status == _TUPLES:
                    found.append(_rows(result))
                elif status != _COMMAND:
                    failure = failure or _refusal(result)
            finally:
                _cells().PQclear(result)
        if failure is not None:
            raise failure
        return found

    def rollback(self) -> None:
        """See ``Wire.rollback``."""
        if self._pq.PQtransactionStatus(self._handle) in (_IN_TRANSACTION, _IN_ERROR):
            self.run("ROLLBACK", ())

    def cancel(self) -> None:
        """See ``Wire.cancel``."""
        told = ctypes.create_string_buffer(256)
        asking = self._pq.PQgetCancel(self._handle)
        try:
            if not self._pq.PQcancel(asking, told, len(told)):
                raise Failure(read_text(told.value))
        finally:
            self._pq.PQfreeCancel(asking)

    def close(self) -> None:
        """See ``Wire.close``."""
        handle, self._handle = self._handle, None
        if handle is not None:
            self._pq.PQfinish(handle)

    def _send(self, text: bytes) -> None:
        if not self._pq.PQsendQuery(self._handle, text):
            raise self._failure()

    def _result(self) -> int | None:
        """The next result when it is there; ``None`` after the last. Waits in Python, where ctrl+c is heard."""
        while self._pq.PQisBusy(self._handle):
            self._ready(select.POLLIN, None)
            if not self._pq.PQconsumeInput(self._handle):
                raise self._failure()
        result: int | None = self._pq.PQgetResult(self._handle)
        return result

    def _ready(self, event: int, deadline: float | None) -> bool:
        poll = select.poll()
        poll.register(self._pq.PQsocket(self._handle), event)
        return bool(poll.poll(None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000))

    def _quoted(self, text: str) -> bytes:
        data = text.encode()
        place = self._pq.PQescapeLiteral(self._handle, data, len(data))
        if not place:
            raise self._failure()
        try:
            return ctypes.string_at(place)
        finally:
            self._pq.PQfreemem(place)

    def _failure(self) -> Failure:
        return Failure(read_text(self._pq.PQerrorMessage(self._handle) or b""))


def _rows(result: int) -> list[Row]:
    """The rows of a result, read column by column."""
    cells = _cells()
    value, height, handle = cells.PQgetvalue, range(cells.PQntuples(result)), ctypes.c_void_p(result)
    columns: list[list[Any]] = []
    for number in range(cells.PQnfields(result)):
        read = READINGS.get(cells.PQftype(result, number), read_text)
        printed = [value(handle, row, number) for row in height]
        if b"" in printed:  # also what stands for NULL
            empty = (row for row in height if not printed[row])
            missing = {row for row in empty if cells.PQgetisnull(handle, row, number)}
            columns.append([None if row in missing else read(cell) for row, cell in enumerate(printed)])
        else:
            columns.append([read(cell) for cell in printed])
    return list(zip(*columns, strict=True))


def _refusal(result: int) -> Failure:
    cells = _cells()
    state, primary = (cells.PQresultErrorField(result, field) for field in (_SQLSTATE, _PRIMARY))
    return Failure(
        read_text(cells.PQresultErrorMessage(result) or b""),
        None if state is None else read_text(state),
        None if primary is None else read_text(primary),
    )


# --- the library ---------------------------------------------------------------------------------------------------


@cache
def _libpq() -> ctypes.CDLL | None:
    for path in _candidates():
        try:
            return _declared(ctypes.CDLL(path), _SIGNATURES)
        except (OSError, AttributeError):
            continue
    return None


def _loaded() -> ctypes.CDLL:
    found = _libpq()
    assert found is not None, "available() was not asked"
    return found


@cache
def _cells() -> ctypes.CDLL:
    return _declared(ctypes.PyDLL(_loaded()._name), _OF_RESULTS)


def _declared(library: ctypes.CDLL, signatures: Mapping[str, tuple[Any, tuple[Any, ...]]]) -> ctypes.CDLL:
    for name, (kind, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = kind, arguments
    return library


def _candidates() -> Iterator[str]:
    """The one in psycopg's wheel (auditwheel and delocate put it there), then what the system calls so."""
    found = find_spec("psycopg_binary")
    for place in (found.submodule_search_locations or ()) if found else ():
        for folder in (f"{place}.libs", f"{place}/.dylibs"):
            if os.path.isdir(folder):
                yield from (f"{folder}/{name}" for name in os.listdir(folder) if name.startswith("libpq"))
    yield "libpq.5.dylib" if sys.platform == "darwin" else "libpq.so.5"
