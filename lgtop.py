"""lgtop: watch and control LangGraph threads from a terminal; ``python -m lgtop`` or the ``lgtop`` command.

For applications: locks (``thread_lock``) and durable workflows (``CheckpointerManager``, ``resume_workflow``, ...), on
SQLite and PostgreSQL alike: ``from lgtop import resume_workflow``.
"""

from __future__ import annotations

import _thread
import gc
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType

    from backends.durability.checkpointer import CheckpointerManager
    from backends.durability.failed import find_failed_workflows
    from backends.durability.lock_managers import PostgresLockManager, SqliteLockManager
    from backends.durability.resume import ResumeResult, resume_workflow
    from backends.durability.retry import ResumeFailed, resume_with_retry
    from backends.durability.standing import CheckpointStatus, get_checkpoint_status, needs_resume
    from backends.durability.thread_ids import generate_thread_id
    from backends.errors import AlreadyRunning, Refused, StoreError
    from backends.locks.public import thread_lock

__all__ = [
    "AlreadyRunning",
    "CheckpointStatus",
    "CheckpointerManager",
    "PostgresLockManager",
    "Refused",
    "ResumeFailed",
    "ResumeResult",
    "SqliteLockManager",
    "StoreError",
    "find_failed_workflows",
    "generate_thread_id",
    "get_checkpoint_status",
    "load_backends",
    "main",
    "needs_resume",
    "resume_with_retry",
    "resume_workflow",
    "thread_lock",
]

_ALIAS = "_lgtop_backends"
_PUBLIC = {
    "AlreadyRunning": "errors",
    "CheckpointStatus": "durability.standing",
    "CheckpointerManager": "durability.checkpointer",
    "PostgresLockManager": "durability.lock_managers",
    "Refused": "errors",
    "ResumeFailed": "durability.retry",
    "ResumeResult": "durability.resume",
    "SqliteLockManager": "durability.lock_managers",
    "StoreError": "errors",
    "find_failed_workflows": "durability.failed",
    "generate_thread_id": "durability.thread_ids",
    "get_checkpoint_status": "durability.standing",
    "needs_resume": "durability.standing",
    "resume_with_retry": "durability.retry",
    "resume_workflow": "durability.resume",
    "thread_lock": "locks.public",
}
"""Name -> module of ``backends`` that it comes from, when it is first asked for."""

_loading = _thread.allocate_lock()


def main() -> int:
    """Run the command line; return its exit code."""
    # A short command is over before there is garbage; looking for it seldom, and not on the way out, saves a tenth.
    gc.set_threshold(50_000, 20, 20)
    _forget_current_directory()
    try:
        from tui.cli.main import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # while modules were loaded; later it is the command's own affair
        code = 130
    gc.freeze()
    return code


def load_backends() -> ModuleType:
    """Load the package ``backends`` that stands beside this file, whatever else is called that.

    It gets a name of its own, so that a package ``backends`` of the application or of a graph's project is neither used
    nor hidden. Modules in it are imported by that name: ``importlib.import_module(".locks.take", "_lgtop_backends")``.

    Returns:
        The package; the same one each time.
    """
    from importlib.util import module_from_spec, spec_from_file_location

    with _loading:
        if _ALIAS not in sys.modules:
            folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "backends")
            spec = spec_from_file_location(
                _ALIAS, os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
            )
            assert spec is not None
            assert spec.loader is not None
            package = module_from_spec(spec)
            spec.loader.exec_module(package)  # nothing but a docstring: it cannot be seen half done
            sys.modules[_ALIAS] = package
        return sys.modules[_ALIAS]


def __getattr__(name: str) -> Any:
    """Load what an application imports from here."""
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_PUBLIC[name]}", load_backends().__name__), name)


def _forget_current_directory() -> None:
    """Keep packages of the user's project that are called ``tui`` or ``backends`` from standing in front of ours."""
    here = os.path.dirname(os.path.abspath(__file__))
    cwd = os.getcwd()
    if cwd != here:
        sys.path[:] = [p for p in sys.path if os.path.abspath(p or cwd) != cwd]
    if here not in sys.path:
        sys.path.insert(0, here)


if __name__ == "__main__":
    raise SystemExit(main())
