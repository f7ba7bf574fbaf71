"""The output layer: JSON that a terminal cannot obey, timestamps, the form of arrays."""

import io
import json
import sys
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends.decode import Decoder
from backends.present import to_json
from backends.worker.restore import Restorer
from tests.unit.test_diff import VALUES
from tui.cli import output, records

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_encoded_text_is_printable_ascii_and_lossless(value):
    encoded = output.encode(value)
    assert encoded.isascii()
    assert encoded.isprintable()
    assert json.loads(encoded) == value


KEYS = st.sampled_from(["$bytes", "$type", "value", "$map", "$"]) | st.text()
FLAT = st.dictionaries(KEYS, st.text() | st.booleans() | st.integers())


@given(VALUES | FLAT)
def test_a_value_is_printed_in_the_form_that_is_read_back(value):
    assert records.values(value) == to_json(value)


@given(FLAT)
def test_what_is_shown_is_written_back_as_it_was(value):
    assert Restorer(None, Decoder(), lambda: None, set).restore(records.values(value)) == value


def test_a_lone_surrogate_survives():
    assert json.loads(output.encode("\ud800")) == "\ud800"


def test_what_is_no_number_in_json_is_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        output.encode({"x": float("nan")})


@pytest.mark.parametrize("records", [[], [{"a": 1}], [{"a": 1}, {"b": "é"}]])
def test_an_array_has_an_item_a_line(monkeypatch, records):
    monkeypatch.setattr(sys, "stdout", out := io.StringIO())
    output.print_records(records, as_lines=False)
    assert json.loads(out.getvalue()) == records
    assert out.getvalue().count("\n") == (len(records) + 2 if records else 1)


def test_lines_are_objects_on_their_own(monkeypatch):
    monkeypatch.setattr(sys, "stdout", out := io.StringIO())
    output.print_records([{"a": "x\ny"}, {"b": 2}], as_lines=True)
    assert [json.loads(line) for line in out.getvalue().splitlines()] == [{"a": "x\ny"}, {"b": 2}]


@given(st.integers(min_value=0, max_value=4_000_000_000_000_000))
def test_timestamps_are_utc(micros):
    when = datetime.fromtimestamp(micros // 1_000_000, UTC).replace(microsecond=micros % 1_000_000)
    assert datetime.fromisoformat(output.timestamp(micros / 1_000_000)) == when


def test_no_time_is_no_timestamp():
    assert output.timestamp(None) is None


def test_narration_is_one_harmless_line(capsys):
    output.narrate("no \x1b[2J thread\nhere \u202e")
    assert capsys.readouterr().err == "no ␛[2J thread⏎here <U+202E>\n"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colour(monkeypatch, environment, expected):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert output.coloured() is expected
