"""What a person edits as JSON comes back as the objects that the graph knows, or is refused."""

import json
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from ipaddress import ip_address, ip_network
from pathlib import Path
from re import compile as pattern
from typing import Annotated, Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import ormsgpack
import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.graph import START, StateGraph
from langgraph.types import Send
from pydantic import BaseModel, SecretStr
from typing_extensions import TypedDict

from backends.decode import Decoder
from backends.errors import Refused
from backends.model import Blob
from backends.present import to_json
from backends.worker import classes
from backends.worker.restore import Restorer, allowed_classes


class Colour(Enum):
    RED = "red"


class Pair(NamedTuple):
    left: int
    right: str


@dataclass
class Point:
    x: int
    colour: Colour


class Inner(BaseModel):
    n: int


class Order(BaseModel):
    number: int
    inner: Inner | None = None


class Parcel(BaseModel):
    class Status(Enum):
        NEW = "new"

    class Line(BaseModel):
        sku: str

    status: Status = Status.NEW


@dataclass(frozen=True)
class Counted:
    names: frozenset[str]
    seen: int = field(default=0, init=False)


def local_class() -> Any:
    @dataclass
    class Local:
        x: int

    return Local


LOCAL = local_class()


class Plain:
    pass


VALUES: dict[str, Any] = {
    "plain": {"a": [1, 2.5, None, True, "text"]},
    "bytes": b"\x00\xff",
    "infinity": float("-inf"),
    "keys": {1: "one", "$type": "not a form", "nested": {"$x": 1}},
    "set": {1, 2},
    "frozenset": frozenset(("a",)),
    "deque": deque([1, [2]]),
    "enum": Colour.RED,
    "named tuple": Pair(1, "x"),
    "dataclass": Point(1, Colour.RED),
    "model": Order(number=3, inner=Inner(n=4)),
    "datetime": datetime(2026, 11, 21, 9, 0, 0, 5, tzinfo=UTC),
    "date": date(2026, 11, 21),
    "time": time(9, 30, tzinfo=UTC),
    "timedelta": timedelta(days=1, seconds=2),
    "timezone": timezone(timedelta(hours=2)),
    "zone": ZoneInfo("Europe/Berlin"),
    "decimal": Decimal("1.50"),
    "uuid": UUID(int=7),
    "path": Path("/tmp/x"),
    "pattern": pattern("a+b", 2),
    "address": ip_address("10.0.0.1"),
    "network": ip_network("fe80::/64"),
    "messages": [HumanMessage("hi", id="1"), AIMessage("", tool_calls=[{"name": "f", "args": {}, "id": "2"}], id="3")],
    "send": [Send("node", {"point": Point(2, Colour.RED)})],
    "deep": {"list": [{"points": [Point(n, Colour.RED) for n in range(3)]}]},
}


def stored(value: Any) -> Any:
    """What is read from a store, as placeholders."""
    return Decoder().decode(Blob(*JsonPlusSerializer().dumps_typed(value)))


def restorer(examples: Any, allowed: set[tuple[str, str]] = frozenset()) -> Restorer:  # type: ignore[assignment]
    return Restorer(JsonPlusSerializer(), Decoder(), lambda: examples, lambda: set(allowed))


@pytest.mark.parametrize("kind", VALUES)
def test_a_value_comes_back_as_it_was(kind: str):
    value = stored(VALUES[kind])
    edited = json.loads(json.dumps(to_json(value)))
    made = restorer(value).restore(edited)
    assert made == VALUES[kind]
    assert type(made) is type(VALUES[kind])


def test_part_of_a_value_may_be_changed():
    value = stored([Point(1, Colour.RED), Order(number=3)])
    edited = to_json(value)
    edited[0]["value"]["x"] = 9
    edited[1]["value"]["number"] = 10
    assert restorer(value).restore(edited) == [Point(9, Colour.RED), Order(number=10)]


class State(TypedDict, total=False):
    order: Order
    points: Annotated[list[Point], lambda old, new: new]
    colour: Colour
    messages: list[AIMessage]


@pytest.mark.parametrize(
    ("name", "data", "made"),
    [
        ("Order", {"number": 1}, Order(number=1)),
        ("Point", {"x": 1, "colour": {"$type": f"{__name__}.Colour", "value": "red"}}, Point(1, Colour.RED)),
        ("Colour", "red", Colour.RED),
    ],
)
def test_classes_of_the_schema_can_be_made_where_the_state_has_none(name: str, data: Any, made: Any):
    builder = StateGraph(State)
    builder.add_node("node", lambda state: {})
    builder.add_edge(START, "node")
    allowed = allowed_classes(builder.compile())
    assert restorer({}, allowed).restore({"$type": f"{__name__}.{name}", "value": data}) == made


@pytest.mark.parametrize("kind", ["datetime", "decimal", "uuid", "set", "deque", "messages", "date", "path"])
def test_well_known_classes_can_be_made_where_the_state_has_none(kind: str):
    builder = StateGraph(State)
    builder.add_node("node", lambda state: {})
    builder.add_edge(START, "node")
    edited = to_json(stored(VALUES[kind]))
    assert restorer({}, allowed_classes(builder.compile())).restore(edited) == VALUES[kind]


def test_a_tool_message_beside_others():
    value = stored([ToolMessage("done", tool_call_id="1", id="2")])
    assert restorer(value).restore(to_json(value)) == [ToolMessage("done", tool_call_id="1", id="2")]


