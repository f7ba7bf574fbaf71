"""JSON as a person edits it -> objects as the graph knows them: the way back from ``present.to_json``.

Only classes that the state or the graph's schema holds already are made, and by LangGraph's own serializer.
"""

from __future__ import annotations

import base64
import binascii
import importlib
from collections.abc import Callable, Mapping
from typing import Any

from ..decode import Decoder
from ..errors import Refused
from ..model import Blob
from ..values import NdArray, Snapshotted, Typed, Value
from .classes import Name, census, check_same, is_storable, typed

_CODES = {"call": 0, "call*": 1, "call**": 2, "method": 3, "pydantic1": 4, "pydantic2": 5}
"""Extension codes (``langgraph/checkpoint/serde/jsonplus.py:317-324``)."""


class Restorer:
    """Makes objects from JSON.

    Args:
        serde: The serializer of the run.
        decoder: Turns what it writes into placeholders, for comparison.
        examples: Gives values that hold instances of classes that may be made; called when a class is first named.
        allowed: Gives more classes that may be made.
    """

    def __init__(
        self, serde: Any, decoder: Decoder, examples: Callable[[], Value], allowed: Callable[[], set[Name]]
    ) -> None:
        self._serde = serde
        self._decoder = decoder
        self._examples = examples
        self._allowed = allowed
        self._forms: dict[Name, Typed] | None = None

    def restore(self, found: Any) -> Any:
        """Return the object that a JSON value stands for; plain JSON comes back as it is.

        Raises:
            Refused: A form is not understood, cannot be undone, or names a class that is not allowed.
        """
        value = self._value(found)
        wanted = census(value)
        if not wanted and not _has_snapshot(value):
            return value
        made = self._serde.loads_typed(("msgpack", _pack(value)))
        check_same(wanted, census(self._decoder.decode(Blob(*self._serde.dumps_typed(made)))))
        return made

    def _value(self, found: Any) -> Value:
        """JSON -> placeholders."""
        match found:
            case list():
                return [self._value(item) for item in found]
            case dict() if any(key.startswith("$") for key in found):
                return self._form(found)
            case dict():
                return {key: self._value(item) for key, item in found.items()}
        return found

    def _form(self, found: Mapping[str, Any]) -> Value:
        try:
            match found:
                case {"$type": str(name), "value": data, **rest} if not rest:
                    return self._typed(name, self._value(data))
                case {"$bytes": str(text), **rest} if not rest:
                    return base64.b64decode(text, validate=True)
                case {"$float": str(text), **rest} if not rest:
                    return float(text)
                case {"$map": list(pairs), **rest} if not rest:
                    return {_key(self._value(key)): self._value(item) for key, item in pairs}
                case {
                    "$ndarray": str(text),
                    "dtype": str(dtype),
                    "shape": list(shape),
                    "order": str(order),
                    **rest,
                } if not rest:
                    return NdArray(dtype, tuple(map(int, shape)), order, base64.b64decode(text, validate=True))
                case {"$snapshot": inner, **rest} if not rest:
                    return Snapshotted(self._value(inner))
        except (ValueError, TypeError, binascii.Error) as error:
            raise Refused(f"{_shown(found)} is not understood: {error}.") from error
        if any(key in found for key in ("$secret", "$encrypted", "$undecodable", "$delta", "$deep")):
            reason = f"{_shown(found)} stands for a value that was not shown, so it cannot be written back."
            raise Refused(reason, "Leave that channel out, or write a whole new value.")
        raise Refused(
            f"{_shown(found)} is not understood.",
            'A mapping with keys that begin with $ is {"$map": [[key, value], …]}.',
        )

    def _typed(self, dotted: str, data: Value) -> Typed:
        module, _, name = dotted.rpartition(".")
        if self._forms is None:
            found = typed(self._examples())
            self._forms = {(each.module, each.name): each for each in found if isinstance(each, Typed)}
        example = self._forms.get((module, name))
        if example is not None:
            return Typed(module, name, data, example.form, example.method)
        if (module, name) not in self._allowed():
            advice = "Only classes that are in the state or in the graph's schema can be made."
            raise Refused(f"{dotted} is not a class of this state.", advice)
        return Typed(module, name, data, *_form_of((module, name), data))


def allowed_classes(graph: Any) -> set[Name]:
    """Classes that a graph's schema names, and those that LangGraph's serializer considers safe."""
    from langgraph.checkpoint.serde import _msgpack

    safe = {(name[0], name[1]) for name in getattr(_msgpack, "SAFE_MSGPACK_TYPES", ())}
    try:
        from langgraph._internal._serde import build_serde_allowlist
    except ImportError:  # another release of LangGraph keeps it elsewhere
        return safe
    schemas = list(getattr(getattr(graph, "builder", None), "schemas", ()))
    return safe | {(name[0], name[1]) for name in build_serde_allowlist(schemas=schemas, channels=graph.channels)}


def _form_of(name: Name, data: Value) -> tuple[str, str | None]:
    """How LangGraph writes a class of which the state has no instance (``jsonplus.py:327-511``)."""
    found = getattr(importlib.import_module(name[0]), name[1], None)
    if not is_storable(name, found):
        raise Refused(f"{'.'.join(name)} is nothing that LangGraph's serializer writes.")
    if hasattr(found, "model_dump"):
        return "pydantic2", "model_validate_json"
    if hasattr(found, "fromisoformat") and isinstance(data, str):
        return "method", "fromisoformat"
    if isinstance(data, dict):
        return "call**", None
    several = isinstance(data, list) and not (isinstance(found, type) and issubclass(found, set | frozenset))
    return ("call*" if several and name[1] != "deque" else "call"), None


def _pack(value: Value) -> bytes:
    import ormsgpack

    def extension(each: Any) -> Any:
        match each:
            case Typed(module, name, data, form, method):
                parts = (module, name, data) if method is None else (module, name, data, method)
                return ormsgpack.Ext(_CODES[form], _pack(parts))
            case NdArray(dtype, shape, order, data):
                return ormsgpack.Ext(6, _pack((dtype, shape, order, data)))
            case Snapshotted(value=inner):
                return ormsgpack.Ext(7, _pack(inner))
        raise TypeError(type(each).__name__)

    return ormsgpack.packb(
        value, default=extension, option=ormsgpack.OPT_NON_STR_KEYS | ormsgpack.OPT_PASSTHROUGH_DATACLASS
    )


def _key(value: Value) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _has_snapshot(value: Value) -> bool:
    match value:
        case Snapshotted():
            return True
        case list():
            return any(map(_has_snapshot, value))
        case dict():
            return any(map(_has_snapshot, value.values()))
    return False


def _shown(found: Mapping[str, Any]) -> str:
    return f"{{{', '.join(found)}}}"
