"""Decoding: everything that LangGraph writes, nothing that an enemy wants, never an exception."""

import json
import os
import random
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from unicodedata import category

import ormsgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from backends.decode import Decoder, _extension, from_json, from_msgpack, too_deep
from backends.equality import same
from backends.lenient import MAX_DEPTH, Broken, read
from backends.model import Blob
from backends.present import approx_size, children, preview, to_json, type_label
from backends.values import Encrypted, NdArray, Secret, Snapshotted, Typed, Undecodable, Value
from tests.hostile_blobs import attacks, ext, nested_ext, pack

KEY = b"0123456789abcdef"
DECODER = Decoder()
TEXT = st.text(max_size=8)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=True), TEXT, st.binary(max_size=8)
)
PLAIN = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4), max_leaves=12
)


def decode(tag: str | None, data: bytes | None) -> Value:
    return DECODER.decode(Blob(tag, data))


def see(value: Value) -> str:
    """Use a value in every way that the program does; whatever it is, that must work."""
    type_label(value)
    approx_size(value)
    inside = children(value)
    if inside is not None:
        for _, child in inside[:3]:
            see(child)
    assert value == value or "nan" in repr(value)
    json.dumps(to_json(value), allow_nan=False)
    line = preview(value, 120)
    assert len(line) <= 120
    unknown = {char for char in line if not char.isprintable()}  # characters that are newer than this Python
    assert all(char == "\u3000" or category(char) == "Cn" for char in unknown)
    return line


@given(PLAIN)
def test_plain_values_come_back(value: Value) -> None:
    tag, data = JsonPlusSerializer().dumps_typed(value)
    assert same(decode(tag, data), value)


@given(PLAIN)
def test_the_lenient_reader_agrees_with_the_fast_one(value: Value) -> None:
    data = ormsgpack.packb([value, ormsgpack.Ext(2, pack(["m", "N", {"x": value}]))])
    assert same(read(data, _extension), from_msgpack(data))


@given(st.binary(max_size=40))
def test_random_bytes_never_raise(data: bytes) -> None:
    for tag in ("msgpack", "json", None, "pickle", "msgpack+aes", "x"):
        see(decode(tag, data))


def test_damaged_blobs_never_raise() -> None:
    chance = random.Random(7)
    whole = pack(
        {
            "messages": [ext(5, ("langchain_core.messages.ai", "AIMessage", {"content": "hé", "type": "ai"}, "m"))],
            "when": ext(3, ("datetime", "datetime", "2026-11-20T10:00:00+00:00", "fromisoformat")),
            "array": ext(6, ("<f4", (2,), "C", b"\x00" * 8)),
            1: [None, 1.5, 2**60, b"bytes", ext(7, [1, 2])],
        }
    )
    for _ in range(3000):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        see(decode("msgpack", bytes(damaged[: chance.randint(1, len(damaged))])))


def test_attacks_never_raise(tmp_path: Path) -> None:
    for attack in attacks(tmp_path / "canary"):
        line = see(decode(attack.tag, attack.data))
        assert "hunter2" not in line
        if attack.sound and b"sibling" in attack.data:
            assert "sibling" in repr(decode(attack.tag, attack.data)), attack.name
    assert not (tmp_path / "canary").exists()


ATTACKED = """
import json, os, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from backends import decode, delta, diff, messages, present, snapshot
from backends.model import Blob
from tests.hostile_blobs import attacks
from Crypto.Cipher import AES
AES.new(b"0123456789abcdef", AES.MODE_EAX, nonce=b"n" * 16).encrypt_and_digest(b"")  # it imports its parts late
found = attacks(Path({canary!r}))
before = set(sys.modules)
previous = None
for decoder in (decode.Decoder(), decode.Decoder(b"0123456789abcdef")):
    for attack in found:
        value = decoder.decode(Blob(attack.tag, attack.data))
        present.preview(value), present.type_label(value), present.children(value), present.approx_size(value)
        messages.as_message(value)
        json.dumps(present.to_json(value))
        diff.apply(diff.diff(previous, value), previous)
        previous = value
print(json.dumps([sorted(set(sys.modules) - before), "LGTOP_HOSTILE" in os.environ]))
"""


