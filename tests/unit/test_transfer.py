"""Exports of hostile stores, redaction, reports, and the two commands."""

from __future__ import annotations

import io
import json
import os
import shutil
import sqlite3
import sys
from base64 import b64decode
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import ormsgpack
import pytest
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.types import Interrupt, Send

from backends.address import parse_address
from backends.control.gate import Gate
from backends.errors import EmptyPlace, QueryError, StoreUnreachable
from backends.model import Blob
from backends.reader import Reader
from backends.store import open_store
from backends.transfer.export import export
from backends.transfer.importing import import_threads
from backends.transfer.masking import CannotRedact, masked
from backends.transfer.redact import Redaction
from backends.transfer.redacted import RedactedStore
from backends.transfer.report import report
from backends.transfer.rules import MASK, Rules
from backends.transfer.sealing import Seal
from backends.transfer.slices import Malformed, a_map, items
from tests import schemas
from tests.hostile import hostile_postgres, hostile_sqlite
from tests.hostile_blobs import MODULES, attacks
from tui.cli import main
from tui.cli.exits import Exit

from .test_hostile import ACTS

SERDE = JsonPlusSerializer(allowed_msgpack_modules=True)


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("LANGGRAPH_AES_KEY", raising=False)


def empty_like(path: Path, target: Path) -> str:
    """A store with the tables of another and none of its rows."""
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(target)) as made:
        for (sql,) in source.execute("select sql from sqlite_master where sql is not null"):
            made.execute(sql)
    return str(target)


def threads(address: str) -> list[str]:
    with closing(open_store(address)) as store:
        return [head.thread_id for batch in store.heads() for head in batch]


def dumped(address: str, redaction: Redaction | None = None) -> bytes:
    file = io.BytesIO()
    with closing(open_store(address)) as store:
        list(export(store, threads(address), file.write, redaction))
    return file.getvalue()


# --- hostile stores ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("task_path", [True, False])
def test_every_hostile_thread_comes_through_unchanged(tmp_path: Path, task_path: bool) -> None:
    path = tmp_path / "hostile.sqlite"
    canary = hostile_sqlite(path, task_path)
    target = empty_like(path, tmp_path / "copy.sqlite")
    data = dumped(str(path))
    assert data.isascii()
    made = list(import_threads(io.BytesIO(data), Gate(parse_address(target, {}))))
    assert {one.outcome for one in made} == {"imported"}
    with closing(open_store(str(path))) as source, closing(open_store(target)) as copy:
        for thread_id in threads(str(path)):
            assert list(copy.stored(thread_id)) == list(source.stored(thread_id))
    assert not canary.exists()
    assert not set(MODULES) & set(sys.modules) - {"smtplib"}


def test_hostile_threads_change_their_kind_of_store_or_say_why_not(tmp_path: Path, postgres_database: Any) -> None:
    path, first, second = tmp_path / "hostile.sqlite", postgres_database(), postgres_database()
    canary = hostile_sqlite(path)
    hostile_postgres(first, canary)
    for source, target in ((str(path), second), (first, empty_like(path, tmp_path / "copy.sqlite"))):
        made = list(import_threads(io.BytesIO(dumped(source)), Gate(parse_address(target, {}))))
        assert [one.thread_id for one in made] == threads(source)
        assert all(one.reason for one in made if one.outcome != "imported")
        done = {one.thread_id for one in made if one.outcome == "imported"}
        assert len(done) > len(made) / 2
        assert set(threads(target)) == done
    assert not canary.exists()
    assert not set(MODULES) & set(sys.modules) - {"smtplib"}


def test_hostile_threads_are_redacted_and_reported(tmp_path: Path) -> None:
    path = tmp_path / "hostile.sqlite"
    canary = hostile_sqlite(path)
    redaction = Redaction(Rules.parse(["nested", "/evil/"]), Seal())
    data = dumped(str(path), redaction)
    assert len(data.splitlines()) == len(dumped(str(path)).splitlines())
    assert redaction.redacted > 0
    assert redaction.left[0].reason
    with closing(open_store(str(path))) as store:
        for thread_id in threads(str(path)):
            lines = list(report(Reader(store), thread_id))
            assert not ACTS.search("".join(lines).replace("\t", ""))
    assert not canary.exists()


