"""What a person sees of a value."""

import json
import uuid
from base64 import b64decode
from collections import deque, namedtuple
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from datetime import time as clock
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv6Network
from pathlib import PurePosixPath, PureWindowsPath
from re import compile as pattern
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    ChatMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.types import Command, Interrupt, Overwrite, Send
from pydantic import BaseModel, SecretBytes, SecretStr

from backends.decode import Decoder
from backends.equality import same
from backends.messages import ToolCall, as_message
from backends.model import Blob
from backends.present import approx_size, children, preview, to_json, type_label
from backends.values import DeltaValue, Encrypted, NdArray, Secret, Snapshotted, Typed, Undecodable, Value
from tests.hostile import STRINGS
from tests.unit.test_diff import VALUES
from tests.work import allocated, steps


class Color(Enum):
    RED = "red"


@dataclass
class Point:
    x: int
    y: Any


class Order(BaseModel):
    id: int
    token: SecretStr = SecretStr("hunter2")


class CustomMessage(HumanMessage):
    """An application's own message class."""


Pair = namedtuple("Pair", ["left", "right"])

HERE = __name__


def stored(value: Any) -> Value:
    """The value as the store gives it back, decoded by us."""
    tag, data = JsonPlusSerializer().dumps_typed(value)
    return Decoder().decode(Blob(tag, data))


@pytest.mark.parametrize(
    ("value", "label", "line"),
    [
        (None, "None", "None"),
        (True, "bool", "True"),
        (3, "int", "3"),
        (float("nan"), "float", "nan"),
        ("two\nlines", "str 9", '"two⏎lines"'),
        (b"\x00\xff", "bytes 2", "‹bytes 2› 00ff"),
        ([1, "a", None], "list 3", '[1, "a", None]'),
        ((1, 2), "list 2", "[1, 2]"),
        ({"a": {"b": []}, 1: 2}, "dict 2", "{a: {b: []}, 1: 2}"),
        (datetime(2026, 11, 20, 10, tzinfo=UTC), "datetime", "2026-11-20T10:00:00Z"),
        (datetime(2026, 11, 20, 10, 0, 0, 5), "datetime", "2026-11-20T10:00:00.000005"),
        (date(2026, 1, 2), "date", "2026-01-02"),
        (clock(1, 2, 3), "time", "01:02:03"),
        (clock(1, 2, 3, 4, tzinfo=UTC), "time", "01:02:03.000004UTC"),
        (timedelta(days=1, hours=2, seconds=3), "timedelta", "1d 2:00:03"),
        (timedelta(seconds=-90, microseconds=5), "timedelta", "-0:01:29.999995"),
        (UTC, "timezone", "UTC"),
        (timezone(timedelta(hours=-3, minutes=-30)), "timezone", "-03:30"),
        (timezone(timedelta(hours=2), "CEST"), "timezone", "CEST"),
        (ZoneInfo("Europe/Vienna"), "ZoneInfo", "Europe/Vienna"),
        (uuid.UUID(int=5), "UUID", "00000000-0000-0000-0000-000000000005"),
        (Decimal("1.20"), "Decimal", "1.20"),
        (IPv4Address("10.0.0.1"), "IPv4Address", "10.0.0.1"),
        (IPv6Network("fe80::/10"), "IPv6Network", "fe80::/10"),
        (pattern("a+b"), "Pattern", "/a+b/"),
        ({1}, "set 1", "‹set› [1]"),
        (frozenset("x"), "frozenset 1", '‹frozenset› ["x"]'),
        (deque([1, 2], maxlen=5), "deque 2", "‹deque› [1, 2]"),
        (Color.RED, f"‹{HERE}.Color›", f'‹{HERE}.Color› "red"'),
        (Point(1, [2]), f"‹{HERE}.Point›", f"‹{HERE}.Point› {{x: 1, y: [2]}}"),
        (Pair(1, 2), f"‹{HERE}.Pair›", f"‹{HERE}.Pair› {{left: 1, right: 2}}"),
        (Order(id=7), f"‹{HERE}.Order›", f"‹{HERE}.Order› {{id: 7, token: ‹SecretStr› ••••}}"),
        (SecretStr("hunter2"), "SecretStr", "‹SecretStr› ••••"),
        (SecretBytes(b"hunter2"), "SecretBytes", "‹SecretBytes› ••••"),
        (HumanMessage("Hello"), "HumanMessage", "human: Hello"),
        (AIMessage("Hi", id="1"), "AIMessage", "ai: Hi"),
        (SystemMessage("Be\nkind"), "SystemMessage", "system: Be⏎kind"),
        (ToolMessage("4", tool_call_id="1"), "ToolMessage", "tool: 4"),
        (RemoveMessage(id="1"), "RemoveMessage", "remove: "),
        (ChatMessage(role="judge", content="no"), "ChatMessage", "judge: no"),
        (CustomMessage("mine"), "CustomMessage", "human: mine"),
        (Send("review", {"n": 1}), "‹Send›", '‹Send› "review" ← {n: 1}'),
        (Interrupt("Approve?", id="x"), "‹Interrupt›", '‹Interrupt› "Approve?"'),
        (Overwrite([1]), "‹Overwrite›", "‹Overwrite› {value: [1], type: \"__overwrite__\"}"),
        (ValueError("boom"), "str 18", "\"ValueError('boom')\""),
    ],
    ids=lambda part: None,
)  # fmt: skip
def test_what_langgraph_stores(value: Any, label: str, line: str) -> None:
    seen = stored(value)
    assert type_label(seen) == label
    assert preview(seen) == line
    json.dumps(to_json(seen), allow_nan=False)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (PurePosixPath("/a/b"), "/a/b"),
        (PurePosixPath("a/b"), "a/b"),
        (PurePosixPath("/"), "/"),
        (PurePosixPath("."), "."),
        (PureWindowsPath("C:\\a\\b"), "C:\\a\\b"),
    ],
)
def test_paths(path: Any, line: str) -> None:
    seen = Typed("pathlib", type(path).__name__, [*path.parts], "call*")
    assert preview(seen) == line