def test_no_attack_runs_or_imports_anything(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    script = ATTACKED.format(root=str(Path(__file__).parents[2]), canary=str(canary))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    imported, put = json.loads(done.stdout)
    assert imported == []
    assert not put
    assert not canary.exists()
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("tag", "data", "value"),
    [
        ("null", b"", None),
        ("empty", b"", None),
        (None, None, None),
        ("bytes", b"\xff", b"\xff"),
        ("bytearray", b"ab", b"ab"),
        ("json", b'{"a": [1, null]}', {"a": [1, None]}),
        (None, b'{"a": 1}', {"a": 1}),
        ("msgpack", pack({1: "x"}), {1: "x"}),
        ("msgpack", pack(ext(0, ("m", "N", 1))), Typed("m", "N", 1, "call")),
        ("msgpack", pack(ext(1, ("m", "N", [1]))), Typed("m", "N", [1], "call*")),
        ("msgpack", pack(ext(2, ("m", "N", {"a": 1}))), Typed("m", "N", {"a": 1}, "call**")),
        ("msgpack", pack(ext(3, ("m", "N", 1, "of"))), Typed("m", "N", 1, "method", "of")),
        ("msgpack", pack(ext(4, ("m", "N", {"a": 1}))), Typed("m", "N", {"a": 1}, "pydantic1")),
        ("msgpack", pack(ext(5, ("m", "N", {}, "load"))), Typed("m", "N", {}, "pydantic2", "load")),
        ("msgpack", pack(ext(6, ("<f4", (1, 2), "C", b"12345678"))), NdArray("<f4", (1, 2), "C", b"12345678")),
        ("msgpack", pack(ext(7, [1])), Snapshotted([1])),
    ],
)  # fmt: skip
def test_tags_and_extensions(tag: str | None, data: bytes | None, value: Value) -> None:
    assert same(decode(tag, data), value)


@pytest.mark.parametrize(
    ("tag", "data", "words"),
    [
        ("pickle", b"x", "never loaded"),
        ("yaml", b"x", "unknown type tag 'yaml'"),
        ("msgpack", None, "no bytes"),
        ("msgpack", b"", "ends at byte 0"),
        ("msgpack", b"\xdd\xff\xff\xff\xff\x01", "ends at byte 6"),
        (None, b"\x93", "no type tag"),
        ("json", b"{", "not JSON"),
    ],
)
def test_what_cannot_be_read_says_why_and_keeps_the_bytes(tag: str | None, data: bytes | None, words: str) -> None:
    value = decode(tag, data)
    assert isinstance(value, Undecodable)
    assert words in value.reason
    assert value.raw == (data or b"")


@pytest.mark.parametrize(
    "bad",
    [
        b"\xa2\xff\xfe",  # not UTF-8
        b"\xc1",  # reserved
        b"\xd4\x2a\x01",  # unknown extension
        b"\xc7\x02\x00\x93\x01",  # extension with a truncated payload
        b"\xc7\x01\x05\xa1",
        b"\x91" * (MAX_DEPTH + 5) + b"\x01",
    ],
)
def test_siblings_of_what_is_damaged_are_kept(bad: bytes) -> None:
    value = decode("msgpack", b"\x83\xa1a\x01\xa1b" + bad + b"\xa1c\x93\x01" + bad + b"\xa4good")
    assert (value["a"], value["c"][0], value["c"][2]) == (1, 1, "good")
    assert "Undecodable" in repr(value["b"])
    assert "Undecodable" in repr(value["c"][1])


@pytest.mark.parametrize(
    ("key", "decoded"),
    [
        (pack([1, [2]]), (1, (2,))),
        (pack(ext(0, ("uuid", "UUID", "ab"))), Typed("uuid", "UUID", "ab", "call")),
        (pack(ext(1, ("m", "N", [1, [2]]))), Typed("m", "N", (1, (2,)), "call*")),
        (pack({1: 2}), Undecodable("a key that cannot be one", b"\x81\x01\x02")),
    ],
)
def test_keys_that_python_does_not_take(key: bytes, decoded: Value) -> None:
    value = decode("msgpack", b"\x82" + key + b"\x01\xa1k" + pack(ext(0, ("m", "N", 1))))
    assert value == {decoded: 1, "k": Typed("m", "N", 1, "call")}
    see(value)


