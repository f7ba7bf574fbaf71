"""Serialized values rewritten so that they still decode: only what a rule names is changed, nothing is instantiated.

Extensions: ``langgraph/checkpoint/serde/jsonplus.py:317-324``. What makes an object out of one text (a date, a UUID, a
path) cannot be made out of another: such an object becomes a text as a whole.
"""

from __future__ import annotations

import json
from typing import Any

import ormsgpack

from ..model import Blob
from .rules import MASK, Rules

_CALL, _CALL_ARGS, _CALL_KWARGS, _METHOD, _PYDANTIC_1, _PYDANTIC_2, _ARRAY, _SNAPSHOT = range(8)
_NOTHING: frozenset[str] = frozenset()
_OWN_FIELDS = frozenset({"id", "node", "ns", "goto", "graph"})
"""Fields of LangGraph's own classes: without them nothing goes on."""
_TAG = frozenset({"type"})
"""The field of a message that tells its class."""
_ENVELOPE = frozenset({"lc", "type", "id", "method", "name"})
"""What names the class in an ``lc`` envelope of old JSON."""


class CannotRedact(Exception):
    """A value cannot be read, so that nobody knows what is in it."""


class _Ext:
    """An extension whose payload has not been looked into."""

    __slots__ = ("code", "data")

    def __init__(self, code: int, data: bytes) -> None:
        self.code, self.data = code, data


def masked(blob: Blob, rules: Rules, name: str = "") -> Blob:
    """Redact a stored value.

    Args:
        blob: Not encrypted.
        rules: What to replace.
        name: The channel that it belongs to.

    Returns:
        The same object where nothing was found.

    Raises:
        CannotRedact: It is no value that can be read: a pickle, an unknown type, damaged bytes, too much nesting.
    """
    data = blob.data
    if not data or blob.type in ("null", "empty"):
        return blob
    if blob.type in ("bytes", "bytearray"):
        found = MASK.encode() if rules.names_it(name) else rules.raw(data)
    elif blob.type == "msgpack":
        found = masked_msgpack(data, rules, name)
    elif blob.type == "json":
        found = masked_json(data, rules, name)
    else:
        raise CannotRedact(f"its type is {blob.type!r}")
    return blob if found == data else Blob(blob.type, found)


def masked_msgpack(data: bytes, rules: Rules, name: str = "") -> bytes:
    """Redact serialized MessagePack; see ``masked``."""
    try:
        value = _unpack(data)
        found = _blank(value) if rules.names_it(name) else _walk(value, rules)
        return data if found is value else _pack(found)
    except (ValueError, TypeError) as error:
        raise CannotRedact(f"it cannot be decoded: {error}") from error
    except RecursionError as error:
        raise CannotRedact("it is nested too deeply") from error


def masked_json(data: bytes, rules: Rules, name: str = "", keep: frozenset[str] = frozenset()) -> bytes:
    """Redact JSON; the values of the keys ``keep`` at its top stay as they are."""
    try:
        value = json.loads(data.decode("utf-8", "surrogateescape"))
        if isinstance(value, dict) and keep:
            rest = {key: each for key, each in value.items() if key not in keep}
            found = _walk(rest, rules)
            return data if found is rest else _json({**{key: value[key] for key in value if key in keep}, **found})
        found = _blank(value) if rules.names_it(name) else _walk(value, rules)
        return data if found is value else _json(found)
    except ValueError as error:
        raise CannotRedact(f"it is no JSON: {error}") from error
    except RecursionError as error:
        raise CannotRedact("it is nested too deeply") from error


def _json(value: Any) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return json.dumps(value).encode()


def _blank(value: Any) -> Any:
    """The same kind of value with nothing in it: what stands under a redacted name."""
    match value:
        case None | bool():
            return value
        case int() | float():
            return 0
        case bytes():
            return MASK.encode()
        case list():
            return [_blank(each) for each in value]
        case dict():
            return {key: _blank(each) for key, each in value.items()}
        case _Ext(code=code, data=data) if code == _SNAPSHOT:
            return _Ext(code, _pack(_blank(_unpack(data))))
    return MASK