@pytest.mark.parametrize("name", ["datetime", "date", "time", "timedelta", "timezone"])
@pytest.mark.parametrize("data", [None, 5, "x", [], ["a", "b", "c"], {"hour": "x"}, [1, 2], {}])
def test_well_known_names_around_nonsense_are_ordinary_instances(name: str, data: Value) -> None:
    value = Typed("datetime", name, data, "call")
    assert preview(value)
    assert type_label(value)
    assert json.dumps(to_json(value))


@pytest.mark.parametrize(
    ("value", "label", "line"),
    [
        (Undecodable("ends at byte 3", b"abc"), "not readable", "‹not readable: ends at byte 3›"),
        (Encrypted("msgpack+aes", "no key", b"x"), "encrypted", "‹encrypted: no key›"),
        (Snapshotted([1]), "delta", "‹delta› [1]"),
        (DeltaValue([1], True, ([2], [3])), "delta", "‹delta› seed + 2 writes: [1] + [2] + [3]"),
        (DeltaValue([1], True, ()), "delta", "‹delta› [1]"),
        (DeltaValue(None, False, (2,), False), "delta", "‹delta› 1 write (ancestors are missing): 2"),
        (NdArray("<f4", (2, 3), "C", b"x" * 24), "ndarray float32 2×3", "‹ndarray› float32 2×3"),
        (NdArray("|b1", (), "C", b"x"), "ndarray |b1", "‹ndarray› |b1"),
        (NdArray("|O\x1b[2J", (1,), "C", b""), "ndarray |O␛[2J 1", "‹ndarray› |O␛[2J 1"),
        (Typed("", "x", 5, "call"), "‹x›", "‹x› 5"),
        (Typed("a.\x1b[2J", "[/b]", 5, "call"), "‹a.␛[2J.[/b]›", "‹a.␛[2J.[/b]› 5"),
        ({"\x1b[2J": "\u202e"}, "dict 1", '{␛[2J: "<U+202E>"}'),
        ({(1, "a"): 1, None: 2}, "dict 2", '{[1, "a"]: 1, None: 2}'),
    ],
)
def test_placeholders(value: Value, label: str, line: str) -> None:
    assert type_label(value) == label
    assert preview(value) == line


@given(VALUES)
def test_a_preview_is_one_line_of_the_length_asked_for(value: Value) -> None:
    whole = preview(value, 10_000)
    for limit in (0, 1, 5, 40):
        line = preview(value, limit)
        assert len(line) <= limit
        assert "\n" not in line
        if limit > 1 and len(whole) > limit:
            assert line.endswith("…")
            assert whole.startswith(line[:-1].removesuffix("…").rstrip('"'))
    assert "\n" not in type_label(value)


