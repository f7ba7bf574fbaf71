"""JSON on the command line: in a word, in a file, on standard input; and what is said about what is none."""

import io
import json

import pytest

from tui.cli.arguments import Parser, UsageError
from tui.cli.given import json_object, json_value


@pytest.fixture
def read():
    """Read ``--input`` and ``--object`` as a command does."""
    parser = Parser("lgtop run", "", "")
    parser.add_argument("--input", type=json_value)
    parser.add_argument("--other", type=json_value)
    parser.add_argument("--object", type=json_object)
    return lambda *argv: parser.parse_args(argv)


@pytest.mark.parametrize("value", [None, True, 0, -5, 1.5, "", "a b", [], {"a": [1, {"b": None}]}, "\ud800"])
def test_a_value_in_the_word_itself(read, value):
    assert read("--input", json.dumps(value)).input == value


def test_a_value_from_a_file(read, tmp_path):
    path = tmp_path / "given.json"
    path.write_text('\ufeff{"name": "Ærø"}', encoding="utf-8")
    assert read("--input", f"@{path}").input == {"name": "Ærø"}
    assert read("--object", f"@{path}").object == {"name": "Ærø"}


def test_a_value_from_standard_input_once(read, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("[1, 2]\n"))
    with pytest.raises(UsageError, match="only one option can be -"):
        read("--input", "-", "--other", "-")
    monkeypatch.setattr("sys.stdin", io.StringIO("[1, 2]\n"))
    assert read("--input", "-").input == [1, 2]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("yes", "A text needs quotes of its own"),
        ("", "'' is not JSON"),
        ("{'a': 1}", "is not JSON"),
        ('{"a": NaN}', "NaN is no JSON number"),
        ("-Infinity", "-Infinity is no JSON number"),
        ("[" * 100_000, "nested too deeply"),
        ("@", "cannot be read"),
        ("@nowhere.json", "nowhere.json cannot be read: No such file or directory"),
        ("@.", "cannot be read: Is a directory"),
    ],
)
def test_what_is_no_json_is_explained(read, given, said):
    with pytest.raises(UsageError, match="argument --input") as caught:
        read(f"--input={given}")
    assert said in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_file_that_is_no_text(read, tmp_path):
    (tmp_path / "x").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="is not UTF-8 text"):
        read("--input", f"@{tmp_path / 'x'}")


@pytest.mark.parametrize("given", ["[]", "1", '"text"', "null"])
def test_an_object_is_wanted(read, given):
    with pytest.raises(UsageError, match="a JSON object is wanted"):
        read("--object", given)
