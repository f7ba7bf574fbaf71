"""A store that an enemy wrote, read through every room of ``backends``: nothing runs, nothing breaks, nothing acts."""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from backends.decode import Decoder
from backends.delta import resolve
from backends.diff import apply, channel_summary, diff
from backends.equality import same
from backends.model import CheckpointKey
from backends.present import approx_size, children, preview, to_json, type_label
from backends.reader import Reader
from backends.snapshot import read_snapshot
from backends.store import Store, open_store
from backends.text import clean, one_line
from backends.values import Value
from tests.hostile import hostile_postgres, hostile_sqlite
from tests.hostile_blobs import MODULES

ACTS = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff]")


@pytest.fixture(params=["sqlite", "sqlite without task_path", "postgres"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "postgres":
        url, canary = request.getfixturevalue("postgres_url"), tmp_path / "canary"
        hostile_postgres(url, canary)
    else:
        url = str(tmp_path / "hostile.sqlite")
        canary = hostile_sqlite(Path(url), task_path=request.param == "sqlite")
    with closing(open_store(url)) as store:
        yield store
    assert not canary.exists()
    assert not set(MODULES) & set(sys.modules) - {"smtplib"}  # the standard library's own handlers may want that one


def look_at(value: Value, levels: int = 3) -> None:
    for line in (preview(value), type_label(value)):
        assert not ACTS.search(line)
    assert approx_size(value) >= 0
    json.dumps(to_json(value), allow_nan=False)
    inside = children(value)
    for key, child in (inside or ())[:5] if levels else ():
        assert not ACTS.search(one_line(str(key)))
        look_at(child, levels - 1)


def test_every_value_can_be_looked_at(opened: Store) -> None:
    decoder = Decoder()
    heads = [head for batch in opened.heads() for head in batch]
    assert len(heads) > 120
    previous: Value = {}
    for head in heads:
        assert not ACTS.search(clean(head.thread_id).replace("\n", "").replace("\t", ""))
        keys = [row.key for ns in opened.namespaces(head.thread_id) for row in opened.history(head.thread_id, ns)]
        assert head.key in keys
        for raw in opened.raw(keys):
            snapshot = read_snapshot(raw, decoder)
            state = resolve(opened, decoder, snapshot)
            look_at(state)
            look_at(dict(snapshot.metadata))
            changes = diff(previous, state)
            assert same(apply(changes, previous), state)
            channel_summary(changes)
            for write in raw.writes:
                look_at(decoder.decode(write.blob))
            previous = state


def test_every_thread_has_a_status(opened: Store) -> None:
    reader = Reader(opened)
    heads = [head for batch in opened.heads() for head in batch]
    analyses = reader.analyse_heads(heads)
    assert set(analyses) == {head.thread_id for head in heads}
    for head in heads:
        analysis = analyses[head.thread_id]
        assert analysis.status
        for interrupt in analysis.interrupts:
            look_at(interrupt.value)
        reader.head(head.thread_id)
        reader.state(head.key)
        reader.task_nodes(head.thread_id)
        for row in opened.history(head.thread_id, head.ns):
            reader.analysis(row.key)
            parent = CheckpointKey(*row.key[:2], row.parent_id) if row.parent_id else None
            known = parent if parent in [other.key for other in opened.history(head.thread_id, head.ns)] else None
            reader.changes(known, row.key)