@pytest.mark.parametrize("text", STRINGS.values(), ids=STRINGS)
def test_hostile_text_is_shown_and_does_nothing(text: str) -> None:
    values = [text, {text: text}, [text], Typed(text, text, text, "call"), Typed(text, text, {text: text}, "pydantic2")]
    values += [{"type": "human", "content": text, "name": text}, Undecodable(text, b""), Encrypted(text, text, b"")]
    values += [Secret(text, 1), NdArray(text, (1,), text, b""), {"role": "user", "content": [{"type": text}]}]
    values += [{"type": "ai", "content": "", "tool_calls": [{"name": text, "args": text}]}]
    for value in values:
        for line in (preview(value), type_label(value)):
            assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in line)
            assert not {"\u202e", "\u200b", "\ud800", "\u2028", "\U000e0041"} & set(line)
            line.encode()


BIG = "x" * 20_000_000


@pytest.mark.parametrize(
    "value",
    [
        BIG,
        BIG.encode(),
        [BIG] * 10,
        {BIG: BIG},
        [*range(1_000_000)],
        [[]] * 1_000_000,
        {"m": [{"type": "human", "content": BIG}] * 100_000},
        {"type": "human", "content": [{"type": "text", "text": "x"}] * 1_000_000},
        {"type": "ai", "content": "", "tool_calls": [{"name": "f", "args": {}}] * 1_000_000},
        Typed("a", BIG, BIG, "call"),
        Typed("datetime", "datetime", BIG, "method", "fromisoformat"),
        DeltaValue(BIG, True, (BIG,) * 1000),
        [float(i) for i in range(1_000_000)],
    ],
    ids=range(13),
)
def test_a_preview_costs_the_same_however_large_the_value(value: Value) -> None:
    assert len(preview(value)) <= 200
    assert len(type_label(value)) < 100

    def look() -> None:
        preview(value)
        type_label(value)
        approx_size(value)

    assert steps(look) < 100_000
    assert allocated(look) < 1.5 * len(BIG)  # a class name as long as that is copied once


def test_children() -> None:
    assert children("text") is children(1) is children(None) is children(b"x") is None
    assert children(Undecodable("x", b"")) is children(Secret("SecretStr", 1)) is None
    assert children({"a": 1, 2: "b", None: 3, True: 4}) == [("a", 1), (2, "b"), ("None", 3), ("True", 4)]
    assert children(Typed("app", "Order", {"id": 7}, "pydantic2")) == [("id", 7)]
    assert children(stored(datetime.now(UTC))) is None
    assert children(stored(Color.RED)) is None
    assert children(stored(timezone(timedelta(hours=1)))) is None
    assert children(Typed("app", "Box", Typed("app", "Order", {"id": 7}, "call**"), "call")) == [
        ("value", Typed("app", "Order", {"id": 7}, "call**"))
    ]
    assert children(Snapshotted([1])) == [("snapshot", [1])]
    assert children(DeltaValue([1], True, (2,))) == [("seed", [1]), ("writes", (2,))]
    items = children([10, 20, 30])
    assert items is not None
    assert (len(items), items[1], items[-1], items[1:]) == (3, (1, 20), (2, 30), [(1, 20), (2, 30)])
    assert list(items) == [(0, 10), (1, 20), (2, 30)]
    with pytest.raises(IndexError):
        items[3]


def test_items_of_a_long_list_are_not_copied() -> None:
    value = [0] * 10_000_000

    def last() -> None:
        items = children(value)
        assert items is not None
        assert items[9_999_999] == (9_999_999, 0)

    assert allocated(last) < 100_000


def _revived(found: Value) -> Value:
    """The inverse of ``to_json``, but for the form of an instance and for what was masked."""
    if isinstance(found, list):
        return [_revived(item) for item in found]
    if not isinstance(found, dict):
        return found
    match found:
        case {"$float": text}:
            return float(text)
        case {"$bytes": text}:
            return b64decode(text)
        case {"$map": pairs}:
            return {tuple(key) if isinstance(key, list) else _revived(key): _revived(value) for key, value in pairs}
        case {"$type": name, "value": data}:
            return Typed(*name.rsplit(".", 1), _revived(data), "")
        case {"$undecodable": reason, "raw": raw}:
            return Undecodable(reason, b64decode(raw))
        case {"$encrypted": tag, "reason": reason, "raw": raw}:
            return Encrypted(tag, reason, b64decode(raw))
        case {"$secret": name}:
            return Secret(name, 0)
        case {"$ndarray": data, "dtype": dtype, "shape": shape, "order": order}:
            return NdArray(dtype, tuple(shape), order, b64decode(data))
        case {"$snapshot": value}:
            return Snapshotted(_revived(value))
        case {"$delta": {"writes": writes, "complete": complete, **seed}}:
            return DeltaValue(_revived(seed.get("seed")), "seed" in seed, tuple(map(_revived, writes)), complete)
    return {key: _revived(value) for key, value in found.items()}


