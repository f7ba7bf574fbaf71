"""Whether a JSON value fits a JSON Schema: by ``jsonschema`` where the project has it, else by its common words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}


def problem(value: Any, schema: Any) -> str:
    """Return what is wrong with a value, in one phrase; an empty text when it fits or there is no schema."""
    if not isinstance(schema, Mapping):
        return ""
    try:
        from jsonschema import ValidationError, validators
        from jsonschema.exceptions import SchemaError
    except ImportError:
        return _problem(value, schema, schema, "")
    checker = validators.validator_for(schema)
    try:
        checker.check_schema({**schema})
        checker({**schema}).validate(value)
    except ValidationError as error:
        where = "".join(f"[{part!r}]" for part in error.absolute_path)
        return f"{where} {error.message}".strip()
    except SchemaError:
        return ""  # the application's schema is none: LangGraph checks the answer itself
    return ""


def _problem(value: Any, schema: Any, root: Mapping[str, Any], where: str) -> str:
    if not isinstance(schema, Mapping):
        return "" if schema is not False else f"{where} is not allowed".strip()
    if isinstance(reference := schema.get("$ref"), str):
        return _problem(value, _referred(reference, root), root, where)
    choices = schema.get("anyOf") or schema.get("oneOf")
    if isinstance(choices, list) and choices:
        found = [_problem(value, choice, root, where) for choice in choices]
        if all(found):
            return found[0]
    if "const" in schema and value != schema["const"]:
        return f"{where} must be {schema['const']!r}".strip()
    if isinstance(allowed := schema.get("enum"), list) and value not in allowed:
        return f"{where} {value!r} is not one of {allowed!r}".strip()
    return _wrong_type(value, schema.get("type"), where) or _inside(value, schema, root, where)


def _wrong_type(value: Any, wanted: Any, where: str) -> str:
    names = [wanted] if isinstance(wanted, str) else wanted if isinstance(wanted, list) else []
    if not names or any(_is(value, name) for name in names):
        return ""
    return f"{where} {value!r} is not of type {' or '.join(map(str, names))}".strip()


def _is(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    if name == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES.get(name, (object,)))


def _inside(value: Any, schema: Mapping[str, Any], root: Mapping[str, Any], where: str) -> str:
    if isinstance(value, list):
        found = (_problem(item, schema.get("items"), root, f"{where}[{n}]") for n, item in enumerate(value))
        return next(filter(None, found), "")
    if not isinstance(value, dict):
        return ""
    for name in schema.get("required", ()):
        if name not in value:
            return f"{where} lacks {name!r}".strip()
    known = schema.get("properties", {})
    if schema.get("additionalProperties") is False and (extra := set(value) - set(known)):
        return f"{where} has {sorted(extra)[0]!r}, which is not asked for".strip()
    found = (_problem(value[name], known[name], root, f"{where}[{name!r}]") for name in known if name in value)
    return next(filter(None, found), "")


def _referred(reference: str, root: Mapping[str, Any]) -> Any:
    found: Any = root
    for part in reference.removeprefix("#/").split("/"):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
