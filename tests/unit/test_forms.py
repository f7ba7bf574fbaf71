"""Values that a person fills in: fields from schemas and from reviews, JSON as text, edited states."""

from __future__ import annotations

import json
import string
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from backends.control.schema import problems
from tui.forms.draft import WHOLE, Draft
from tui.forms.field import UNSET, FieldError, Kind
from tui.forms.json_text import JsonError, read_json, read_json_or_file, write_json, write_line
from tui.forms.review import shape_of_review
from tui.forms.schema import example, shape_of_schema
from tui.forms.shape import shape_of_answer


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Inner(BaseModel):
    x: int = 3


class Decision(BaseModel):
    approved: bool = Field(description="May it?")
    comment: str = ""
    amount: int
    rate: float | None = None
    color: Color
    how: Literal["fast", "slow", 3] = "fast"
    tags: list[str]
    inner: Inner
    either: int | str


def fields(schema: object) -> dict[str, object]:
    shape = shape_of_schema(schema)
    assert shape is not None
    return {field.name: field for field in shape.fields}


# Schemas


def test_a_model_becomes_one_field_a_property() -> None:
    found = fields(Decision.model_json_schema())
    kinds = {name: field.kind for name, field in found.items()}
    assert kinds == {
        "approved": Kind.CHOICE,
        "comment": Kind.TEXT,
        "amount": Kind.INTEGER,
        "rate": Kind.NUMBER,
        "color": Kind.CHOICE,
        "how": Kind.CHOICE,
        "tags": Kind.JSON,
        "inner": Kind.JSON,
        "either": Kind.JSON,
    }
    assert found["approved"].note == "May it?"
    assert [label for label, _ in found["color"].options] == ["red", "blue"]
    assert dict(found["how"].options) == {"fast": "fast", "slow": "slow", "3": 3}
    assert found["rate"].nullable
    assert found["comment"].default == ""
    assert not found["comment"].required


def test_what_is_filled_in_makes_a_value_that_the_schema_takes() -> None:
    schema = Decision.model_json_schema()
    texts = {
        "approved": "yes",
        "comment": "",
        "amount": " 12 ",
        "rate": "",
        "color": "blue",
        "how": "3",
        "tags": '["a"]',
        "inner": '{"x": 1}',
        "either": '"five"',
    }
    given = {name: value for name, field in fields(schema).items() if (value := field.read(texts[name])) is not UNSET}
    shape = shape_of_schema(schema)
    assert shape is not None
    value = shape.value(given)
    assert problems(value, schema) == []
    assert Decision.model_validate(value).how == 3
    assert value == {
        "approved": True,
        "amount": 12,
        "color": "blue",
        "how": 3,
        "tags": ["a"],
        "inner": {"x": 1},
        "either": "five",
    }
    assert shape.given(value) == value
    assert shape.given({"unknown": 1}) is None


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("approved", "", "choose one"),
        ("amount", "", "a whole number is needed"),
        ("amount", "1.5", "a whole number is needed"),
        ("rate", "nan", "a number is needed"),
        ("tags", "[", "not JSON"),
    ],
)
def test_what_a_field_does_not_take_is_told(name: str, text: str, reason: str) -> None:
    with pytest.raises(FieldError, match=reason) as caught:
        fields(Decision.model_json_schema())[name].read(text)
    assert caught.value.name == name


def test_a_schema_that_is_no_object_is_one_field() -> None:
    shape = shape_of_schema({"type": "boolean"})
    assert shape is not None
    (field,) = shape.fields
    assert (field.name, field.kind) == ("", Kind.CHOICE)
    assert shape.value({"": field.read("no")}) is False


@pytest.mark.parametrize(
    "schema",
    [None, {}, {"type": "object"}, [], 7, {"properties": {}}, {"properties": {str(n): {} for n in range(40)}}],
)
def test_no_form_where_it_would_be_no_help(schema: object) -> None:
    assert shape_of_schema(schema) is None