@pytest.mark.parametrize(
    ("edited", "said"),
    [
        ({"$type": "os.system", "value": "touch /tmp/lgtop-canary"}, "os.system is not a class of this state"),
        ({"$type": "subprocess.Popen", "value": ["true"]}, "subprocess.Popen is not"),
        ({"$type": "Point"}, "not understood"),
        ({"$bytes": "no base64!"}, "not understood"),
        ({"$float": "many"}, "not understood"),
        ({"$map": [1]}, "not understood"),
        ({"$new": 1}, "begin with"),
        ({"$secret": "SecretStr"}, "was not shown"),
        ({"list": [{"$undecodable": "a pickle", "raw": ""}]}, "was not shown"),
        ({"$encrypted": "msgpack+aes", "reason": "", "raw": ""}, "was not shown"),
        ({"$type": f"{__name__}.Point", "value": {"y": 1}}, "cannot be rebuilt"),
    ],
)
def test_what_cannot_be_made_is_refused(edited: Any, said: str):
    with pytest.raises(Refused, match=said):
        restorer(stored(Point(1, Colour.RED))).restore(edited)


# --- the state that is there -----------------------------------------------------------------------------------------


def check(value: Any, serde: JsonPlusSerializer | None = None, data: bytes | None = None) -> None:
    kind, written = JsonPlusSerializer().dumps_typed(value)
    classes.check([Blob(kind, written if data is None else data)], serde or JsonPlusSerializer(), Decoder())


@pytest.mark.parametrize("kind", VALUES)
def test_a_state_that_can_be_rebuilt_passes(kind: str):
    check(VALUES[kind])


def test_a_secret_passes():
    check({"key": SecretStr("hunter2")})


def renamed(value: Any, old: str, new: str) -> bytes:
    """The stored bytes with another module or class of the same length."""
    assert len(old) == len(new)
    return JsonPlusSerializer().dumps_typed(value)[1].replace(old.encode(), new.encode())


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (Parcel.Status.NEW, ["Status"]),
        ({"deep": [Parcel.Line(sku="a"), Parcel.Status.NEW, Point(1, Colour.RED)]}, ["Line", "Status"]),
        (LOCAL(1), ["Local"]),
        (Counted(frozenset("a")), ["Counted"]),
        (Parcel(), []),
    ],
)
def test_what_langgraph_itself_never_rebuilds_passes_and_is_named(value: Any, names: list[str]):
    blob = Blob(*JsonPlusSerializer().dumps_typed(value))
    assert sorted(classes.check([blob], JsonPlusSerializer(), Decoder())) == [(__name__, name) for name in names]


def test_a_nested_class_is_written_as_langgraph_reads_it():
    value = stored({"line": Parcel.Line(sku="a")})
    assert restorer(value).restore(to_json(value)) == {"line": {"sku": "a"}}


def test_what_is_lost_beside_a_nested_class_is_refused():
    data = renamed([Parcel.Line(sku="a"), Point(1, Colour.RED)], "Point", "Paint")
    with pytest.raises(Refused, match="has no Paint") as told:
        classes.check([Blob("msgpack", data)], JsonPlusSerializer(), Decoder())
    assert "renamed or removed" in told.value.advice


def test_a_class_of_the_applications_own_script_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Plain, "__module__", "__main__")
    with pytest.raises(Refused, match="has no Plain") as told:
        classes._check_class(("__main__", "Plain"))
    assert "script" in told.value.advice


@pytest.mark.parametrize(
    ("new", "said"),
    [("tests.unit.test_worker_restorX", "No module named"), ("tests.unit.test_worker_restore", None)],
)
def test_a_missing_module_is_named(new: str, said: str | None):
    data = renamed({"deep": [Point(1, Colour.RED)]}, __name__, new)
    if said is None:
        check(None, data=data)
        return
    kind = JsonPlusSerializer().dumps_typed({})[0]
    with pytest.raises(Refused, match=f"{new}.*{said}"):
        classes.check([Blob(kind, data)], JsonPlusSerializer(), Decoder())


def test_a_missing_class_is_named():
    data = renamed(Point(1, Colour.RED), "Point", "Paint")
    with pytest.raises(Refused, match="Paint"):
        classes.check([Blob("msgpack", data)], JsonPlusSerializer(), Decoder())


def test_a_class_that_does_not_take_its_fields_any_more_is_named():
    written = JsonPlusSerializer().dumps_typed(Point(1, Colour.RED))[1].replace(b"\xa1x", b"\xa1z")
    with pytest.raises(Refused, match="Point"):
        classes.check([Blob("msgpack", written)], JsonPlusSerializer(), Decoder())


def test_strict_deserialization_that_would_degrade_the_state_is_noticed():
    with pytest.raises(Refused, match="Point"):
        check(Point(1, Colour.RED), JsonPlusSerializer(allowed_msgpack_modules=None))


@pytest.mark.parametrize(("module", "name"), [("os", "system"), ("subprocess", "Popen"), ("builtins", "exec")])
def test_what_langgraph_never_writes_is_not_run(tmp_path: Path, module: str, name: str):
    canary = tmp_path / "canary"
    inner = ormsgpack.packb((module, name, f"touch {canary}"))
    written = ormsgpack.packb({"x": Plain()}, default=lambda _: ormsgpack.Ext(0, inner))
    with pytest.raises(Refused, match=f"names {module}.{name}, which LangGraph never writes"):
        classes.check([Blob("msgpack", written)], JsonPlusSerializer(), Decoder())
    assert not canary.exists()
