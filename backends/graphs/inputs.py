"""Inputs that a project proposes for its graphs: ``inputs.json``, an object by the name of the graph."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..runs.spec import GraphRef

INPUTS = "inputs.json"
"""Name of the file, beside ``langgraph.json`` or beside the graph."""


def proposed_input(ref: GraphRef) -> Any:
    """Return the input that a project proposes for a graph; ``None`` where it proposes none that can be read."""
    for path in _places(ref):
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue  # no more than a proposal
        if isinstance(found, dict) and ref.name in found:
            return found[ref.name]
    return None


def _places(ref: GraphRef) -> Iterator[Path]:
    root = Path(ref.root)
    yield root / INPUTS
    file, _, variable = ref.target.rpartition(":")
    if variable and file.endswith(".py"):
        yield (root / file).parent / INPUTS
