"""No two statuses look alike, on any terminal."""

from __future__ import annotations

import unicodedata

from rich.cells import cell_len

from backends.model import ATTENTION, StatusName
from tui.cli.statuses import COLOURS
from tui.glyphs import STATUS
from tui.guard import to_ascii
from tui.theme import THEMES

EMOJI = range(0x1F000, 0x20000)


def test_every_status_has_a_sign_of_its_own():
    assert set(STATUS) == set(StatusName)
    assert len(set(STATUS.values())) == len(StatusName)


def test_a_sign_takes_one_cell_and_is_no_emoji():
    for glyph in STATUS.values():
        assert cell_len(glyph) == 1
        assert unicodedata.east_asian_width(glyph) not in "WF"
        assert ord(glyph) not in EMOJI


def test_signs_differ_where_only_ascii_can_be_shown():
    likenesses = {status: to_ascii(glyph) for status, glyph in STATUS.items()}
    assert len(set(likenesses.values())) == len(StatusName), likenesses


def test_every_status_has_a_colour_everywhere():
    assert set(COLOURS) == set(StatusName)
    for theme in THEMES:
        assert {status.value for status in StatusName} <= set(theme.variables)


def test_what_wants_a_person_is_named_once():
    assert len(set(ATTENTION)) == len(ATTENTION)
    assert not {StatusName.RUNNING, StatusName.DONE, StatusName.UNKNOWN} & set(ATTENTION)
