"""Well-known types of the standard library as a person writes them, from their stored arguments alone.

The arguments are what ``langgraph/checkpoint/serde/jsonplus.py:334-505`` stores. Nothing is constructed: a class is
only a pair of names here, and arguments that do not fit make the value an ordinary ``Typed``.
"""

from __future__ import annotations

from collections.abc import Callable

from .values import Typed, Value

_COLLECTIONS = frozenset((("builtins", "set"), ("builtins", "frozenset"), ("collections", "deque")))


def is_collection(value: Value) -> bool:
    """Whether a value is a stored set, frozenset or deque: a ``Typed`` around a list of its elements."""
    return isinstance(value, Typed) and isinstance(value.data, list) and (value.module, value.name) in _COLLECTIONS


def is_unordered(value: Value) -> bool:
    """Whether a value is a stored set or frozenset: the order of its elements means nothing."""
    return is_collection(value) and value.module == "builtins"


def literal(value: Typed) -> str | None:
    """Return what a well-known value looks like.

    Args:
        value: Any stored instance.

    Returns:
        Untrusted text such as ``2026-11-20T10:00:00Z``; ``None`` for every other class.
    """
    write = _WRITERS.get((value.module, value.name))
    return None if write is None else write(value.data)


def _text(data: Value) -> str | None:
    return data if isinstance(data, str) else None


def _datetime(data: Value) -> str | None:
    if not isinstance(data, str):
        return None
    return f"{data[:-6]}Z" if data.endswith("+00:00") else data


def _date(data: Value) -> str | None:
    match data:
        case [int(year), int(month), int(day)]:
            return f"{year:04}-{month:02}-{day:02}"
    return None


def _time(data: Value) -> str | None:
    match data:
        case {"hour": int(hour), "minute": int(minute), "second": int(second), "microsecond": int(micro)}:
            zone = data.get("tzinfo")
            suffix = literal(zone) if isinstance(zone, Typed) else ""
            fraction = f".{micro:06}" if micro else ""
            return f"{hour:02}:{minute:02}:{second:02}{fraction}{suffix or ''}"
    return None


def _timedelta(data: Value) -> str | None:
    match data:
        case [int(days), int(seconds), int(micro)]:
            sign = "-" if days < 0 else ""
            total = abs((days * 86400 + seconds) * 1_000_000 + micro)
            seconds, micro = divmod(total, 1_000_000)
            hours, rest = divmod(seconds, 3600)
            days, hours = divmod(hours, 24)
            fraction = f".{micro:06}" if micro else ""
            return f"{sign}{f'{days}d ' if days else ''}{hours}:{rest // 60:02}:{rest % 60:02}{fraction}"
    return None


def _timezone(data: Value) -> str | None:
    match data:
        case [_, str(name)]:
            return name
        case [Typed(data=[int(days), int(seconds), _])]:
            minutes = (days * 86400 + seconds) // 60
            if not minutes:
                return "UTC"
            return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    return None


def _uuid(data: Value) -> str | None:
    if not isinstance(data, str) or len(data) != 32:
        return _text(data)
    return f"{data[:8]}-{data[8:12]}-{data[12:16]}-{data[16:20]}-{data[20:]}"


def _posix_path(data: Value) -> str | None:
    return _path(data, "/")


def _windows_path(data: Value) -> str | None:
    return _path(data, "\\")


def _path(data: Value, separator: str) -> str | None:
    if not isinstance(data, list) or not all(isinstance(part, str) for part in data):
        return None
    anchor = "".join(data[:1]) if data and data[0].endswith(separator) else ""
    return anchor + separator.join(data[1:] if anchor else data) or "."


def _pattern(data: Value) -> str | None:
    match data:
        case [str(pattern), int(_)]:
            return f"/{pattern}/"
    return None


_WRITERS: dict[tuple[str, str], Callable[[Value], str | None]] = {
    ("datetime", "datetime"): _datetime,
    ("datetime", "date"): _date,
    ("datetime", "time"): _time,
    ("datetime", "timedelta"): _timedelta,
    ("datetime", "timezone"): _timezone,
    ("uuid", "UUID"): _uuid,
    ("decimal", "Decimal"): _text,
    ("zoneinfo", "ZoneInfo"): _text,
    ("re", "compile"): _pattern,
    **{("ipaddress", f"IPv{n}{kind}"): _text for n in (4, 6) for kind in ("Address", "Interface", "Network")},
    **{
        (module, f"{prefix}{flavour}"): _windows_path if flavour == "WindowsPath" else _posix_path
        for module in ("pathlib", "pathlib._local")
        for prefix in ("", "Pure")
        for flavour in ("Path", "PosixPath", "WindowsPath")
    },
}
