"""Whatever goes in, what comes out can only be printed."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.text import clean, one_line
from tests.hostile import STRINGS

ACTS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff]")
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=60) | st.sampled_from(
    sorted(STRINGS.values())
)


@given(ANY_TEXT)
def test_nothing_that_acts_is_left(text: str) -> None:
    safe = clean(text)
    assert not ACTS.search(safe)
    assert all(unicodedata.category(char) not in ("Cc", "Cf", "Cs") for char in safe if char not in "\n\t")
    safe.encode("utf-8")


@given(ANY_TEXT)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(ANY_TEXT, st.integers(-1, 30))
def test_a_line_is_one_line_within_its_limit(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= max(limit, 0)
    assert "\n" not in line
    assert "\t" not in line
    assert not ACTS.search(line)
    if len(one_line(text)) <= limit:
        assert line == one_line(text)
    elif limit > 0:
        assert line.endswith("…")


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_clean_text_is_the_same_object(text: str) -> None:
    assert clean(text) is text


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("a\x1b[2Jb", "a␛[2Jb"),
        ("\x00\x07\r\x7f", "␀␇␍␡"),
        ("\x9b2J", "<U+009B>2J"),
        ("user\u202egnp.exe", "user<U+202E>gnp.exe"),
        ("pay\u200bpal\ufeff", "pay<U+200B>pal<U+FEFF>"),
        ("lone\ud800", "lone<U+D800>"),
        ("\U000e0041", "<U+E0041>"),
        ("a\u2028b", "a<U+2028>b"),
        ("keep\n\ttabs", "keep\n\ttabs"),
        ("[red]ä漢👩", "[red]ä漢👩"),
    ],
)
def test_how_it_looks(text: str, safe: str) -> None:
    assert clean(text) == safe


def test_lines() -> None:
    assert one_line("a\nb\tc") == "a⏎b c"
    assert one_line("abcdef", 4) == "abc…"
    assert one_line("abcd", 4) == "abcd"
    assert one_line("\x9b\x9b", 5) == "<U+0…"


def test_text_beyond_the_limit_is_not_looked_at() -> None:
    class Tripwire(str):
        def __getitem__(self, key: object) -> str:
            assert isinstance(key, slice)
            assert key.stop is not None
            assert key.stop <= 11
            return str.__getitem__(self, key)

        def isascii(self) -> bool:
            raise AssertionError("the whole text was read")

    assert one_line(Tripwire("x" * 1000), 10) == "x" * 9 + "…"
