"""Equality of values by type and content.

Python's own says that ``1 == True == 1.0`` and that NaN differs from itself; a person who compares two states says
otherwise.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable

from .literals import is_unordered
from .values import DeltaValue, Snapshotted, Typed, Value


def same(a: Value, b: Value) -> bool:
    """Whether two values are equal in type and content; see the module docstring."""
    if a is b:
        return True
    kind = type(a)
    if kind is not type(b):
        return False
    if kind is float:
        return (a == b and math.copysign(1.0, a) == math.copysign(1.0, b)) or (a != a and b != b)
    if kind is list or kind is tuple:
        return len(a) == len(b) and all(map(same, a, b))
    if kind is dict:
        return _same_dicts(a, b)
    if kind is Typed:
        return same_class(a, b) and (same(a.data, b.data) or (is_unordered(a) and _same_sets(a.data, b.data)))
    if kind is Snapshotted:
        return same(a.value, b.value)
    if kind is DeltaValue:
        return (a.has_seed, a.complete) == (b.has_seed, b.complete) and same(delta_parts(a), delta_parts(b))
    return bool(a == b)


def _same_dicts(a: dict[Value, Value], b: dict[Value, Value]) -> bool:
    if len(a) != len(b):
        return False
    for key, value in b.items():
        if type(key) is not str:
            names = keys_by_identity(a)
            return all(name in names and same(a[names[name]], b[key]) for name, key in keys_by_identity(b).items())
        if key not in a or not same(a[key], value):
            return False
    return True


def _same_sets(a: list[Value], b: list[Value]) -> bool:
    return len(a) == len(b) and Counter(map(repr, a)) == Counter(map(repr, b))


def key_identity(key: Value) -> Hashable:
    """Identity of a mapping key, by type as well as value: ``1`` and ``True`` are one key to Python."""
    return key if type(key) is str else (type(key), repr(key))


def keys_by_identity(mapping: dict[Value, Value]) -> dict[Hashable, Value]:
    """The keys of a mapping by their identity."""
    return {key_identity(key): key for key in mapping}


def same_class(a: Typed, b: Typed) -> bool:
    """Whether two instances are of one class, stored in one form."""
    return (a.module, a.name, a.form, a.method) == (b.module, b.name, b.form, b.method)


def delta_parts(value: DeltaValue) -> dict[str, Value]:
    """A DeltaChannel value as a mapping."""
    return {"seed": value.seed, "writes": [*value.writes]}