def _plain(value: Value) -> Value:
    """A value without what JSON leaves out on purpose."""
    match value:
        case list():
            return [_plain(item) for item in value]
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case Typed():
            return Typed(value.module, value.name, _plain(value.data), "")
        case Secret():
            return Secret(value.name, 0)
        case Snapshotted():
            return Snapshotted(_plain(value.value))
        case DeltaValue():
            return DeltaValue(_plain(value.seed), value.has_seed, tuple(map(_plain, value.writes)), value.complete)
    return value


@given(VALUES)
def test_json_loses_nothing_but_secrets(value: Value) -> None:
    text = json.dumps(to_json(value), allow_nan=False)
    assert same(_revived(json.loads(text)), _plain(value))


def test_json_of_a_mapping_that_looks_like_ours() -> None:
    assert to_json({"$type": "x"}) == {"$map": [["$type", "x"]]}
    assert to_json({1: 2, "a": 3}) == {"$map": [[1, 2], ["a", 3]]}
    assert to_json({"a": (1, 2)}) == {"a": [1, 2]}


def test_sizes_are_about_right() -> None:
    for value in ([*range(1000, 2000)], {"a": "x" * 5000}, [{"id": i, "text": "y" * 300} for i in range(2000)]):
        _, data = JsonPlusSerializer().dumps_typed(value)
        assert len(data) / 2 < approx_size(value) < len(data) * 2


LANGCHAIN = {
    "type": "ai",
    "content": [{"type": "text", "text": "one"}, "two", {"type": "image_url"}, {"type": "tool_use", "name": "f"}, 5],
    "name": "bot",
    "id": "m1",
    "tool_calls": [{"name": "search", "args": {"q": "x"}, "id": "c1", "type": "tool_call"}, "junk", {"name": 5}],
}


def test_messages_in_every_form() -> None:
    for value in (
        LANGCHAIN,
        Typed("langchain_core.messages.ai", "AIMessage", LANGCHAIN, "pydantic2", "model_validate_json"),
        Typed("langchain.schema.messages", "AIMessage", LANGCHAIN, "call**"),
        Typed("app", "MyMessage", LANGCHAIN, "pydantic2"),
    ):
        message = as_message(value)
        assert message is not None
        assert (message.role, message.text, message.name, message.id) == ("ai", "one\ntwo\n[image_url]", "bot", "m1")
        assert message.tool_calls == (ToolCall("search", {"q": "x"}, "c1"),)
        assert message.value is value
    openai = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": '{"a": 1}'}}],
    }
    message = as_message(openai)
    assert message is not None
    assert (message.role, message.text, message.tool_calls) == ("assistant", "", (ToolCall("f", '{"a": 1}', "c"),))
    assert preview(openai) == 'assistant: → f("{"a": 1}")'
    chunk = as_message(stored(AIMessageChunk("part")))
    assert chunk is not None
    assert (chunk.role, chunk.text) == ("ai", "part")
    old = as_message({"type": "ai", "content": "", "additional_kwargs": {"tool_calls": openai["tool_calls"]}})
    assert old is not None
    assert old.tool_calls == (ToolCall("f", '{"a": 1}', "c"),)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "human",
        {"content": "x"},
        {"type": "human"},
        {"type": "human", "content": 5},
        {"type": "file", "content": "x"},
        {"role": "editor", "content": "x"},
        {"type": ["human"], "content": "x"},
        Typed("app", "HumanMessage", "x", "call"),
        Typed("app", "Doc", {"content": "x", "type": "doc"}, "pydantic2"),
        Typed("app", "Doc", {"content": "x", "type": []}, "pydantic2"),
    ],
)
def test_what_is_no_message(value: Value) -> None:
    assert as_message(value) is None


def test_a_command_shows_its_fields() -> None:
    assert preview(stored(Command(goto="next", update={"n": 1}))).startswith("‹Command› {")
