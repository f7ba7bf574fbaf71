"""The small schema check agrees with ``jsonschema`` on what applications ask for."""

import builtins

import jsonschema
import pytest

from backends.worker.schema import problem

DECISION = {
    "$defs": {"Level": {"enum": ["low", "high"], "type": "string"}},
    "properties": {
        "approved": {"type": "boolean"},
        "amount": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None},
        "level": {"$ref": "#/$defs/Level"},
        "lines": {
            "type": "array",
            "items": {"type": "object", "properties": {"n": {"type": "number"}}, "required": ["n"]},
        },
    },
    "required": ["approved"],
    "type": "object",
    "additionalProperties": False,
}

CASES = [
    ({"approved": True}, DECISION),
    ({"approved": True, "amount": 3, "level": "low", "lines": [{"n": 1.5}]}, DECISION),
    ({"approved": True, "amount": None}, DECISION),
    ({"approved": "yes"}, DECISION),
    ({}, DECISION),
    ([], DECISION),
    ({"approved": True, "more": 1}, DECISION),
    ({"approved": True, "amount": "3"}, DECISION),
    ({"approved": True, "level": "middle"}, DECISION),
    ({"approved": True, "lines": [{}]}, DECISION),
    (True, {"type": "integer"}),
    (1, {"type": "boolean"}),
    (2.0, {"type": "integer"}),
    (2.5, {"type": "integer"}),
    (None, {"type": ["string", "null"]}),
    ("x", {"const": "y"}),
    ("x", {"oneOf": [{"type": "integer"}, {"type": "string"}]}),
    ("anything", True),
    ("anything", None),
    ("x", {}),
]


@pytest.fixture(params=["jsonschema", "alone"])
def checker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def importing(name: str, *rest: object) -> object:
        if name.startswith("jsonschema"):
            raise ImportError(name)
        return original(name, *rest)

    if request.param == "alone":
        monkeypatch.setattr(builtins, "__import__", importing)


@pytest.mark.parametrize(("value", "schema"), CASES)
def test_it_says_whether_a_value_fits(checker: None, value: object, schema: object):
    fits = not isinstance(schema, dict) or _fits(value, schema)
    assert (problem(value, schema) == "") is fits


def _fits(value: object, schema: dict[str, object]) -> bool:
    return bool(jsonschema.validators.validator_for(schema)(schema).is_valid(value))


def test_it_says_where(checker: None):
    assert "'n'" in problem({"approved": True, "lines": [{"n": 1}, {}]}, DECISION)
    assert "'level'" in problem({"approved": True, "level": "middle"}, DECISION)
    assert "'more'" in problem({"approved": True, "more": 1}, DECISION)


def test_a_schema_that_is_none_is_left_to_the_application(checker: None):
    assert problem(1, {"type": 7}) == ""