# --- redaction -------------------------------------------------------------------------------------------------------


def redacted(value: Any, *rules: str, channel: str = "") -> Any:
    tag, data = SERDE.dumps_typed(value)
    found = masked(Blob(tag, data), Rules.parse(rules), channel)
    return SERDE.loads_typed((found.type or "", found.data or b""))


def test_names_and_patterns() -> None:
    value = {"api_key": "sk-1", "user": {"Api_Key": [1, "x", None]}, "text": "call sk-77 now", "n": 5}
    assert redacted(value, "api_key") == {**value, "api_key": MASK, "user": {"Api_Key": [0, MASK, None]}}
    assert redacted(value, r"/sk-\d+/") == {**value, "api_key": MASK, "text": f"call {MASK} now"}
    assert redacted(value, "*") == {"api_key": MASK, "user": {"Api_Key": [0, MASK, None]}, "text": MASK, "n": 0}
    assert redacted({"pin": 4711, 4711: 0.5, "ok": True}, "/47/") == {"pin": 0, f"{MASK}11": 0.5, "ok": True}
    assert redacted("secret", "token", channel="Token") == MASK
    assert redacted(b"my sk-1", "/sk-./") == b"my " + MASK.encode()


def test_what_holds_nothing_keeps_its_bytes() -> None:
    tag, data = SERDE.dumps_typed({"a": [1, {2}, HumanMessage("hi")], 3: 0.5})
    blob = Blob(tag, data)
    assert masked(blob, Rules.parse(["zzz", "/zzz/"])) is blob


def test_objects_still_decode() -> None:
    from datetime import date
    from uuid import UUID

    from pydantic import SecretStr

    message = redacted([HumanMessage("mail bob@x.org", id="1")], "/\\w+@[\\w.]+/")[0]
    assert (type(message), message.content, message.id) == (HumanMessage, f"mail {MASK}", "1")
    assert redacted(Send("node", {"q": "bob"}), "/node|bob/") == Send("node", {"q": MASK})
    asked = redacted(Interrupt({"q": "bob"}, id="bob"), "/bob/", "id")
    assert (asked.value, asked.id) == ({"q": MASK}, "bob")
    assert redacted({"bob", "eve"}, "/bob/") == {MASK, "eve"}
    assert redacted(UUID(int=1), "/0001/") == MASK
    assert redacted(date(2026, 1, 2), "/zzz/") == date(2026, 1, 2)
    assert redacted(SecretStr("s"), "zzz").get_secret_value() == MASK


def test_what_cannot_be_read_cannot_be_redacted(tmp_path: Path) -> None:
    rules = Rules.parse(["x"])
    for blob in (Blob("pickle", b"\x80\x04."), Blob("msgpack", b"\xc1"), Blob("json", b"{")):
        with pytest.raises(CannotRedact):
            masked(blob, rules)
    for attack in attacks(tmp_path / "canary"):
        with suppress(CannotRedact):
            masked(Blob(attack.tag, attack.data), Rules.parse(["*", "/./"]))
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize(("dtype", "kept"), [("<f8", True), ("|u1", True), ("<U4", False), ("|S4", False), (7, False)])
def test_an_array_is_kept_only_where_it_holds_numbers(dtype: object, kept: bool) -> None:
    array = ormsgpack.packb(ormsgpack.Ext(6, ormsgpack.packb((dtype, (1,), "C", b"sk-1"))))
    found = masked(Blob("msgpack", array), Rules.parse(["/sk-./"])).data
    assert found == (array if kept else ormsgpack.packb(MASK))


