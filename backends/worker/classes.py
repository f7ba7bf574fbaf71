"""Classes that a state names: whether this process can rebuild them, so that writing them back loses nothing.

LangGraph puts the plain payload in the place of what it cannot rebuild, and the next checkpoint then holds only that
(``langgraph/checkpoint/serde/jsonplus.py:82-103``). So each value is read and written once as LangGraph would, without
a store, before anything is written to one.
"""

from __future__ import annotations

import dataclasses
import functools
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


def check(blobs: Iterable[Blob], serde: Any, decoder: Decoder) -> set[Name]:
    """Make sure that stored values survive being read and written by this process.

    Args:
        blobs: As stored.
        serde: The serializer that the run would use.
        decoder: Reads without making objects.

    Returns:
        Classes that LangGraph reads as plain data in every process, the application's too (see ``is_plain``).

    Raises:
        Refused: A class cannot be rebuilt here, or is none that LangGraph would have written; names its module.
    """
    plain: set[Name] = set()
    seen: set[Name] = set()
    for blob in blobs:
        before = census(decoder.decode(blob))
        if not before or blob.type is None or blob.data is None:
            continue
        for name in before.keys() - seen:
            _check_class(name)
        seen |= before.keys()
        again = serde.dumps_typed(serde.loads_typed((blob.type, blob.data)))
        plain |= check_same(before, census(decoder.decode(Blob(*again))))
    return plain


def check_same(before: Counter[Name], after: Counter[Name]) -> set[Name]:
    """Compare what was to be kept with what would be written; a class that has moved to another module is kept.

    Returns:
        Classes that are lost here, but to every reader, so that nothing is lost by writing.

    Raises:
        Refused: Something is lost.
    """
    lost, gained = before - after, after - before
    plain = {name for name in lost if is_plain(name)}
    kept = Counter({name: count for name, count in lost.items() if name not in plain})
    if kept.total() > gained.total():
        (module, name), _ = kept.most_common(1)[0]
        raise _cannot(
            (module, name),
            "LangGraph does not rebuild it from what is stored",
            "The class has changed since, or LangGraph may not make it"
            " (LANGGRAPH_STRICT_MSGPACK, allowed_msgpack_modules).",
        )
    return plain


def is_plain(name: Name) -> bool:
    """Whether LangGraph gives plain data for a class wherever it reads the store, by the way the class is written.

    Writing that back takes nothing from anyone: the application resumes with the same plain data, and a state schema
    that makes objects of it does so again.
    """
    found = _lookup(name)
    if found is None:
        return _hidden(name) is not None
    return dataclasses.is_dataclass(found) and any(not field.init for field in dataclasses.fields(found))


def _check_class(name: Name) -> None:
    """Import a class as LangGraph would.

    Raises:
        Refused: It is not there, or is nothing that LangGraph's serializer ever writes.
    """
    module, attribute = name
    try:
        importlib.import_module(module)
        found = _lookup(name)
        found = _hidden(name) if found is None else found
    except Exception as error:  # importing runs the user's module, which may raise anything
        advice = f"Make the module {module} importable: dependencies in langgraph.json, or the project's --python."
        raise _cannot(name, one_sentence(error), advice) from error
    if found is None:
        raise _cannot(name, f"the module has no {attribute}", _missing(module))
    if not is_storable(name, found):
        reason = f"The store names {module}.{attribute}, which LangGraph never writes."
        raise Refused(reason, "Reading it would run it. The store may be damaged, or hostile.")


def _lookup(name: Name) -> Any:
    """What LangGraph finds, in a module that is imported; ``None`` where there is nothing."""
    return getattr(sys.modules.get(name[0]), name[1], None)


@functools.cache  # it looks at every class of the process
def _hidden(name: Name) -> type | None:
    """A class that is there, but not where LangGraph looks: it is nested in another, or was made inside a function."""
    if name[0] == "__main__":  # ours, not the application's
        return None
    todo: list[type] = [object]
    seen: set[type] = set()
    while todo:
        found = todo.pop()
        if (found.__module__, found.__name__) == name:
            return found
        fresh: set[type] = set(type.__subclasses__(found)) - seen
        seen |= fresh
        todo.extend(fresh)
    return None


def _missing(module: str) -> str:
    if module == "__main__":
        return "The script that wrote it defines the class itself: only that script can go on, or move it to a module."
    return f"The class was renamed or removed: give it back to {module}, or use the code that wrote the state."


def _cannot(name: Name, why: str, advice: str) -> Refused:
    reason = f"The state holds {'.'.join(name)}, which cannot be rebuilt here ({why}) and would become plain data."
    return Refused(reason, advice)


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
