"""Which graph a thread belongs to, as it stands on disk: a person's choice, and what our own runs say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

from ..errors import Refused
from ..folders import private_folder, state_folder, write_whole
from ..runs.record import RUN, runs_folder
from ..runs.spec import GraphRef
from .config import NAME, read_project


class Choices:
    """The choices for one store; one small file each, so that two apps never overwrite each other's.

    Args:
        store_key: The store.
    """

    def __init__(self, store_key: str) -> None:
        self._store_key = store_key

    def remember(self, thread_id: str | None, ref: GraphRef) -> None:
        """Keep a choice, without environment variables: they may be secret.

        Args:
            thread_id: The thread; ``None`` for all threads of the store that have no choice of their own.
            ref: The graph.

        Raises:
            OSError: The state directory cannot be written.
        """
        path = self._path(thread_id)
        private_folder(path.parent)
        kept = {"target": ref.target, "root": ref.root, "graph": ref.name, "python": ref.python}
        write_whole(path, json.dumps(kept))

    def recall(self, thread_id: str | None) -> GraphRef | None:
        """Return what was chosen, as its project describes it now; ``None`` where nothing was or it is gone."""
        return _revived(self._path(thread_id))

    def _path(self, thread_id: str | None) -> Path:
        named = json.dumps([self._store_key, thread_id]).encode()
        return state_folder() / "choices" / f"{blake2b(named, digest_size=12).hexdigest()}.json"


def graph_of_run(run_id: str) -> GraphRef | None:
    """Return the graph that one of our runs drove, as its project describes it now.

    Args:
        run_id: From the metadata of a checkpoint (``lgtop_run``): untrusted.

    Returns:
        ``None`` where there is no such record on this computer any more, or the project is gone.
    """
    if not run_id or "/" in run_id or run_id.startswith("."):
        return None
    return _revived(runs_folder() / run_id / RUN)


def _revived(path: Path) -> GraphRef | None:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return _as_now(kept)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _as_now(kept: Mapping[str, Any]) -> GraphRef | None:
    target, root, name = str(kept["target"]), str(kept["root"]), str(kept["graph"])
    python = str(kept["python"])
    config = Path(root, NAME)
    listed = name != target  # one that is not listed is called by its target
    if not config.is_file():
        return GraphRef(target, root, name, python=python) if not listed and Path(root).is_dir() else None
    try:
        project = read_project(config)
    except Refused:
        return None  # said where the project's graphs are listed
    if listed and name not in project.graphs:
        return None
    return project.ref(project.graphs.get(name, target), name, python)
