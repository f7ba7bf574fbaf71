"""Laying a style over parts of a line that is drawn already: what a search found, what the mouse selected."""

from __future__ import annotations

from collections.abc import Iterable

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip


def restyle(strip: Strip, spans: Iterable[tuple[int, int]], style: Style) -> Strip:
    """Lay a style over character ranges of a strip.

    Args:
        strip: A row.
        spans: Ranges in characters, ordered, not overlapping.
        style: Wins over the style that is there.
    """
    segments: list[Segment] = []
    pending = iter(spans)
    span = next(pending, None)
    position = 0
    for text, base, _ in strip:
        begin, end = position, position + len(text)
        at = begin
        while span is not None and span[0] < end:
            start, stop = max(span[0], at), min(span[1], end)
            segments.append(Segment(text[at - begin : start - begin], base))
            segments.append(Segment(text[start - begin : stop - begin], base + style if base else style))
            at = stop
            if span[1] > end:
                break
            span = next(pending, None)
        segments.append(Segment(text[at - begin :], base))
        position = end
    return Strip([segment for segment in segments if segment.text], strip.cell_length)
