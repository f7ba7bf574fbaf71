"""Leaving threads out unread, because a status that is asked for needs a row that they do not have: never wrongly."""

from __future__ import annotations

from itertools import chain, combinations

from backends.decode import Decoder
from backends.model import StatusName
from backends.reader import Reader

from .places import Place
from .population import populate

BY_ROWS = (StatusName.WAITING, StatusName.FAILED, StatusName.CANCELLED)


def test_nothing_is_left_out_that_has_the_status(place: Place) -> None:
    populate(place.saver)
    place.put_write(place.put("odd", 1), "__error__", value="Odd('')")
    place.put_write(place.put('say "hi" \\ %', 1), "__interrupt__", value=["?"])
    with place.open() as store:
        reader = Reader(store, Decoder())
        heads = [head for batch in store.heads() for head in batch]
        analyses = reader.analyse_heads(heads)
        found = {analysis.status for analysis in analyses.values()}
        assert found >= {StatusName.WAITING, StatusName.FAILED, StatusName.DONE}
        for statuses in chain.from_iterable(combinations(BY_ROWS, size) for size in (1, 2, 3)):
            kept = {head.thread_id for head in reader.narrowed(heads, statuses)}
            assert kept >= {key for key, analysis in analyses.items() if analysis.status in statuses}
            assert len(kept) < len(heads)
        asking = {head.thread_id for head in reader.narrowed(heads, (StatusName.WAITING,))}
        assert asking >= {key for key, analysis in analyses.items() if analysis.interrupts}
        for statuses in ((), (StatusName.DONE,), (StatusName.WAITING, StatusName.STALLED)):
            assert reader.narrowed(heads, statuses) == heads
