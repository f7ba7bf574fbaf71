"""Chat messages, in every form in which a store holds them.

As a LangChain class (MessagePack extension or ``lc`` envelope, both ``Typed`` by now), as a plain mapping with ``type``
and ``content`` (LangChain's ``model_dump``), or as one with ``role`` and ``content`` (OpenAI's form).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from .values import Typed, Value

_ROLES = {
    "HumanMessage": "human",
    "HumanMessageChunk": "human",
    "AIMessage": "ai",
    "AIMessageChunk": "ai",
    "SystemMessage": "system",
    "SystemMessageChunk": "system",
    "ToolMessage": "tool",
    "ToolMessageChunk": "tool",
    "FunctionMessage": "function",
    "FunctionMessageChunk": "function",
    "ChatMessage": "chat",
    "ChatMessageChunk": "chat",
    "RemoveMessage": "remove",
}
"""Classes of ``langchain_core.messages`` and the ``type`` that each writes."""

_TYPES = frozenset(_ROLES.values()) | frozenset(_ROLES)
_OPENAI_ROLES = frozenset(("user", "assistant", "system", "developer", "tool", "function"))


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model's wish to call a tool: its name, its arguments (a mapping, or JSON text), and its id."""

    name: str
    args: Value
    id: str | None


@dataclass(frozen=True, slots=True)
class Message:
    """A chat message.

    Attributes:
        role: ``human``, ``ai``, ``system``, ``tool``, ... or the role as stored.
        text: The text of its content; other parts as ``[image_url]``.
        name: Name of the speaker or of the tool.
        id: Message id.
        tool_calls: The calls that the model asks for.
        value: The value that it was read from.
    """

    role: str
    text: str
    name: str | None
    id: str | None
    tool_calls: tuple[ToolCall, ...]
    value: Value


def as_message(value: Value, limit: int | None = None) -> Message | None:
    """Read a value as a chat message.

    Args:
        value: Any decoded value.
        limit: Stop collecting once there are so many characters of text, or so many tool calls; ``None`` for all.

    Returns:
        The message, or ``None`` for a value that is none.
    """
    role = _role(value)
    if role is None:
        return None
    fields = _fields(value)
    return Message(
        role=role,
        text=_text(fields.get("content"), limit),
        name=_string(fields.get("name")),
        id=_string(fields.get("id")),
        tool_calls=tuple(islice(_tool_calls(fields), limit)),
        value=value,
    )


def is_message(value: Value) -> bool:
    """Whether ``as_message`` would return one; costs no text."""
    return _role(value) is not None


def _fields(value: Value) -> Mapping[Value, Value]:
    fields = value.data if isinstance(value, Typed) else value
    return fields if isinstance(fields, dict) else {}


def _role(value: Value) -> str | None:
    fields = _fields(value)
    if isinstance(value, Typed):
        if value.name in _ROLES and ("content" in fields or value.name == "RemoveMessage"):
            stored = _string(fields.get("role")) if value.name.startswith("ChatMessage") else None
            return stored or _ROLES[value.name]
        if value.form == "call" or "content" not in fields:
            return None
        kind = fields.get("type")  # an application's own subclass
        return _ROLES.get(kind, kind) if isinstance(kind, str) and kind in _TYPES else None
    content = fields.get("content", 0)
    if not (content is None or isinstance(content, str | list)):
        return None
    kind, role = fields.get("type"), fields.get("role")
    if isinstance(kind, str) and kind in _TYPES:
        return _ROLES.get(kind, kind)
    return role if isinstance(role, str) and role in _OPENAI_ROLES else None


def _string(value: Value) -> str | None:
    return value if isinstance(value, str) and value else None


def _text(content: Value, limit: int | None) -> str:
    """Collect the text of a message's content: a string, or a list of strings and blocks."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts: list[str] = []
    length = 0
    for block in content:
        part = _block_text(block)
        if part:
            parts.append(part)
            length += len(part) + 1
        if limit is not None and length > limit:
            break
    return "\n".join(parts)


def _block_text(block: Value) -> str:
    if isinstance(block, str):
        return block
    if not isinstance(block, dict):
        return ""
    text, kind = block.get("text"), block.get("type")
    if isinstance(text, str):
        return text
    if kind in ("tool_use", "tool_call", "function_call"):
        return ""  # the same call stands in ``tool_calls``
    return f"[{kind}]" if isinstance(kind, str) else ""


def _tool_calls(fields: Mapping[Value, Value]) -> Iterator[ToolCall]:
    calls = fields.get("tool_calls")
    if not calls:
        extra = fields.get("additional_kwargs")
        calls = extra.get("tool_calls") if isinstance(extra, dict) else None
    for call in calls if isinstance(calls, list) else ():
        if not isinstance(call, dict):
            continue
        function = call.get("function")  # OpenAI nests name and arguments
        inner = function if isinstance(function, dict) else call
        name = _string(inner.get("name"))
        if name is not None:
            yield ToolCall(name, inner.get("args", inner.get("arguments")), _string(call.get("id")))