def test_a_schema_that_names_itself_ends() -> None:
    schema = {"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/A"}, "B": {"properties": {"b": {"$ref": "#/x"}}}}}
    assert shape_of_schema(schema) is None
    assert example({"$ref": "#/$defs/B", **{"$defs": schema["$defs"]}}) == {"b": None}


def test_an_example_has_defaults_and_empty_values() -> None:
    assert example(Decision.model_json_schema()) == {
        "approved": False,
        "comment": "",
        "amount": 0,
        "rate": None,
        "color": "red",
        "how": "fast",
        "tags": [],
        "inner": {"x": 3},
        "either": 0,
    }


_KEYS = st.sampled_from(
    ["type", "properties", "enum", "const", "anyOf", "oneOf", "allOf", "$ref", "$defs", "required", "default", "a", "b"]
)
_WORDS = st.sampled_from(["object", "string", "boolean", "integer", "null", "#/$defs/a", "#/", "#/properties/a", "a"])
_SCHEMAS = st.recursive(
    st.none() | st.booleans() | st.integers() | _WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=25,
)


@given(_SCHEMAS)
def test_a_hostile_schema_is_only_a_schema(schema: object) -> None:
    shape = shape_of_answer({"question": "?"}, schema)
    for field in shape.fields if shape is not None else ():
        assert isinstance(field.write(field.default), str)
    json.dumps(example(schema))


# Reviews

INBOX = {
    "action_request": {"action": "send_mail", "args": {"to": "bob"}},
    "config": {"allow_accept": True, "allow_edit": True, "allow_respond": True, "allow_ignore": True},
    "description": "Send a mail?",
}


def answered(question: object, **given: object) -> object:
    shape = shape_of_review(question)
    assert shape is not None
    begun = {field.name: field.default for field in shape.fields if field.default is not UNSET}
    return shape.value({**begun, **given})


@pytest.mark.parametrize("question", [INBOX, [INBOX]])
def test_the_agent_inbox_gets_a_list_of_one_response(question: object) -> None:
    assert answered(question, decision="approve") == [{"type": "accept", "args": None}]
    assert answered(question, decision="ignore") == [{"type": "ignore", "args": None}]
    assert answered(question, decision="respond", message="No!") == [{"type": "response", "args": "No!"}]
    edited = [{"type": "edit", "args": {"action": "send_mail", "args": {"to": "eve"}}}]
    assert answered(question, decision="edit", arguments={"to": "eve"}) == edited


MIDDLEWARE = {
    "action_requests": [
        {"name": "write_file", "args": {"path": "a"}, "description": "Write?"},
        {"name": "run_sql", "args": {"q": "drop"}},
    ],
    "review_configs": [
        {"action_name": "write_file", "allowed_decisions": ["approve", "edit", "reject"]},
        {"action_name": "run_sql", "allowed_decisions": ["approve", "reject"]},
    ],
}


def test_the_middleware_gets_a_decision_for_each_request() -> None:
    shape = shape_of_review(MIDDLEWARE)
    assert shape is not None
    names = [field.name for field in shape.fields]
    assert names == ["1 decision", "1 arguments", "1 message", "2 decision", "2 message"]
    given = {"1 decision": "edit", "1 arguments": {"path": "b"}, "2 decision": "reject", "2 message": "never"}
    assert shape.value(given) == {
        "decisions": [
            {"type": "edit", "edited_action": {"name": "write_file", "args": {"path": "b"}}},
            {"type": "reject", "message": "never"},
        ]
    }
    assert shape.draft({})["decisions"] == [{"type": "approve"}, {"type": "approve"}]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"decision": "approve", "arguments": {"to": "eve"}}, "arguments"),
        ({"decision": "approve", "message": "but"}, "message"),
        ({"decision": "respond"}, "message"),
    ],
)
def test_a_decision_that_would_drop_what_was_typed_is_refused(given: dict[str, object], name: str) -> None:
    with pytest.raises(FieldError) as caught:
        answered(INBOX, **given)
    assert caught.value.name == name


