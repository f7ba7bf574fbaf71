"""The State and Diff tabs of a checkpoint whose state is still empty."""

from __future__ import annotations

from pathlib import Path

from backends.model import CheckpointKey
from backends.outline import Node
from backends.reader import Reader
from backends.store import open_store
from tui.tabs import diff, state
from tui.tabs.request import Request
from tui.tabs.states import States


def inputs(reader: Reader) -> list[CheckpointKey]:
    heads = [head for batch in reader.store.heads() for head in batch]
    return [row.key for head in heads for row in reader.store.history(head.thread_id, "") if row.source == "input"]


def texts(nodes: tuple[Node, ...]) -> str:
    return "\n".join(f"{node.name} {node.text}" for node in nodes)


def test_an_input_that_no_step_has_taken_is_shown(store: Path) -> None:
    reader = Reader(open_store(str(store)))
    try:
        keys = inputs(reader)
        assert keys
        for key in keys:
            request, states = Request(key), States()
            assert "takes this input" in texts(state.load(reader, request, states).nodes)
            assert "__start__" in texts(state.load(reader, request, states).nodes)
            assert (
                texts(diff.load(reader, request, states).nodes)
                .strip()
                .startswith("It has no parent, and its state is empty")
            )
    finally:
        reader.store.close()
