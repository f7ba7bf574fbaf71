from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.address import mask_dsn, parse_address, similar_files, sqlite_path
from backends.errors import NotAStore, StoreUnreachable

NAMES = [
    "a b.sqlite",
    "what?.db",
    "50%.db",
    "50%25.db",
    "c#1.db",
    "größe·数.sqlite",
    "file:x.db",
    "sqlite:x",
    "'\"[].db",
]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", ["{0}", "./{0}", "{1}", "sqlite:///{0}", "sqlite:///{1}", "file:{0}", "file://{1}"])
def test_any_file_name_is_found_in_any_form(here: Path, name: str, form: str) -> None:
    (here / name).touch()
    text = form.format(name, here / name)
    assert sqlite_path(text) == str(here / name)
    parsed = parse_address(text, {})
    assert (parsed.kind, parsed.path, parsed.dsn, parsed.label) == ("sqlite", str(here / name), None, name)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("sqlite:///rel/x.db", "rel/x.db"),
        ("sqlite:////abs/x.db", "/abs/x.db"),
        ("sqlite+aiosqlite:////abs/x.db", "/abs/x.db"),
        ("SQLite:////abs/x.db", "/abs/x.db"),
        ("file:///abs/x.db", "/abs/x.db"),
        ("file://localhost/abs/x.db?mode=ro", "/abs/x.db"),
        ("file:/abs/x%20y.db?cache=shared#top", "/abs/x y.db"),
        ("file:rel.db", "rel.db"),
        ("sqlite:///x.db?timeout=5", "x.db"),
        ("missing file?.db", "missing file?.db"),
    ],
)
def test_a_file_that_does_not_exist_keeps_the_name_that_was_meant(here: Path, text: str, path: str) -> None:
    assert sqlite_path(text) == os.path.join(here, path)


def test_home_is_expanded(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(here))
    assert sqlite_path("~/x.db") == str(here / "x.db")
    assert sqlite_path("sqlite:///~/x.db") == str(here / "x.db")


@pytest.mark.parametrize("text", [":memory:", "sqlite://", "sqlite:///:memory:", "file::memory:", "file:x?mode=memory"])
def test_memory_is_no_store(here: Path, text: str) -> None:
    with pytest.raises(NotAStore, match="in-memory"):
        parse_address(text, {})


@pytest.mark.parametrize("text", ["mysql://u:secret@h/d", "redis://h", "https://example.org/x.db", "mongodb+srv://h"])
def test_other_kinds_are_named(here: Path, text: str) -> None:
    with pytest.raises(NotAStore) as raised:
        parse_address(text, {})
    assert text.split(":")[0] in raised.value.reason
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "label", "dsn"),
    [
        ("postgresql://u:pw@db.example/app", "app@db.example", None),
        ("postgres://u:pw@db.example:5433/app?sslmode=require", "app@db.example:5433", "postgresql://"),
        ("postgresql+psycopg://u:pw@h/app", "app@h", "postgresql://"),
        ("postgresql://u:pw@h", "u@h", None),
        ("postgresql:///app?host=/var/run", "app@/var/run", None),
        ("postgresql://h1:1,h2:2/app", "app@h1:1,h2:2", None),
        ("postgresql:///?service=prod", "default@prod", None),
        ("postgresql://u:p@ss@h/app", "app@h", None),
        ("host=h dbname=app password='p w' user=u", "app@h", None),
        ("service=prod", "prod", None),
    ],
)
def test_postgres(text: str, label: str, dsn: str | None) -> None:
    parsed = parse_address(text, {})
    assert (parsed.kind, parsed.path, parsed.label) == ("postgres", None, label)
    assert parsed.dsn is not None
    assert parsed.dsn.startswith(dsn or text[:12])
    for shown in (parsed.raw, parsed.label, repr(parsed), str(parsed)):
        assert "pw" not in shown
        assert "p w" not in shown
        assert "ss@" not in shown


def test_the_environment_names_a_store(here: Path) -> None:
    assert parse_address(None, {"LGTOP_STORE": "x.db", "PGHOST": "h"}).path == str(here / "x.db")
    assert parse_address("y.db", {"LGTOP_STORE": "x.db"}).path == str(here / "y.db")
    assert parse_address("", {"PGHOST": "h", "PGDATABASE": "app"}).label == "app@h"
    assert parse_address(None, {"PGSERVICE": "prod"}).dsn == "postgresql://"
    with pytest.raises(StoreUnreachable, match="LGTOP_STORE"):
        parse_address(None, {"PGPASSWORD": "secret"})


def test_an_existing_file_wins_over_what_it_looks_like(here: Path) -> None:
    (here / "host=x dbname=y").touch()
    assert parse_address("host=x dbname=y", {}).kind == "sqlite"


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://u:s3cret@h/d",
        "postgresql://u:s3cret@h1:1,h2:2/d?x=y",
        "postgresql://u:s3cret:and@more/s3cret@h/d",
        "postgresql://h/d?user=u&password=s3cret&sslmode=require",
        "postgresql://h/d?sslpassword=s3cret",
        "host=h password=s3cret dbname=d",
        r"host=h password='a \' s3cret' dbname=d",
        "PASSWORD = s3cret",
        'connection to "postgresql://u:s3cret@h/d" failed',
    ],
)
def test_passwords_are_masked(text: str) -> None:
    assert "s3cret" not in mask_dsn(text)
    assert mask_dsn(mask_dsn(text)) == mask_dsn(text)


@given(st.text(st.characters(exclude_categories=("Z", "C", "Cs")), min_size=6))
def test_any_password_in_a_url_is_masked(password: str) -> None:
    secret = f"<{password}>"
    assert secret not in mask_dsn(f"postgresql://user:{secret}@host/db")


def test_what_has_no_password_is_left_alone() -> None:
    for text in ("postgresql://h:5432/d", "postgresql:///d?host=/tmp", "host=h dbname=d", "/srv/a@b.sqlite"):
        assert mask_dsn(text) == text


def test_similar_files_come_likeliest_first(tmp_path: Path) -> None:
    for name in ("checkpoints.sqlite", "other.db", "notes.txt", "checkpoint.db"):
        (tmp_path / name).touch()
    (tmp_path / "dir.db").mkdir()
    assert similar_files(str(tmp_path / "checkpoint.sqlite"))[0] == "checkpoints.sqlite"
    assert set(similar_files(str(tmp_path))) == {"checkpoints.sqlite", "other.db", "checkpoint.db"}
    assert similar_files(str(tmp_path / "no" / "such.db")) == []
