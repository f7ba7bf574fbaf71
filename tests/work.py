"""What code costs, counted and not timed: the same on every machine, however busy it is."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Count:
    """A number that grows."""

    def __init__(self) -> None:
        self.number = 0


def steps(function: Callable[[], object]) -> int:
    """How many instructions of Python a call takes, in this thread; what C does in one of them counts as one."""
    count = Count()

    def trace(frame: FrameType, event: str, argument: Any) -> Callable[..., Any]:
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count.number += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(before)
    return count.number


def allocated(function: Callable[[], object]) -> int:
    """How many bytes a call has allocated at its height: copies that C makes are no steps."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@contextmanager
def calls() -> Iterator[Count]:
    """Count the calls of functions, of Python's and of C's, in this thread: coarser than steps, and cheaper."""
    count = Count()

    def profile(frame: FrameType, event: str, argument: Any) -> None:
        count.number += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        yield count
    finally:
        sys.setprofile(before)
