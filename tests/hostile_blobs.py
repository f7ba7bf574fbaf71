"""Stored values that attack their reader: that run code, lie about their size, or are damaged."""

from __future__ import annotations

import json
import pickle
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ormsgpack

MODULES = ("this", "antigravity", "lgtop_hostile_module", "turtle", "smtplib")
"""Modules that the attacks name and that no part of the program needs: none may be imported."""


@dataclass(frozen=True)
class Attack:
    """A stored value that attacks its reader.

    Attributes:
        name: Short name.
        tag: Its type tag.
        data: Its bytes.
        sound: Whether it can stand inside another MessagePack value without breaking that.
    """

    name: str
    tag: str
    data: bytes
    sound: bool = True


def pack(value: Any) -> bytes:
    """MessagePack, with ``ormsgpack.Ext`` for extensions."""
    return ormsgpack.packb(value, option=ormsgpack.OPT_NON_STR_KEYS)


def ext(code: int, value: Any) -> ormsgpack.Ext:
    """A LangGraph extension around a packed value."""
    return ormsgpack.Ext(code, pack(value))


def nested_ext(code: int, levels: int, payload: bytes = b"\x01", wrap: bytes = b"") -> bytes:
    """Extensions inside each other, each payload being ``wrap`` and the next."""
    for _ in range(levels):
        payload = b"\xc9" + struct.pack(">Ib", len(wrap + payload), code) + wrap + payload
    return payload


class _Pickled:
    def __init__(self, canary: str) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        import os

        return os.system, (f"touch {self.canary}",)


def attacks(canary: Path) -> list[Attack]:
    """Return every attack.

    Args:
        canary: A file that comes into being if any of them succeeds.
    """
    return [*_code_attacks(str(canary)), *_corrupt_values()]


def _code_attacks(canary: str) -> Iterator[Attack]:
    """Blobs that run code, or import a module, in a reader that trusts them."""
    touch = f"touch {canary}"
    write = f"open({canary!r}, 'w')"
    fields = {"a": 1}
    calls = {
        "os-system": ext(0, ("os", "system", touch)),
        "posix-system": ext(0, ("posix", "system", touch)),
        "popen": ext(2, ("subprocess", "Popen", {"args": ["touch", canary]})),
        "popen-positional": ext(1, ("subprocess", "Popen", (["touch", canary],))),
        "exec": ext(0, ("builtins", "exec", write)),
        "eval": ext(0, ("builtins", "eval", write)),
        "import": ext(0, ("importlib", "import_module", "this")),
        "putenv": ext(1, ("os", "putenv", ("LGTOP_HOSTILE", "1"))),
        "method": ext(3, ("pathlib", "Path", canary, "touch")),
        "pydantic1": ext(4, ("this", "Model", fields)),
        "pydantic2": ext(5, ("antigravity", "Model", fields, "model_validate_json")),
        "unknown-module": ext(2, ("lgtop_hostile_module", "Order", fields)),
        "turtle": ext(0, ("turtle", "Pen", None)),
        "pickle-loads": ext(0, ("pickle", "loads", pickle.dumps(_Pickled(canary)))),
        "ndarray-object": ext(6, ("|O", (1,), "C", b"\x00" * 8)),
        "getattr-walk": ext(0, ("os", "path.os.system", touch)),
        "nested": ext(5, ("app", "Order", {"run": ext(0, ("os", "system", touch))}, "model_validate_json")),
        "in-snapshot": ext(7, [ext(0, ("os", "system", touch))]),
    }
    for name, value in calls.items():
        yield Attack(name, "msgpack", pack([value, "sibling"]))
    yield Attack("pickle", "pickle", pickle.dumps(_Pickled(canary)))
    for lc in (1, 2):
        envelope: dict[str, Any] = {
            "lc": lc,
            "type": "constructor",
            "id": ["os", "system"],
            "args": [touch],
            "kwargs": {},
        }
        yield Attack(f"json-lc{lc}", "json", json.dumps({"x": envelope, "y": "sibling"}).encode())
    module = {"lc": 2, "type": "constructor", "id": ["this", "Zen"], "method": [None, "construct"], "kwargs": fields}
    yield Attack("json-module", "json", json.dumps([module]).encode())
    secret = {"lc": 1, "type": "secret", "id": ["LANGGRAPH_AES_KEY"]}
    yield Attack("json-secret", "json", json.dumps({"key": secret}).encode())