@pytest.mark.parametrize("levels", [MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1, 1000, 1023, 1024, 50_000])
@pytest.mark.parametrize("opening", [b"\x91", b"\x81\xa1k", b"\x92\xa1x", b"\xdc\x00\x01"])
def test_nesting_is_cut_where_it_gets_dangerous(levels: int, opening: bytes) -> None:
    value = decode(
        "msgpack", b"\x92" + opening * levels + b"\x01" * (levels + 1 if opening[0] == 0x92 else 1) + b"\x07"
    )
    if opening[0] != 0x92:
        assert value[1] == 7
    assert not too_deep(value)
    assert ("Undecodable" in repr(value)) == (levels >= MAX_DEPTH)
    see(value)


@pytest.mark.parametrize("code", [0, 2, 5, 7])
@pytest.mark.parametrize("wrap", [b"\x93\xa1a\xa1B", b"\x93\xa1a\xa1B" + b"\x91" * 1000, b"\x91" * 1000])
@pytest.mark.parametrize("levels", [3, 20, 60, 400])
def test_extensions_inside_extensions_do_not_overflow_the_stack(code: int, wrap: bytes, levels: int) -> None:
    data = nested_ext(code, levels, wrap=wrap if code != 7 else b"")
    results: list[Value] = []
    thread = threading.Thread(target=lambda: results.append(decode("msgpack", data)))
    thread.start()
    thread.join()
    assert not too_deep(results[0])
    see(results[0])


def test_a_chain_of_instances_is_read_to_the_end() -> None:
    data = pack("end")
    for _ in range(40):
        packed = b"\x93\xa1m\xa1N\x81\xa4next" + data
        data = b"\xc8" + len(packed).to_bytes(2, "big") + b"\x02" + packed
    value = decode("msgpack", data)
    for _ in range(40):
        value = value.data["next"]
    assert value == "end"


@pytest.mark.parametrize("levels", [10, MAX_DEPTH - 1, MAX_DEPTH + 1, 400, 900, 100_000])
@pytest.mark.parametrize("piece", ["[", '{"k":', '{"lc":1,"type":"constructor","id":["a","B"],"kwargs":'])
def test_nested_json(levels: int, piece: str) -> None:
    closing = "]" if piece == "[" else "}"
    value = from_json((piece * levels + "1" + closing * levels).encode())
    assert not too_deep(value)
    see(value)


def test_json_that_is_almost_right() -> None:
    assert from_json(b'["\xff", "ok"]') == ["\udcff", "ok"]
    assert from_json(b'{"a": 1, "a": 2}') == {"a": 2}
    assert repr(from_json(b"[NaN, -Infinity, 1e999]")) == "[nan, -inf, inf]"
    value = from_json(b'{"n": ' + b"9" * 5000 + b', "good": 12345678901234567890123}')
    assert value["n"] == Undecodable("an integer of 5000 digits", b"9" * 5000)
    assert value["good"] == 12345678901234567890123
    assert isinstance(from_json(b"[" + b"9" * 5000), Undecodable)


def envelope(lc: int, name: str, **more: Any) -> bytes:
    return json.dumps({"lc": lc, "type": "constructor", "id": name.split("."), **more}).encode()


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (envelope(1, "lc.Human", kwargs={"content": "x"}), Typed("lc", "Human", {"content": "x"}, "call**")),
        (envelope(2, "a.b.C", kwargs={"id": 1}, method=[None, "construct"]), Typed("a.b", "C", {"id": 1}, "call**")),
        (envelope(2, "uuid.UUID", args=["ab"]), Typed("uuid", "UUID", "ab", "call")),
        (envelope(2, "datetime.date", args=[2026, 1, 2]), Typed("datetime", "date", [2026, 1, 2], "call*")),
        (envelope(2, "app.Day", method="of", args=["2026"]), Typed("app", "Day", "2026", "method", "of")),
        (envelope(2, "builtins.bytes", method="fromhex", args=["ff00"]), b"\xff\x00"),
        (envelope(2, "b.bytes", method="fromhex", args=["zz"]), Typed("b", "bytes", "zz", "method", "fromhex")),
        (envelope(2, "a.F", args=[1], kwargs={"b": 2}), Typed("a", "F", {"args": [1], "kwargs": {"b": 2}}, "call**")),
        (envelope(2, "app.F"), Typed("app", "F", {}, "call**")),
        (b'{"lc": 1, "type": "secret", "id": ["KEY"]}', {"lc": 1, "type": "secret", "id": ["KEY"]}),
        (b'{"lc": 3, "type": "constructor", "id": ["a", "b"]}', {"lc": 3, "type": "constructor", "id": ["a", "b"]}),
        (b'{"lc": 1, "type": "constructor", "id": [1, "b"]}', {"lc": 1, "type": "constructor", "id": [1, "b"]}),
    ],
)  # fmt: skip
def test_json_envelopes(data: bytes, value: Value) -> None:
    assert same(from_json(data), value)


