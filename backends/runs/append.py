"""Writing to a file without letting go of the interpreter.

``os.write`` lets other threads in. To append a few hundred bytes takes microseconds, but then the writer waits for its
turn again: with ``durability="async"``, where another thread saves checkpoints meanwhile, that made the steps of a run
a tenth slower.
"""

from __future__ import annotations

import errno
import os
from typing import Any

_write: Any
try:
    import ctypes
except ImportError:  # a Python that was built without libffi
    _write = None
else:
    _write = ctypes.PyDLL(None, use_errno=True).write
    _write.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t]
    _write.restype = ctypes.c_ssize_t


def append(file: int, data: bytes) -> int:
    """Write to a file; not to anything that may make its writer wait, such as a pipe.

    Args:
        file: Its descriptor.
        data: What to write.

    Returns:
        How many bytes were written.

    Raises:
        OSError: None was.
    """
    if _write is None:
        return os.write(file, data)
    while True:
        written: int = _write(file, data, len(data))
        if written >= 0:
            return written
        number = ctypes.get_errno()
        if number != errno.EINTR:
            raise OSError(number, os.strerror(number))