def _corrupt_values() -> Iterator[Attack]:
    """Blobs that are damaged, lie about their size, or exhaust stack or memory."""
    deep = 20_000
    sound = {
        "invalid-utf8": b"\x92\xa4\xff\xfe\x80a\xa7sibling",
        "surrogate-utf8": b"\x92\xa3\xed\xa0\x80\xa7sibling",
        "bad-ext-payload": b"\x92\xc7\x02\x00\x93\x01\xa7sibling",
        "empty-ext": b"\x92\xc7\x00\x05\xa7sibling",
        "ext-not-a-tuple": pack([ext(0, 5), ext(1, []), ext(2, [1, 2, 3]), ext(6, "x"), ext(6, ["f", [-1], "C", b""])]),
        "unknown-ext": pack([ormsgpack.Ext(42, b"\x01"), ormsgpack.Ext(127, b""), "sibling"]) + b"",
        "timestamp-ext": b"\x92\xd6\xff\x00\x00\x00\x01\xa7sibling",
        "reserved-byte": b"\x92\xc1\xa7sibling",
        "ext-key": b"\x81" + pack(ext(0, ("uuid", "UUID", "ab"))) + b"\x01",
        "ext-key-unhashable": b"\x81" + pack(ext(2, ("app", "K", {"a": {}}))) + b"\xa7sibling",
        "map-key": b"\x82\x81\x01\x02\x03\xa1k\xa7sibling",
        "list-key": b"\x81\x92\x01\x91\x02\xa7sibling",
        "odd-keys": pack({2: "int", True: "bool", 1.5: "float", None: "none", b"b": "bytes", "": "empty"}),
        "nan-keys": b"\x82" + (b"\xcb" + struct.pack(">d", float("nan")) + b"\x01") * 2,
        "duplicate-keys": b"\x82\xa1a\x01\xa1a\x02",
        "floats": pack([float("nan"), float("inf"), float("-inf"), -0.0, 5e-324, 1.7976931348623157e308]),
        "integers": pack([2**64 - 1, -(2**63), 2**53 + 1]),
        "deep-list": b"\x91" * 900 + b"\x01",
        "deeper-list": b"\x91" * deep + b"\x01",
        "deep-map": b"\x81\xa1k" * 5000 + b"\x01",
        "deep-key": b"\x81" + b"\x91" * 900 + b"\x01\x01",
        "deep-ext": nested_ext(0, 300, wrap=b"\x93\xa1a\xa1B"),
        "deep-ext-list": nested_ext(0, 40, wrap=b"\x93\xa1a\xa1B" + b"\x91" * 1000),
        "deep-snapshot": nested_ext(7, 500),
        "wide-list": b"\xdd" + struct.pack(">I", 30_000) + b"\x01" * 30_000,
        "huge-string": b"\xdb" + struct.pack(">I", 300_000) + b"x" * 300_000,
        "secret": pack(
            [ext(0, ("pydantic.types", "SecretStr", "hunter2")), ext(0, ("pydantic", "SecretBytes", b"hunter2"))]
        ),
        "secret-nested": pack(
            {"m": ext(5, ("app", "Login", {"token": ext(0, ("pydantic.types", "SecretStr", "hunter2"))}, "x"))}
        ),
    }
    for name, data in sound.items():
        yield Attack(name, "msgpack", data)
    broken = {
        "empty": b"",
        "truncated": pack({"a": [1, 2, 3], "b": "text"})[:-3],
        "claims-4G-items": b"\xdd\xff\xff\xff\xff\x01",
        "claims-4G-entries": b"\xdf\xff\xff\xff\xff\x01\x01",
        "claims-4G-text": b"\xdb\xff\xff\xff\xffx",
        "claims-4G-bytes": b"\xc6\xff\xff\xff\xffx",
        "claims-4G-ext": b"\xc9\xff\xff\xff\xff\x00x",
        "random": bytes(range(0xC0, 0x100)) * 3,
    }
    for name, data in broken.items():
        yield Attack(f"broken-{name}", "msgpack", data, sound=False)
    others = {
        "json-broken": ("json", b'{"a": [1, 2'),
        "json-invalid-utf8": ("json", b'{"a": "\xff\xfe"}'),
        "json-surrogate": ("json", b'{"a": "\\ud800", "b": "\\u0000"}'),
        "json-deep": ("json", b"[" * deep + b"]" * deep),
        "json-deep-lc": ("json", b'{"lc":1,"type":"constructor","id":["a","B"],"kwargs":' * 400 + b"1" + b"}" * 400),
        "json-huge-integer": ("json", b'{"a": ' + b"9" * 10_000 + b', "b": "sibling"}'),
        "json-nan": ("json", b'[NaN, Infinity, -Infinity, 1e999, "sibling"]'),
        "json-duplicate-keys": ("json", b'{"a": 1, "a": 2}'),
        "unknown-tag": ("yaml", b"a: 1"),
        "hostile-tag": ("\x1b[2J[red]", b"x"),
        "encrypted": ("msgpack+aes", b"\x01" * 64),
        "encrypted-short": ("msgpack+aes", b"\x01"),
        "encrypted-foreign": ("msgpack+\x1b[2J", b"\x01" * 40),
        "encrypted-twice": ("msgpack+aes+aes", b"\x01" * 64),
        "null-with-bytes": ("null", b"\x01"),
    }
    for name, (tag, data) in others.items():
        yield Attack(name, tag, data, sound=False)
