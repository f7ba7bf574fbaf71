"""What ``lgtop audit`` refuses before it runs anything."""

import signal

import pytest

from tui.cli import main
from tui.cli.exits import Exit

GRAPH = ("--graph", "demo_graphs/pipeline.py:graph", "--input", "{}")


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    for name in ("XDG_STATE_HOME", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
        (tmp_path / name).mkdir()
    monkeypatch.delenv("LGTOP_PROFILE", raising=False)


@pytest.fixture
def audit(capsys):
    def run(*argv):
        code = main.run(["audit", *argv])
        captured = capsys.readouterr()
        assert captured.out == ""
        return code, captured.err

    return run


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--input", "{}"), "--graph"),
        ((*GRAPH, "--points", "before,behind"), "'behind' is none of before, inside"),
        ((*GRAPH, "--durability", "none"), "'none' is none of sync, async, exit"),
        ((*GRAPH, "--how", ","), "names nothing"),
        ((*GRAPH, "--jobs", "0"), "at least 1"),
        ((*GRAPH, "--json", "--markdown"), "not allowed with"),
        ((*GRAPH, "-s", "file.sqlite"), "takes a postgresql:// address"),
    ],
)
def test_what_cannot_be_understood_is_a_usage_error(audit, words, told):
    code, err = audit(*words)
    assert code == Exit.USAGE
    assert told in err


def test_a_database_that_may_not_be_written_to_is_refused_without_a_connection(audit):
    code, err = audit(*GRAPH, "-s", "postgresql://u:secret@nowhere/app?options=-cdefault_transaction_read_only%3Don")
    assert code == Exit.REFUSED
    assert "secret" not in err


def test_a_database_that_is_not_there_is_said_to_be(audit):
    code, err = audit(*GRAPH, "-s", "postgresql://u:secret@127.0.0.1:1/app")
    assert code == Exit.STORE
    assert "secret" not in err


def test_signals_mean_afterwards_what_they_meant_before(audit):
    before = signal.getsignal(signal.SIGINT)
    audit(*GRAPH, "-s", "postgresql://u:secret@127.0.0.1:1/app")
    assert signal.getsignal(signal.SIGINT) is before


def test_the_environment_names_no_store_for_it(audit, monkeypatch):
    monkeypatch.setenv("LGTOP_STORE", "postgresql://127.0.0.1:1/app")
    code, err = audit("--graph", "nowhere.py:graph", "--input", "{}")
    assert code == Exit.REFUSED
    assert "There is no file" in err
