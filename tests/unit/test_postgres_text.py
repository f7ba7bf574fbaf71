"""What a server prints, and what it is sent, as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.postgres_text import READINGS, filled, read_array

ESCAPED = bytes(range(256))


def quoted(text: str) -> bytes:
    return b"'" + text.replace("'", "''").encode() + b"'"


def test_parameters_take_their_places() -> None:
    text = "SELECT %s, %s - %s, %s WHERE a LIKE 'x%%' AND b = %s"
    assert filled(text, ["it's %s", 1, -1, None, False], quoted) == (
        b"SELECT 'it''s %s',  1 -  -1, NULL WHERE a LIKE 'x%' AND b = false"
    )


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
def test_arrays_come_back_as_they_went(texts: list[str]) -> None:
    literal = filled("%s", [texts], quoted)
    assert read_array(literal[1:-1].replace(b"''", b"'")) == texts


def test_arrays_as_the_server_prints_them() -> None:
    assert read_array(b'{a,NULL,"NULL","","b \\"c\\" \\\\","{,}"}') == ["a", None, "NULL", "", 'b "c" \\', "{,}"]
    assert read_array(b"{}") == []


@pytest.mark.parametrize("printed", [b"\\x" + ESCAPED.hex().encode(), b"".join(b"\\%03o" % byte for byte in ESCAPED)])
def test_bytes_in_both_forms(printed: bytes) -> None:
    assert READINGS[17](printed) == ESCAPED


def test_a_backslash_stands_for_itself_twice() -> None:
    assert READINGS[17](b"a\\\\x01\\001") == b"a\\x01\x01"


@pytest.mark.parametrize("value", [1.5, b"x", [1], (1,)])
def test_other_parameters_are_refused(value: object) -> None:
    with pytest.raises(TypeError):
        filled("%s", [value], quoted)