def test_what_cannot_be_read_is_replaced_as_a_whole(tmp_path: Path) -> None:
    """A pickle, damaged bytes and what is encrypted may hold anything."""
    from tests.conformance.places import sqlite_place

    secret, rules = b"the secret", Rules.parse(["/secret/"])
    unknown = b"\x82\xa1a\xc7\x0a\x63" + secret + b"\xa1b\xa2ok"  # a map of an extension that nobody knows, and a text
    values = {
        "pickle": Blob("pickle", b"\x80" + secret),
        "damaged": Blob("msgpack", b"\xc1" + secret),
        "extension": Blob("msgpack", unknown),
        "sealed": Blob("msgpack+aes", secret),
    }
    with sqlite_place(tmp_path / "x.db", "delete") as place:
        key = place.put("t", 1, values={"fine": "a secret"})
        connection: Any = place.saver.conn  # type: ignore[attr-defined]
        for index, (channel, blob) in enumerate(values.items()):
            row = ("t", "", key.checkpoint_id, "task", index, channel, blob.type, blob.data)
            columns = "thread_id, checkpoint_ns, checkpoint_id, task_id, idx, channel, type, value"
            connection.execute(f"insert into writes ({columns}) values (?, ?, ?, ?, ?, ?, ?, ?)", row)
        body = a_map({"v": b"\x04", "channel_values": a_map({"x": unknown, "y": b"\xa2ok"}.items())}.items())
        connection.execute("insert into checkpoints values ('half', '', '1', null, 'msgpack', ?, '{}')", (body,))
        connection.execute(
            "insert into checkpoints values ('gone', '', '1', null, 'pickle', ?, ?)", (secret, b"{" + secret)
        )
        connection.commit()
        redaction = Redaction(rules, Seal())
        data = dumped(place.address, redaction)
        rows = [json.loads(line) for line in data.splitlines()]
    assert not any(secret in b64decode(row.get("data") or "") + row.get("metadata", "").encode() for row in rows)
    assert [one.channel for one in redaction.left if one.thread_id == "t"] == list(values)
    assert {(one.thread_id, one.channel) for one in redaction.left if one.thread_id != "t"} == {
        ("half", "x"),
        ("gone", ""),
    }
    assert redaction.encrypted == 1
    half, gone = sorted((b64decode(row["data"]) for row in rows if row.get("id") == "1"), key=len, reverse=True)
    assert gone == ormsgpack.packb(MASK)
    assert items(items(half)["channel_values"])["y"] == b"\xa2ok"


@pytest.mark.parametrize("text", ["", "/", "//", "/(/"])
def test_rules_that_cannot_be_meant(text: str) -> None:
    with pytest.raises(QueryError):
        Rules.parse([text])


def test_maps_are_cut_and_put_together() -> None:
    value = {f"key {number}": [number, {"x": "y" * number}, -1.5, b"z", None, {1}] for number in range(70_000, 70_020)}
    data = SERDE.dumps_typed(value)[1]
    assert SERDE.loads_typed(("msgpack", a_map(items(data).items()))) == value
    for broken in (data[:-1], data + b"\xc0", b"\x93", b"", b"\x81\x01\x01", b"\xdf\xff\xff\xff\xff"):
        with pytest.raises(Malformed):
            items(broken)


# --- commands --------------------------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "a.sqlite"
    from tests.conformance.places import sqlite_place

    (tmp_path / "live").mkdir()
    with sqlite_place(tmp_path / "live" / "x.db", "delete") as place:
        for number in range(3):
            place.put("one", number, values={"email": "bob@x.org", "n": number})
        place.put("two", 9, values={"email": "eve@x.org"})
    shutil.copy(tmp_path / "live" / "x.db", path)
    return path


