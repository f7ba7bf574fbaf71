"""Placeholders for stored values that plain Python cannot, or must not, hold as they are.

A decoded value is made of ``None``, ``bool``, ``int``, ``float``, ``str``, ``bytes``, ``list``, ``dict`` and the
classes below. None of them runs or imports anything that the store names: a class is a pair of strings here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

Value: TypeAlias = Any
"""A decoded value; see the module docstring for what it is made of."""


@dataclass(frozen=True, slots=True, eq=True, unsafe_hash=False)
class Typed:
    """An instance of a class that the store names, as data.

    Attributes:
        module: Module of the class, as stored, never imported.
        name: Class or function name inside the module.
        data: The stored arguments: one value, a list, a dict, or a model's fields.
        form: How the serializer would rebuild it: ``call`` (one argument), ``call*``, ``call**``, ``method``,
            ``pydantic1`` or ``pydantic2`` (``langgraph/checkpoint/serde/jsonplus.py:317-324``).
        method: The constructor method for ``method`` and the pydantic forms, e.g. ``fromisoformat``.
    """

    module: str
    name: str
    data: Value
    form: str
    method: str | None = None


@dataclass(frozen=True, slots=True)
class NdArray:
    """A numpy array, as its header and its bytes."""

    dtype: str
    shape: tuple[int, ...]
    order: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Snapshotted:
    """A full DeltaChannel value stored at a snapshot (``_DeltaSnapshot``, ext code 7)."""

    value: Value


@dataclass(frozen=True, slots=True)
class DeltaValue:
    """A DeltaChannel value as its seed and the writes since; folding them needs the application's reducer.

    Attributes:
        seed: The value at the nearest ancestor that holds one; ``None`` with ``has_seed`` false where there is none.
        has_seed: Whether an ancestor holds a snapshot.
        writes: The later writes, oldest first.
        complete: False where an ancestor row is missing, so that writes may have been lost.
    """

    seed: Value
    has_seed: bool
    writes: tuple[Value, ...]
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Undecodable:
    """Bytes that could not be decoded, kept beside the good values."""

    reason: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Encrypted:
    """A value that is still encrypted.

    Attributes:
        tag: The stored type tag, e.g. ``msgpack+aes``.
        reason: Why: no key given, the wrong key, or a cipher that lgtop does not know.
        raw: The stored bytes.
    """

    tag: str
    reason: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Secret:
    """A pydantic ``SecretStr`` or ``SecretBytes``; the text is dropped on decoding and is not recoverable from here.

    Attributes:
        name: Name of the class.
        length: Characters or bytes of the text.
        digest: Equal for equal texts within this process, and means nothing outside it: tells that a secret changed.
    """

    name: str
    length: int
    digest: bytes = field(default=b"", repr=False)
