"""Classes that a state names: whether this process can rebuild them, so that writing them back loses nothing.

LangGraph puts the plain payload in the place of what it cannot rebuild, and the next checkpoint then holds only that
(``langgraph/checkpoint/serde/jsonplus.py:82-103``). So each value is read and written once as LangGraph would, without
a store, before anything is written to one.
"""

from __future__ import annotations

import dataclasses
import importlib
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Any, TypeAlias

from ..decode import Decoder
from ..errors import Refused
from ..model import Blob, RawCheckpoint
from ..values import NdArray, Snapshotted, Typed, Value
from .ending import one_sentence

Name: TypeAlias = tuple[str, str]
"""Module and class."""

_NUMPY: Name = ("numpy", "ndarray")


def typed(value: Value) -> Iterator[Typed | NdArray]:
    """Yield everything in a value that a class stands behind, at any depth."""
    todo = [value]
    while todo:
        each = todo.pop()
        match each:
            case Typed(data=data):
                yield each
                todo.append(data)
            case NdArray():
                yield each
            case Snapshotted(value=inner):
                todo.append(inner)
            case list() | tuple():
                todo.extend(each)
            case dict():
                todo.extend(each)
                todo.extend(each.values())


def census(value: Value) -> Counter[Name]:
    """Count the instances of each class in a value."""
    return Counter(_NUMPY if isinstance(each, NdArray) else (each.module, each.name) for each in typed(value))


def blobs_of(raw: RawCheckpoint) -> Iterator[Blob]:
    """Yield everything of a checkpoint that LangGraph would read with its serializer."""
    yield raw.checkpoint
    yield from raw.channel_blobs.values()
    yield from (write.blob for write in raw.writes)


def check(blobs: Iterable[Blob], serde: Any, decoder: Decoder) -> None:
    """Make sure that stored values survive being read and written by this process.

    Args:
        blobs: As stored.
        serde: The serializer that the run would use.
        decoder: Reads without making objects.

    Raises:
        Refused: A class cannot be rebuilt here, or is none that LangGraph would have written; names its module.
    """
    for blob in blobs:
        before = census(decoder.decode(blob))
        if not before or blob.type is None or blob.data is None:
            continue
        for name in before:
            _check_class(name)
        again = serde.dumps_typed(serde.loads_typed((blob.type, blob.data)))
        check_same(before, census(decoder.decode(Blob(*again))))


def check_same(before: Counter[Name], after: Counter[Name]) -> None:
    """Compare what was to be kept with what would be written; a class that has moved to another module is kept.

    Raises:
        Refused: Something is lost.
    """
    lost, gained = before - after, after - before
    if lost.total() <= gained.total():
        return
    (module, name), _ = lost.most_common(1)[0]
    raise _cannot(module, name, "LangGraph does not rebuild it from what is stored")


def _check_class(name: Name) -> None:
    """Import a class as LangGraph would.

    Raises:
        Refused: It is not there, or is nothing that LangGraph's serializer ever writes.
    """
    module, attribute = name
    try:
        found = getattr(importlib.import_module(module), attribute)
    except Exception as error:  # importing runs the user's module, which may raise anything
        raise _cannot(module, attribute, one_sentence(error)) from error
    if not is_storable(name, found):
        reason = f"The store names {module}.{attribute}, which LangGraph never writes."
        raise Refused(reason, "Reading it would run it. The store may be damaged, or hostile.")


def _cannot(module: str, name: str, why: str) -> Refused:
    return Refused(
        f"The state holds {module}.{name}, which cannot be rebuilt here ({why}) and would become plain data.",
        f"Make the module {module} importable: dependencies in langgraph.json, or the project's --python.",
    )


def is_storable(name: Name, found: Any) -> bool:
    """Whether LangGraph's serializer writes instances of this (``jsonplus.py:327-511``)."""
    if name == ("re", "compile"):
        return True
    if not isinstance(found, type):
        return False
    marks = ("model_dump", "get_secret_value", "dict", "_asdict")
    if any(callable(getattr(found, mark, None)) for mark in marks) or dataclasses.is_dataclass(found):
        return True
    return issubclass(found, (Enum, *_plain_types()))


def _plain_types() -> tuple[type, ...]:
    """Classes that the serializer knows by themselves."""
    import datetime
    import decimal
    import ipaddress
    import pathlib
    import uuid
    import zoneinfo
    from collections import deque

    from langgraph.store.base import Item
    from langgraph.types import Send

    times = (datetime.date, datetime.time, datetime.timedelta, datetime.timezone, zoneinfo.ZoneInfo)
    addresses = tuple(vars(ipaddress)[f"IPv{v}{kind}"] for v in (4, 6) for kind in ("Address", "Interface", "Network"))
    numbers = (decimal.Decimal, uuid.UUID, pathlib.PurePath)
    return (set, frozenset, deque, *times, *addresses, *numbers, Item, Send, *_numpy())


def _numpy() -> tuple[type, ...]:
    return (sys.modules["numpy"].ndarray,) if "numpy" in sys.modules else ()
