"""Log records of the user's code that no handler of its own takes."""

from __future__ import annotations

import logging

from ..runs.events import Kind
from ..runs.recorder import Recorder


class _Records(logging.Handler):
    """Tells log records as events."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(logging.WARNING)
        self._recorder = recorder

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._recorder.write(Kind.LOG, stream=record.name, level=record.levelname, text=self.format(record))
        except Exception:  # the format and its arguments are the user's; what logging's own handlers do, too
            self.handleError(record)


def listen(recorder: Recorder) -> None:
    """Take the place of logging's last resort, so that a project's own configuration works as ever."""
    logging.lastResort = _Records(recorder)


def end() -> None:
    """Take no more: the run has said its last word."""
    logging.lastResort = None