def _walk(value: Any, rules: Rules, keep: frozenset[str] = _NOTHING) -> Any:
    """A value with everything replaced that a rule names; the same object where there is nothing."""
    if isinstance(value, str):
        found = rules.text(value)
        return value if found == value else found
    if isinstance(value, bytes):
        data = rules.raw(value)
        return value if data == value else data
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value if rules.text(str(value)) == str(value) else 0
    if isinstance(value, list):
        each = [_walk(item, rules) for item in value]
        return value if all(one is other for one, other in zip(each, value, strict=True)) else each
    if isinstance(value, dict):
        return _mapping(value, rules, keep)
    return _extension(value, rules) if isinstance(value, _Ext) else value


def _mapping(value: dict[Any, Any], rules: Rules, keep: frozenset[str]) -> dict[Any, Any]:
    if value.get("lc") in (1, 2) and value.get("type") == "constructor":
        keep = _ENVELOPE
    found: dict[Any, Any] = {}
    changed = False
    for key, item in value.items():
        name = key if key in keep else _key(key, rules)
        while name in found:
            name = f"{name}~"
        if isinstance(key, str) and key in keep:
            found[name] = item
        else:
            found[name] = _blank(item) if rules.names_it(key) and item else _walk(item, rules)
        changed = changed or name != key or found[name] is not item
    return found if changed else value


def _key(key: Any, rules: Rules) -> Any:
    """A key without what fits a pattern; the same object where nothing does."""
    if isinstance(key, bytes):
        return rules.raw(key)
    text = str(key)
    found = rules.text(text)
    return key if found == text or not isinstance(key, str | int | float) else found


def _extension(value: _Ext, rules: Rules) -> Any:
    if value.code == _SNAPSHOT:
        inner = _unpack(value.data)
        found = _walk(inner, rules)
        return value if found is inner else _Ext(value.code, _pack(found))
    if not _CALL <= value.code <= _PYDANTIC_2:
        if value.code == _ARRAY:
            return value if _holds_numbers(value) else MASK
        raise CannotRedact(f"it holds an extension of unknown code {value.code}")
    parts = _unpack(value.data)
    if not isinstance(parts, list) or len(parts) < 3 or not all(isinstance(part, str) for part in parts[:2]):
        raise CannotRedact("it holds an extension without module, name and data")
    module, name, data = parts[:3]
    ours = module.startswith("langgraph.")
    if name in ("SecretStr", "SecretBytes"):
        found = _blank(data)
    elif ours and name == "Send" and isinstance(data, list) and data:
        found = [data[0], *(_walk(each, rules) for each in data[1:])]
    else:
        tag = _TAG if value.code in (_PYDANTIC_1, _PYDANTIC_2) else _NOTHING
        found = _walk(data, rules, _OWN_FIELDS if ours else tag)
    if found == data:
        return value
    if ours or name.startswith("Secret") or _keeps_its_shape(value.code, data):
        return _Ext(value.code, _pack([module, name, found, *parts[3:]]))
    return MASK


def _holds_numbers(array: _Ext) -> bool:
    """Whether a numpy array can hold no text; ``dtype.str`` comes first in it, then its shape."""
    parts = _unpack(array.data)
    kind = parts[0] if isinstance(parts, list) and parts else None
    return isinstance(kind, str) and kind.lstrip("<>|=")[:1] in tuple("biufcmM")


def _keeps_its_shape(code: int, data: Any) -> bool:
    """Whether an object can be made of redacted data: fields, or the members of a set; not the text of a date."""
    if code == _CALL:
        return isinstance(data, list | dict)
    if code == _CALL_ARGS:
        return isinstance(data, list) and all(isinstance(each, list | dict) for each in data)
    return code != _METHOD


def _unpack(data: bytes) -> Any:
    return ormsgpack.unpackb(data, ext_hook=_Ext, option=ormsgpack.OPT_NON_STR_KEYS)


def _pack(value: Any) -> bytes:
    return ormsgpack.packb(value, default=_packed_extension, option=ormsgpack.OPT_NON_STR_KEYS)


def _packed_extension(value: Any) -> ormsgpack.Ext:
    if isinstance(value, _Ext):
        return ormsgpack.Ext(value.code, value.data)
    raise TypeError(f"a {type(value).__name__}")