@pytest.mark.parametrize("value", [None, {"a": [1]}, b"raw", "text"])
@pytest.mark.parametrize("size", [16, 24, 32])
def test_encrypted_values(value: Value, size: int) -> None:
    key = (KEY * 2)[:size]
    tag, data = EncryptedSerializer.from_pycryptodome_aes(key=key).dumps_typed(value)
    blob = Blob(tag, data)
    assert "aes" in tag
    assert Decoder(key).decode(blob) == value
    assert Decoder.from_environment({"LANGGRAPH_AES_KEY": key.decode()}).decode(blob) == value
    for decoder, words in [
        (Decoder(), "no key: set LANGGRAPH_AES_KEY"),
        (Decoder.from_environment({}), "no key"),
        (Decoder(b"x" * size), "wrong key"),
        (Decoder(b"short"), "5 bytes"),
    ]:
        locked = decoder.decode(blob)
        assert isinstance(locked, Encrypted)
        assert (locked.tag, locked.raw) == (tag, data)
        assert words in locked.reason
        assert key.decode() not in locked.reason


def test_other_ciphers_are_named() -> None:
    locked = Decoder(KEY).decode(Blob("msgpack+fernet", b"x" * 50))
    assert isinstance(locked, Encrypted)
    assert "'fernet'" in locked.reason
    assert isinstance(Decoder(KEY).decode(Blob("msgpack+aes", b"short")), Encrypted)


def test_importing_the_decoder_imports_no_cipher_and_no_difflib() -> None:
    script = (
        "import sys, backends.decode; print(sorted({'Crypto', 'difflib', 'langgraph', 'pickle'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=os.getcwd())
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("module", ["pydantic.types", "pydantic", "pydantic.v1.types", "app.secrets"])
@pytest.mark.parametrize("name", ["SecretStr", "SecretBytes"])
def test_secrets_leave_no_trace(module: str, name: str) -> None:
    secret = ext(0, (module, name, "hunter2" if name == "SecretStr" else b"hunter2"))
    value = decode("msgpack", pack({"a": secret, "b": [ext(5, ("app", "Login", {"token": secret}, "m"))]}))
    assert (value["a"].name, value["a"].length) == (name, 7)
    assert value["b"][0].data == {"token": value["a"]}
    for seen in (repr(value), preview(value), json.dumps(to_json(value))):
        assert "hunter2" not in seen
        assert "aHVudGVyMg" not in seen
    assert "••••" in preview(value)


@pytest.mark.parametrize(
    "stored",
    [
        Blob("msgpack", pack(ext(0, ("pydantic", "Secret[int]", 5)))),
        Blob("json", envelope(2, "pydantic.types.SecretStr", args=["hunter2"])),
    ],
)
def test_every_form_of_a_secret_is_masked(stored: Blob) -> None:
    assert isinstance(Decoder().decode(stored), Secret)


def test_a_secret_that_changed_is_seen_to_have_changed() -> None:
    one, same_text, other = (
        decode("msgpack", pack(ext(0, ("pydantic", "SecretStr", text)))) for text in ("hunter2", "hunter2", "hunter3")
    )
    assert one == same_text
    assert one != other
    assert not same(one, other)


def test_the_lenient_reader_tells_damage_from_content() -> None:
    with pytest.raises(Broken):
        read(b"\x92\x01", _extension)
    assert read(b"\x01trailing", _extension) == from_msgpack(b"\x01trailing") == 1
