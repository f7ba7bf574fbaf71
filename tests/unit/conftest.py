"""A command as it is run in process."""

import pytest

from tui.cli import main


@pytest.fixture
def lgtop(capsys, monkeypatch):
    """Run a command; give its code and outputs, as long as they hold nothing that a terminal would obey."""
    monkeypatch.setenv("LGTOP_DEBUG", "1")

    def command(*argv):
        code = main.run(argv)
        captured = capsys.readouterr()
        assert "\x1b" not in captured.out + captured.err
        return code, captured.out, captured.err

    return command
