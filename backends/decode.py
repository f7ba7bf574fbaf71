"""Stored bytes -> ``Value``, without importing, calling or instantiating anything that the store names.

Type tags and extension codes: ``langgraph/checkpoint/serde/jsonplus.py:295-324``. No decoded value is nested deeper
than ``lenient.MAX_DEPTH``, and decoding never raises: what cannot be read is an ``Undecodable`` or ``Encrypted`` in
its place.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

import ormsgpack

from .crypt import Locked, decrypt
from .lenient import MAX_DEPTH, Broken, read
from .model import Blob
from .values import Encrypted, NdArray, Secret, Snapshotted, Typed, Undecodable, Value

_FORMS = {0: "call", 1: "call*", 2: "call**", 3: "method", 4: "pydantic1", 5: "pydantic2"}
_NDARRAY = 6
_DELTA_SNAPSHOT = 7

_NATIVE_DEPTH = 1024
"""``ormsgpack`` refuses to nest deeper than this in one call, and uses 0.7 kB of stack for each level."""
_NATIVE_BUDGET = 4 * _NATIVE_DEPTH
"""Levels over all calls that stand inside each other (one for each extension): 3 MB of the usual 8 MB of stack."""

_SECRET_KEY = os.urandom(32)
"""Makes the digests of secrets useless to anyone who does not hold this process's memory."""

_CONTAINER_HEADS = bytes([*range(0x80, 0xA0), *range(0xC7, 0xCA), *range(0xD4, 0xD9), *range(0xDC, 0xE0)])


class Decoder:
    """Decodes stored values; has no state but the key, so that any thread may use it.

    Args:
        aes_key: The application's ``LANGGRAPH_AES_KEY`` as bytes; ``None`` leaves encrypted values as ``Encrypted``.
    """

    __slots__ = ("_aes_key",)

    def __init__(self, aes_key: bytes | None = None) -> None:
        self._aes_key = aes_key

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Decoder:
        """Make a decoder with the key in ``LANGGRAPH_AES_KEY``, if there is one."""
        key = (os.environ if environ is None else environ).get("LANGGRAPH_AES_KEY")
        return cls(key.encode("utf-8", "surrogateescape") if key else None)

    def decode(self, blob: Blob) -> Value:
        """Decode a stored value.

        Args:
            blob: Type tag and bytes as stored; any tag, any bytes.

        Returns:
            The value. SQL NULL, ``null`` and ``empty`` are ``None``. Pickles are never loaded: ``Undecodable``.
        """
        tag, data = blob.type, blob.data
        if data is None:
            return None if tag in (None, "null", "empty") else Undecodable("no bytes", b"")
        if tag is not None and "+" in tag:
            try:
                tag, data = decrypt(tag, data, self._aes_key)
            except Locked as locked:
                return Encrypted(tag, locked.reason, data)
        return from_msgpack(data) if tag == "msgpack" else _other(tag, data)


def _other(tag: str | None, data: bytes) -> Value:
    """Decode a value that is neither encrypted nor MessagePack."""
    if tag in ("null", "empty"):
        return None
    if tag in ("bytes", "bytearray"):
        return data
    if tag == "json":
        return from_json(data)
    if tag is None:
        return from_json(data) if data[:1] in (b"{", b"[", b'"') else Undecodable("no type tag", data)
    if tag == "pickle":
        return Undecodable("a pickle, never loaded since loading runs code", data)
    return Undecodable(f"unknown type tag {tag!r}", data)


def from_msgpack(data: bytes) -> Value:
    """Decode MessagePack with LangGraph's extensions; see ``Decoder.decode``."""
    try:
        value = _native(data, _NATIVE_BUDGET)
    except ValueError:
        return _lenient(data, 0)
    if len(data) - len(data.translate(None, _CONTAINER_HEADS)) >= MAX_DEPTH and too_deep(value):
        return _lenient(data, 0)
    return value


def _native(data: bytes, budget: int) -> Value:
    """Decode with ``ormsgpack``.

    Raises:
        ValueError: It refuses, or the stack could overflow.
    """
    left = budget - min(len(data), _NATIVE_DEPTH)
    if left < 0:
        raise ValueError("extensions inside extensions")

    def extension(code: int, payload: bytes) -> Value:
        try:
            parts = _native(payload, left) if 0 <= code <= _DELTA_SNAPSHOT else None
        except ValueError:
            return _extension(code, payload, 0)
        return _assemble(code, parts, payload)

    return ormsgpack.unpackb(data, ext_hook=extension, option=ormsgpack.OPT_NON_STR_KEYS)


def _lenient(data: bytes, depth: int) -> Value:
    try:
        return read(data, _extension, depth)
    except Broken as broken:
        return Undecodable(str(broken), data)
    except RecursionError:  # the caller stands deep in the stack already
        return Undecodable("nested too deeply", data)


def _extension(code: int, payload: bytes, depth: int) -> Value:
    """Decode an extension with the lenient reader."""
    if not 0 <= code <= _DELTA_SNAPSHOT:
        return _assemble(code, None, payload)
    parts = _lenient(payload, depth)
    return parts if isinstance(parts, Undecodable) else _assemble(code, parts, payload)


