"""Threads on the move: out of one kind of store, into the other and back, equal in meaning and alive in each."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, TypedDict

import pytest
from langgraph.channels.delta import DeltaChannel
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.func import entrypoint, task
from langgraph.graph import START, StateGraph
from langgraph.types import Command, interrupt

from backends.address import parse_address
from backends.control.gate import Gate
from backends.decode import Decoder
from backends.errors import Refused
from backends.locks.take import take
from backends.model import RawCheckpoint
from backends.snapshot import read_snapshot
from backends.transfer.export import export
from backends.transfer.importing import Imported, import_threads
from tests.torture.transfer import fill
from tests.torture.transfer import moved as moved_on

from .places import Place, postgres_place, sqlite_place
from .test_copy import graph as nested_graph
from .test_copy import run_to_end, same, thread

KEY = b"0123456789abcdef"


class Asking(TypedDict, total=False):
    name: str
    count: int
    ratio: float
    data: bytes
    told: str
    more: dict[str, Any]


def waiting_graph(saver: Any) -> Any:
    """One node asks, after every kind of primitive value has been saved."""

    def prepare(state: Asking) -> Asking:
        return {"count": 2**40, "ratio": 0.1, "data": b"\x00\xff", "more": {"set": {1, 2}, "none": None}}

    def ask(state: Asking) -> Asking:
        return {"told": interrupt({"question": "how?"})}

    built = StateGraph(Asking).add_node("prepare", prepare).add_node("ask", ask)
    return built.add_edge(START, "prepare").add_edge("prepare", "ask").compile(checkpointer=saver)


def _appended(state: list[str], writes: list[list[str]]) -> list[str]:
    return [*state, *(item for write in writes for item in write)]


class Long(TypedDict, total=False):
    items: Annotated[list[str], DeltaChannel(_appended, snapshot_frequency=3)]
    told: str


def delta_graph(saver: Any) -> Any:
    """A channel that is saved in parts; some checkpoints hold a snapshot of it."""
    built = StateGraph(Long)
    names = [f"n{number}" for number in range(7)]
    for before, name in zip([START, *names], names, strict=False):
        built.add_node(name, lambda state, name=name: {"items": [name]}).add_edge(before, name)
    built.add_node("ask", lambda state: {"told": interrupt("how?"), "items": ["asked"]}).add_edge(names[-1], "ask")
    return built.compile(checkpointer=saver)


def functional_graph(saver: Any) -> Any:
    """The functional API: results of tasks are write rows."""

    @task
    def twice(number: int) -> int:
        return number * 2

    @entrypoint(checkpointer=saver)
    def flow(number: int, *, previous: Any = None) -> Any:
        doubled = twice(number).result()
        return {"doubled": doubled, "told": interrupt("how?")}

    return flow


GRAPHS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "waiting": (waiting_graph, {"name": "a\tb ü"}),
    "nested": (nested_graph, {"log": []}),
    "delta": (delta_graph, {"items": ["first"]}),
    "functional": (functional_graph, 21),
}


class Places(dict[str, Place]):
    """Stores by kind and number, each made when it is first asked for: ``sqlite1``, ``postgres2``."""

    def __init__(self, stack: ExitStack, folder: Path, database: Callable[..., str]) -> None:
        super().__init__()
        self._stack = stack
        self._folder = folder
        self._database = database

    def __missing__(self, name: str) -> Place:
        if name.startswith("postgres"):
            made = self._stack.enter_context(postgres_place(self._database()))
        else:
            (self._folder / name).mkdir()
            made = self._stack.enter_context(sqlite_place(self._folder / name / "x.db", "wal"))
        self[name] = made
        return made


@pytest.fixture
def places(tmp_path: Path, postgres_database: Callable[..., str], monkeypatch: Any) -> Iterator[dict[str, Place]]:
    """As many stores of each kind as are wanted, empty."""
    for name in ("STATE", "RUNTIME", "CONFIG"):
        monkeypatch.setenv(f"XDG_{name}_{'DIR' if name == 'RUNTIME' else 'HOME'}", str(tmp_path / name))
    with ExitStack() as stack:
        yield Places(stack, tmp_path, postgres_database)


def exported(place: Place, *thread_ids: str) -> bytes:
    file = io.BytesIO()
    with place.open() as store:
        assert [one.thread_id for one in export(store, thread_ids, file.write)] == list(thread_ids)
    return file.getvalue()


def imported(place: Place, data: bytes, **options: Any) -> list[Imported]:
    return list(import_threads(io.BytesIO(data), Gate(parse_address(place.address, {})), **options))


def moved(source: Place, target: Place, thread_id: str = "t") -> None:
    (one,) = imported(target, exported(source, thread_id))
    assert (one.outcome, one.reason) == ("imported", "")


def meaning(place: Place, thread_id: str = "t") -> dict[Any, Any]:
    """Every checkpoint and write of a thread, decoded: the same in both layouts."""
    decoder = Decoder(KEY)

    def told(raw: RawCheckpoint) -> Any:
        found = read_snapshot(raw, decoder)
        versions = {node: dict(seen) for node, seen in found.versions_seen.items()}
        writes = [
            (one.task_id, one.task_path, one.idx, one.channel, repr(decoder.decode(one.blob))) for one in raw.writes
        ]
        values = {name: repr(value) for name, value in found.values.items()}
        named = found.parent_id, found.version, found.ts, dict(found.metadata)
        return named, values, dict(found.channel_versions), versions, found.updated_channels, writes

    with place.open() as store:
        keys = [row.key for row in store.history(thread_id)]
        return {key[1:]: told(raw) for key, raw in zip(keys, store.raw(keys), strict=True)}


def stored(place: Place, thread_id: str = "t") -> list[Any]:
    with place.open() as store:
        return sorted(map(repr, store.stored(thread_id)))


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "encrypted"])
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_there_and_back_a_thread_means_the_same_and_goes_on(
    places: dict[str, Place], kind: str, encrypted: bool, monkeypatch: Any
) -> None:
    other = "postgres" if kind == "sqlite" else "sqlite"
    way = [places[f"{kind}1"], places[f"{other}1"], places[f"{kind}2"], places[f"{other}2"]]
    if encrypted:
        monkeypatch.setenv("LANGGRAPH_AES_KEY", KEY.decode())
        for place in way:
            place.saver.serde = EncryptedSerializer.from_pycryptodome_aes(key=KEY)
    for name, (build, given) in GRAPHS.items():
        build(way[0].saver).invoke(given, thread(name), durability="sync")
        before = meaning(way[0], name)
        assert before
        for source, target in pairwise(way):
            moved(source, target, name)
            assert meaning(target, name) == before
            if encrypted:
                assert "+aes" in repr(stored(target, name))
        states = [build(place.saver).get_state(thread(name), subgraphs=True) for place in way]
        assert states[0].interrupts
        assert all(same(states[0], state) for state in states[1:])
        ends = [ended(build(place.saver), name) for place in way]
        assert all(repr(end) == repr(ends[0]) for end in ends)


def ended(app: Any, name: str) -> Any:
    if name == "nested":
        return run_to_end(app, thread(name))
    (asked,) = app.get_state(thread(name)).interrupts
    app.invoke(Command(resume={asked.id: "so"}), thread(name))
    found = app.get_state(thread(name))
    assert not found.next
    return found.values


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_the_same_kind_of_store_gets_the_same_bytes(places: dict[str, Place], kind: str) -> None:
    source, target = places[f"{kind}1"], places[f"{kind}2"]
    nested_graph(source.saver).invoke({"log": []}, thread("t"), durability="sync")
    source.put_write(source.put("t", 900)._replace(checkpoint_id="1f0c0000-0000-6000-8000-000000000000"))
    moved(source, target)
    assert stored(source) == stored(target)


def test_a_value_changed_in_place_is_kept_for_each_checkpoint(places: dict[str, Place]) -> None:
    source = places["sqlite1"]
    key = source.put("t", 1, values={"x": ["one"]})
    number = f"{1:032}.0"
    for index, value in ((2, ["one", "two"]), (3, ["one", "two"]), (4, ["one"])):
        config: Any = {"configurable": {"thread_id": "t", "checkpoint_ns": "", "checkpoint_id": key.checkpoint_id}}
        found = source.saver.get_tuple(config)
        assert found is not None
        changed = {**found.checkpoint, "id": source.put("spare", index).checkpoint_id, "channel_values": {"x": value}}
        changed["versions_seen"] = {"node": {"x": number}}
        source.saver.put(config, changed, {"source": "loop", "step": index, "parents": {}}, {})  # type: ignore[arg-type]
    moved(source, places["postgres1"])
    moved(places["postgres1"], places["sqlite2"])
    expected = [one.checkpoint["channel_values"] for one in source.tuples("t")]
    assert expected[1] == {"x": ["one", "two"]}
    for place in ("postgres1", "sqlite2"):
        assert [one.checkpoint["channel_values"] for one in places[place].tuples("t")] == expected
        for one in places[place].tuples("t")[:-1]:
            checkpoint = one.checkpoint
            assert checkpoint["channel_versions"]["x"] == checkpoint["versions_seen"]["node"]["x"]


def test_nothing_is_written_over_and_another_id_will_do(place: Place, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    place.put("t", 1, values={"x": ["y"]})
    data, before = exported(place, "t"), meaning(place)
    (one,) = imported(place, data)
    assert one.outcome == "refused"
    assert "already" in one.reason
    (one,) = imported(place, data, rename="new")
    assert (one.outcome, one.imported_as, one.checkpoints) == ("imported", "new", 1)
    assert meaning(place, "new") == before == meaning(place)
    with take(place.address, "held"):
        (one,) = imported(place, data, rename="held")
    assert one.outcome == "busy"
    (one,) = imported(place, data, rename="dry", dry_run=True)
    assert one.outcome == "importable"
    with place.open() as store:
        assert not store.namespaces("held")
        assert not store.namespaces("dry")
    with pytest.raises(Refused, match="--readonly"):
        list(import_threads(io.BytesIO(data), Gate(parse_address(place.address, {}), readonly=True)))


def test_a_file_that_is_cut_off_or_damaged_leaves_no_half_a_thread(
    place: Place, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    for number in range(3):
        place.put("t", number, values={"x": ["y", number]})
    lines = exported(place, "t").splitlines(keepends=True)
    for number in range(len(lines)):
        with pytest.raises(Refused):
            imported(place, b"".join(lines[:number]), rename=f"cut{number}")
        with pytest.raises(Refused):
            imported(place, b"".join([*lines[:number], lines[number][:-9]]), rename=f"torn{number}")
        with pytest.raises(Refused):
            imported(place, b"".join([*lines[:number], b"[]\n", *lines[number + 1 :]]), rename=f"other{number}")
    whole = {
        f"{name}{len(lines) - 1}" for name in ("cut", "torn", "other")
    }  # only the last line of the file is missing
    with place.open() as store:
        assert {head.thread_id for batch in store.heads() for head in batch} <= {"t", *whole}


def test_what_json_cannot_hold_is_kept_all_the_same(places: dict[str, Place]) -> None:
    places["sqlite1"].put("t", 1, values={"ratio": float("nan"), "text": "a\x00b", "none": None, "big": 2**63})
    moved(places["sqlite1"], places["postgres1"])
    moved(places["postgres1"], places["sqlite2"])
    assert meaning(places["sqlite1"]) == meaning(places["postgres1"]) == meaning(places["sqlite2"])


def test_without_the_key_an_encrypted_thread_stays_with_its_kind(places: dict[str, Place], monkeypatch: Any) -> None:
    monkeypatch.delenv("LANGGRAPH_AES_KEY", raising=False)
    source = places["sqlite1"]
    source.saver.serde = EncryptedSerializer.from_pycryptodome_aes(key=KEY)
    source.put("t", 1, values={"x": ["y"]})
    (one,) = imported(places["postgres1"], exported(source, "t"))
    assert one.outcome == "refused"
    assert "LANGGRAPH_AES_KEY" in one.reason
    moved(source, places["sqlite2"])
    assert stored(source) == stored(places["sqlite2"])


def test_a_large_thread_streams_in_bounded_memory(places: dict[str, Place], tmp_path: Path) -> None:
    """At 100 MB it is no more: ``python -m tests.torture transfer``."""
    way = [places["sqlite1"], places["postgres1"], places["sqlite2"]]
    fill(way[0], 40)
    for one in moved_on(way, tmp_path):
        assert one.size > 50
        assert one.grown < 40, one
    assert meaning(way[-1], "big") == meaning(way[0], "big")
