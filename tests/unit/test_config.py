"""``config.toml`` and profiles: what is said, what is refused and why, and what the command line gets of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.sqlite_files import make
from tui.cli import main
from tui.cli.exits import Exit
from tui.config import COLOURS, COLUMNS, SORTS, THEMES, ConfigError, load_config
from tui.config_path import config_path

GOOD = """
sort = "active"
theme = "lgtop-light"
columns = ["status", "thread", "reason"]

[filters]
mine = "tenant:t1"
stuck = "status:stalled,crashed age>1h"

[keys]
"threads.filter" = "f"

[profiles.prod]
store = "postgresql://app:hunter2@db.example/app"
python = ".venv/bin/python"
graph = "documents"
readonly = true
colour = "red"
sort = "status"
filters = { mine = "tenant:t2" }

[profiles.dev]
store = "checkpoints.sqlite"
"""


@pytest.fixture(autouse=True)
def _own_places(tmp_path, monkeypatch):
    for name in ("LGTOP_STORE", "LGTOP_PROFILE", "PGSERVICE", "PGHOST", "PGHOSTADDR", "PGDATABASE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.chdir(tmp_path)


def write(text):
    path = Path(config_path())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def lgtop(capsys, *argv):
    code = main.run(argv)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_no_file_says_nothing():
    config = load_config()
    assert not config.profiles
    assert config.look.sort is None


def test_everything_that_can_be_said():
    write(GOOD)
    config = load_config()
    prod = config.profile("prod")
    assert (prod.python, prod.graph, prod.readonly, prod.colour) == (".venv/bin/python", "documents", True, "red")
    assert config.keys == {"threads.filter": "f"}
    look = prod.look.over(config.look)
    assert (look.sort, look.theme, look.columns) == ("status", "lgtop-light", ("status", "thread", "reason"))
    assert look.filters == {"mine": "tenant:t2", "stuck": "status:stalled,crashed age>1h"}
    assert "hunter2" not in repr(config)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("profils = {}", 'there is no key "profils". Did you mean "profiles"?'),
        ("[profiles.prod]\nsotre = 'x'", 'there is no key "profiles.prod.sotre". Did you mean "store"?'),
        ("[profiles.prod]\ncolor = 'red'", 'there is no key "profiles.prod.color". Did you mean "colour"?'),
        ("[profiles.prod]\ncolour = 'rde'", '"profiles.prod.colour" cannot be "rde". Did you mean "red"?'),
        ("[profiles.prod]\nreadonly = 'yes'", '"profiles.prod.readonly" has to be true or false.'),
        ("profiles = 3", '"profiles" has to be a table'),
        ("sort = 'stats'", '"sort" cannot be "stats". Did you mean "status"?'),
        ("columns = ['thraed']", '"columns" cannot be "thraed". Did you mean "thread"?'),
        ("columns = []", '"columns" has to be a list of columns.'),
        ("theme = 'dark'", '"theme" cannot be "dark". Did you mean "lgtop-dark"?'),
        ("[filters]\nbad = 'status:waitng'", '"filters.bad" cannot be understood:'),
        ("[filters]\nbad = 3", '"filters.bad" has to be a text.'),
        ("sort = ", "is not TOML"),
    ],
)
def test_what_cannot_be_meant_is_refused(text, told):
    path = write(text)
    with pytest.raises(ConfigError) as caught:
        load_config()
    assert str(path) in str(caught.value)
    assert told in str(caught.value)


def test_the_names_are_those_of_the_screen():
    from backends.order import SORTS as known
    from tui.theme import THEMES as themes
    from tui.widgets import columns

    assert set(SORTS) == set(known)
    assert set(THEMES) == {theme.name for theme in themes}
    assert {column.name for column in columns.COLUMNS} <= set(COLUMNS)
    assert all(variable == "accent" or variable in themes[0].variables for variable in COLOURS.values())


def test_every_command_takes_a_profile(capsys):
    for name in main.COMMANDS:
        _, out, _ = lgtop(capsys, name, "--help")
        assert "--profile NAME" in out


@pytest.mark.parametrize("how", ["before", "after", "joined", "environment"])
def test_a_profile_names_the_store(capsys, monkeypatch, tmp_path, how):
    make(tmp_path / "checkpoints.sqlite", threads=("of-the-profile",))
    write(GOOD)
    words = {
        "before": ["--profile", "dev", "ls", "--json"],
        "after": ["ls", "--profile", "dev", "--json"],
        "joined": ["--profile=dev", "ls", "--json"],
        "environment": ["ls", "--json"],
    }[how]
    if how == "environment":
        monkeypatch.setenv("LGTOP_PROFILE", "dev")
    monkeypatch.setenv("LGTOP_STORE", "another.sqlite")
    code, out, err = lgtop(capsys, *words)
    assert (code, err) == (Exit.DONE, "")
    assert [one["thread_id"] for one in json.loads(out)] == ["of-the-profile"]


def test_a_store_on_the_command_line_goes_before_the_profile(capsys, tmp_path):
    make(tmp_path / "given.sqlite", threads=("given",))
    write(GOOD)
    code, out, _ = lgtop(capsys, "ls", "--profile", "prod", "-s", "given.sqlite", "--json")
    assert (code, [one["thread_id"] for one in json.loads(out)]) == (Exit.DONE, ["given"])


def test_a_readonly_profile_refuses_to_write(capsys, tmp_path):
    make(tmp_path / "checkpoints.sqlite")
    write("[profiles.safe]\nstore = 'checkpoints.sqlite'\nreadonly = true\n")
    code, _, err = lgtop(capsys, "--profile", "safe", "copy", "a", "b2")
    assert code == Exit.REFUSED
    assert "with a profile that is" in err


def test_the_demo_and_the_audit_never_get_the_store_of_a_profile(monkeypatch):
    seen = {}
    write(GOOD)
    monkeypatch.setattr("tui.cli.demo.run", lambda options: seen.setdefault("demo", options.store) or Exit.DONE)
    monkeypatch.setattr("tui.cli.audit.run", lambda options: seen.setdefault("audit", options.store) or Exit.DONE)
    main.run(["--profile", "dev", "demo"])
    main.run(["--profile", "dev", "audit", "--graph", "g", "--input", "{}"])
    assert seen == {"demo": None, "audit": None}


@pytest.mark.parametrize(
    ("text", "words", "told"),
    [
        (GOOD, ["--profile", "prd", "ls"], 'There is no profile "prd"'),
        (GOOD, ["--profile", "prd", "ls"], 'Did you mean "prod"?'),
        ("sotr = 1", ["--profile", "prod", "ls"], 'Did you mean "sort"?'),
    ],
)
def test_a_profile_that_is_not_there_is_a_usage_error(capsys, text, words, told):
    write(text)
    code, out, err = lgtop(capsys, *words)
    assert (code, out) == (Exit.USAGE, "")
    assert told in err
    assert err.count("\n") == 1


def test_commands_that_only_look_need_no_sound_configuration(capsys, tmp_path):
    make(tmp_path / "x.sqlite")
    write("sotr = 1")
    assert lgtop(capsys, "ls", "-s", "x.sqlite")[0] == Exit.DONE


def test_a_password_in_a_profile_is_never_told(capsys):
    write(GOOD.replace("db.example", "127.0.0.1:1"))
    code, out, err = lgtop(capsys, "ls", "--profile", "prod")
    assert code == Exit.STORE
    assert "hunter2" not in out + err