@pytest.mark.parametrize(
    "question",
    [
        "May I?",
        {"action_request": {"action": "x"}},
        {**INBOX, "config": {}},
        [INBOX, INBOX],
        {"action_requests": []},
        {"action_requests": [3]},
        None,
    ],
)
def test_other_questions_are_no_reviews(question: object) -> None:
    assert shape_of_review(question) is None


def test_a_schema_goes_before_a_review() -> None:
    shape = shape_of_answer(INBOX, {"type": "integer"})
    assert shape is not None
    assert [field.kind for field in shape.fields] == [Kind.INTEGER]


# JSON as text

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


@given(_VALUES)
def test_json_reads_back_and_can_be_printed(value: object) -> None:
    for text in (write_json(value), write_line(value)):
        assert read_json(text) == value
        assert text.replace("\n", "").isprintable()


def test_escapes_for_what_nobody_sees() -> None:
    text = write_line("a\x1b[2J\u202e\u200b\U000e0041é€")
    assert text == '"a\\u001b[2J\\u202e\\u200b\\udb40\\udc41é€"'


@pytest.mark.parametrize(
    ("text", "said", "line", "column"),
    [
        ("yes", "a text needs quotes", 0, 0),
        ('{"a": 1,\n "b" 2}', "line 2, column 6", 1, 5),
        ("", "JSON is needed", 0, 0),
        ("NaN", "NaN is not a JSON value", 0, 0),
        ("[" * 100_000, "not JSON", 0, 0),
        ("9" * 10_000, "not JSON", 0, 0),
    ],
)
def test_what_is_no_json_is_told_with_its_place(text: str, said: str, line: int, column: int) -> None:
    with pytest.raises(JsonError, match=said) as caught:
        read_json(text)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_a_file_can_stand_for_a_value(tmp_path: Path) -> None:
    path = tmp_path / "input.json"
    path.write_text('{"a": "é"}', "utf-8")
    assert read_json_or_file(f" @{path}\n") == {"a": "é"}
    assert read_json_or_file('"@home"') == "@home"
    path.write_bytes(b"\xff")
    for text, said in ((f"@{path}", "UTF-8"), ("@/nowhere/x.json", "No such file")):
        with pytest.raises(JsonError, match=said):
            read_json_or_file(text)


# States

STATE = {"n": 1, "log": ["a"], "key": {"$secret": "SecretStr"}, "old": [{"x": {"$delta": {}}}]}


def test_only_what_was_changed_counts() -> None:
    draft = Draft(STATE, ["n", "log", "key", "old", "verdict"])
    assert draft.channels == ("n", "log")
    assert draft.locked.keys() == {"key", "old"}
    assert read_json(draft.text()) == {"n": 1, "log": ["a"]}
    assert draft.changed == {}
    draft.take("2", "n")
    draft.take(draft.text("log"), "log")
    assert draft.changed == {"n": 2}
    draft.take('{"n": true, "log": ["a"], "verdict": "ok"}', WHOLE)
    assert draft.changed == {"n": True, "verdict": "ok"}
    draft.take('{"n": 1, "log": ["a"], "verdict": null}', WHOLE)
    assert draft.changed == {"verdict": None}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1]", "mapping"),
        ('{"n": 1}', "log: a channel cannot be taken away"),
        ('{"n": 1, "log": [], "key": "x"}', "key holds a secret"),
        ('{"n": 1, "log": [], "nn": 2}', "no channel nn"),
    ],
)
def test_a_whole_state_that_cannot_be_written_is_refused(text: str, said: str) -> None:
    draft = Draft(STATE, ["n", "log"])
    with pytest.raises(JsonError, match=said):
        draft.take(text)
    assert draft.changed == {}


@given(st.text(string.printable))
def test_any_text_is_json_or_says_why_not(text: str) -> None:
    with suppress(JsonError):
        read_json(text)