def _assemble(code: int, parts: Value, payload: bytes) -> Value:
    """Make the placeholder for an extension of which the payload is decoded."""
    form = _FORMS.get(code)
    if form is not None:
        if type(parts) is list and len(parts) >= 3 and type(parts[0]) is str and type(parts[1]) is str:
            method = parts[3] if len(parts) > 3 and type(parts[3]) is str else None
            return _typed(parts[0], parts[1], parts[2], form, method)
        return Undecodable(f"extension {code} without module, name and data", payload)
    if code == _DELTA_SNAPSHOT:
        return Snapshotted(parts)
    if code == _NDARRAY:
        match parts:
            case [str(dtype), list(shape), str(order), bytes(data)] if all(type(size) is int for size in shape):
                return NdArray(dtype, tuple(shape), order, data)
        return Undecodable("an array without dtype, shape, order and bytes", payload)
    return Undecodable(f"unknown extension code {code}", payload)


def _typed(module: str, name: str, data: Value, form: str, method: str | None) -> Value:
    if name.startswith("Secret") and (name in ("SecretStr", "SecretBytes") or module.startswith("pydantic")):
        return _secret(name, data)
    return Typed(module, name, data, form, method)


def _secret(name: str, data: Value) -> Secret:
    from hashlib import blake2b

    text = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    raw = text if isinstance(text, bytes) else repr(text).encode("utf-8", "surrogatepass")
    return Secret(name, len(data) if isinstance(data, str | bytes) else 0, blake2b(raw, key=_SECRET_KEY).digest())


def from_json(data: bytes) -> Value:
    """Decode JSON with LangChain's ``lc`` envelopes; see ``Decoder.decode``."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        value = _load(text)
        deep = text.count("[") + text.count("{") >= MAX_DEPTH and too_deep(value)
        return _cut(value, MAX_DEPTH) if deep else value
    except RecursionError:
        return Undecodable("nested too deeply", data)
    except json.JSONDecodeError as error:
        return Undecodable(f"not JSON: {error}", data)


def _load(text: str) -> Value:
    hook = _revive if '"lc"' in text else None
    try:
        return json.loads(text, object_hook=hook)
    except json.JSONDecodeError:
        raise
    except ValueError:  # an integer of more digits than Python converts (sys.get_int_max_str_digits)
        return json.loads(text, object_hook=hook, parse_int=_integer)


def _integer(digits: str) -> Value:
    return int(digits) if len(digits) < 640 else Undecodable(f"an integer of {len(digits)} digits", digits.encode())


def _is_envelope(found: dict[str, Value]) -> bool:
    path = found.get("id")
    return (
        found.get("lc") in (1, 2)
        and found.get("type") == "constructor"
        and isinstance(path, list)
        and bool(path)
        and all(type(part) is str for part in path)
    )


def _revive(found: dict[str, Value]) -> Value:
    """Make the placeholder for an ``lc`` constructor envelope; any other mapping comes back as it is.

    Serializers before MessagePack wrote ``lc: 2`` for every class, LangChain writes ``lc: 1`` for its own
    (``langchain_core/load/serializable.py``).
    """
    if not _is_envelope(found):
        return found
    *modules, name = found["id"]
    args, kwargs, method = found.get("args"), found.get("kwargs"), found.get("method")
    if isinstance(method, list):  # the first that exists was meant: [None, "construct"]
        method = next((each for each in method if each is None or isinstance(each, str)), None)
    module = ".".join(modules)
    if isinstance(args, list) and not kwargs:
        if len(args) != 1:
            return _typed(module, name, args, "call*", method)
        if name in ("bytes", "bytearray") and method == "fromhex" and isinstance(args[0], str):
            try:
                return bytes.fromhex(args[0])
            except ValueError:
                pass  # not what LangGraph writes: shown as it stands
        return _typed(module, name, args[0], "method" if method else "call", method)
    if args:
        return _typed(module, name, {"args": args, "kwargs": kwargs}, "call**", method)
    return _typed(module, name, {} if kwargs is None else kwargs, "call**", method)


def too_deep(value: Value) -> bool:
    """Whether containers stand in each other more than ``MAX_DEPTH`` levels deep; does not recurse."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [child for each in level for child in _branches(each)]
        if not level:
            return False
    return True


def _branches(value: Value) -> list[Value]:
    """What stands in a container, as far as it can hold something itself."""
    kind = type(value)
    if kind is dict:
        inside = [*value.values(), *(key for key in value if type(key) is tuple or type(key) is Typed)]
    elif kind is list or kind is tuple:
        inside = value
    elif kind is Typed:
        inside = [value.data]
    elif kind is Snapshotted:
        inside = [value.value]
    else:
        return []
    return [child for child in inside if type(child) in _HOLDERS]


_HOLDERS = frozenset((dict, list, tuple, Typed, Snapshotted))


def _cut(value: Value, levels: int) -> Value:
    """Cut a value made from JSON, so that it has so many levels at most.

    Raises:
        RecursionError: What is cut off is itself too deep to be written as JSON.
    """
    if type(value) not in _HOLDERS:
        return value
    if not levels:
        return Undecodable(f"nested deeper than {MAX_DEPTH} levels", json.dumps(value, default=repr).encode())
    if isinstance(value, dict):
        return {key: _cut(item, levels - 1) for key, item in value.items()}
    if isinstance(value, Typed):
        return Typed(value.module, value.name, _cut(value.data, levels - 1), value.form, value.method)
    return [_cut(item, levels - 1) for item in value]
