"""The check of answers and inputs: held against jsonschema where the two must agree."""

from __future__ import annotations

import json
from typing import Any, Literal

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from backends.control.schema import problems


class Inner(BaseModel):
    name: str = Field(min_length=2, max_length=5)
    kind: Literal["a", "b"] = "a"


class Answer(BaseModel, extra="forbid"):
    ok: bool
    amount: int = Field(default=1, ge=0, lt=10)
    share: float | None = None
    inner: list[Inner] = []
    either: Inner | int = 3


SCHEMA = Answer.model_json_schema()


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"ok": True}, []),
        ({"ok": True, "share": None, "inner": [{"name": "ab"}], "either": {"name": "abc"}}, []),
        ({}, ["ok is missing"]),
        ({"ok": "yes"}, ["ok must be true or false"]),
        ({"ok": 1}, ["ok must be true or false"]),
        ({"ok": True, "amount": 1.5}, ["amount must be a whole number"]),
        ({"ok": True, "amount": -1}, ["amount must be at least 0"]),
        ({"ok": True, "amount": 10}, ["amount must be less than 10"]),
        ({"ok": True, "share": "x"}, ["share must be a number or null"]),
        ({"ok": True, "inner": [{"name": "a"}]}, ["inner[0].name must have a length of at least 2"]),
        ({"ok": True, "inner": [{"name": "abc", "kind": "c"}]}, ["inner[0].kind must be one of 'a', 'b'"]),
        ({"ok": True, "amuont": 1}, ["amuont is not known (did you mean amount?)"]),
        ([], ["it must be an object"]),
    ],
)
def test_problems_are_told_with_their_place(value: Any, told: list[str]) -> None:
    assert problems(value, SCHEMA) == told


KEYS = st.sampled_from(["ok", "amount", "name", "kind", "x"])
NUMBERS = st.integers(-2, 12) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner),
    max_leaves=6,
)
LIKELY = st.fixed_dictionaries(
    {"ok": st.booleans() | JSON},
    optional={
        "amount": st.integers(-2, 12) | JSON,
        "share": JSON,
        "inner": st.lists(st.fixed_dictionaries({"name": st.text(max_size=6)}, optional={"kind": JSON}), max_size=2),
        "either": JSON | st.fixed_dictionaries({"name": st.text(max_size=6)}),
    },
)


@settings(max_examples=300)
@given(JSON | LIKELY)
def test_it_agrees_with_jsonschema_on_what_pydantic_writes(value: Any) -> None:
    assert bool(problems(value, SCHEMA)) == (not jsonschema.Draft202012Validator(SCHEMA).is_valid(value))


@settings(max_examples=200)
@given(JSON, JSON)
def test_a_hostile_schema_does_no_harm(value: Any, schema: Any) -> None:
    problems(value, schema)


@pytest.mark.parametrize(
    "schema",
    [
        None,
        True,
        {"type": ["?", 3]},
        {"$ref": "#"},
        {"$ref": "https://example.org/x"},
        {"$ref": "#/none/there"},
        {"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
        {"required": 3, "properties": [], "enum": {}, "anyOf": {}, "minLength": "x"},
    ],
)
def test_what_it_does_not_know_it_lets_pass(schema: Any) -> None:
    assert problems({"x": [1]}, schema) == []


def test_an_input_may_be_a_part_of_the_state() -> None:
    schema = {"type": "object", "properties": {"messages": {"type": "array"}, "user": {}}, "required": ["messages"]}
    assert problems({"user": 1}, schema, partial=True) == []
    assert problems({"messages": "hi"}, schema, partial=True) == []
    assert problems({"mesages": "hi"}, schema, partial=True) == ["mesages is not known (did you mean messages?)"]
    assert problems("hi", schema, partial=True) == ["it must be an object"]


def test_what_it_says_is_safe_to_print() -> None:
    schema = json.loads('{"required": ["a\\u001b[31m\\n"], "enum": ["\\u202e"]}')
    assert all(one.isprintable() for one in problems({}, schema) + problems({}, {"required": ["\x1b"]}))