def test_the_commands_move_a_thread(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "out.jsonl"
    words = ["export", "-s", str(store), "one", "-o", str(file), "--redact", "EMAIL", "--json"]
    assert main.run(words) == Exit.DONE
    schemas.check(json.loads(capsys.readouterr().out), schemas.EXPORTED)
    assert b"bob@x.org" not in file.read_bytes()
    assert file.stat().st_mode & 0o777 == 0o600
    assert main.run(words) == Exit.REFUSED
    assert main.run(["import", "-s", str(store), str(file)]) == Exit.REFUSED
    (tmp_path / "link").symlink_to(store)
    for more in ([], ["--report"]):
        words = ["export", "-s", str(store), "one", "-o", str(tmp_path / "link"), "--force", *more]
        assert main.run(words) == Exit.REFUSED
    assert threads(str(store)) == ["one", "two"]
    capsys.readouterr()
    assert main.run(["import", "-s", str(store), str(file), "--as", "new", "--json"]) == Exit.DONE
    found = json.loads(capsys.readouterr().out)
    schemas.check(found, schemas.IMPORTED)
    assert [(one["imported_as"], one["checkpoints"]) for one in found] == [("new", 3)]
    assert main.run(["show", "-s", str(store), "new", "--json"]) == Exit.DONE
    assert json.loads(capsys.readouterr().out)["state"] == {"email": MASK, "n": 2}
    main.run(["log", "-s", str(store), "--json"])
    newest = json.loads(capsys.readouterr().out)[0]
    assert main.run(["undo", "-s", str(store), newest["action_id"]]) == Exit.DONE
    assert "new" not in threads(str(store))


@pytest.mark.parametrize("kind", ["nothing", "empty file", "other tables", "postgres"])
def test_an_import_makes_the_store_that_is_not_there(
    store: Path, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    file, damaged, path = tmp_path / "all.jsonl", tmp_path / "damaged.jsonl", tmp_path / "new.sqlite"
    assert main.run(["export", "-s", str(store), "--all", "-o", str(file)]) == Exit.DONE
    damaged.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:3]))
    target = str(request.getfixturevalue("postgres_database")(None)) if kind == "postgres" else str(path)
    if kind == "empty file":
        path.touch()
    if kind == "other tables":
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("create table users (name)")
    before = sorted(os.listdir(tmp_path))
    for words, code in (
        ([str(damaged)], Exit.REFUSED),
        ([str(tmp_path / "nothing")], Exit.NOT_FOUND),
        ([str(file), "--dry-run"], Exit.DONE),
        ([str(file), "--readonly"], Exit.USAGE),
    ):
        assert main.run(["import", "-s", target, *words]) == code
        with pytest.raises(StoreUnreachable if kind == "nothing" else EmptyPlace):
            open_store(target)
    assert sorted(os.listdir(tmp_path)) == before
    capsys.readouterr()
    assert main.run(["import", "-s", target, str(file)]) == Exit.DONE
    assert "will be made" in capsys.readouterr().err
    assert threads(target) == ["one", "two"]
    if kind == "other tables":
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("select count(*) from users").fetchone() == (0,)


def test_several_threads_and_what_is_asked_of_them(store: Path, tmp_path: Path, capfd: Any) -> None:
    assert main.run(["export", "-s", str(store), "--all"]) == Exit.DONE
    (tmp_path / "all.jsonl").write_bytes(capfd.readouterr().out.encode())
    target = empty_like(store, tmp_path / "b.sqlite")
    words = ["import", "-s", target, str(tmp_path / "all.jsonl")]
    assert main.run([*words, "--dry-run"]) == Exit.DONE
    assert threads(target) == []
    assert main.run([*words, "--as", "x"]) == Exit.REFUSED
    assert main.run(words) == Exit.DONE
    assert threads(target) == ["one", "two"]
    assert main.run(["export", "-s", str(store), "two", "--report", "--redact", "/eve/"]) == Exit.DONE
    page = capfd.readouterr().out
    assert "# Thread `two`" in page
    assert "eve" not in page
    for wrong in ([], ["one", "--all"], ["one", "two", "--report"], ["one", "--json"], ["one", "--redact", "/(/"]):
        assert main.run(["export", "-s", str(store), *wrong]) == Exit.USAGE
    assert main.run(["export", "-s", str(store), "nobody"]) == Exit.NOT_FOUND
    assert main.run(["import", "-s", str(store), str(tmp_path / "nothing")]) == Exit.NOT_FOUND
    assert main.run(["import", "-s", str(store), __file__]) == Exit.REFUSED


def test_a_redacted_store_gives_nothing_away(store: Path) -> None:
    with closing(open_store(str(store))) as opened:
        reader = Reader(RedactedStore(opened, Redaction(Rules.parse(["email"]), Seal())))
        assert reader.state(reader.head("one").key)["email"] == MASK
