"""Questions that show what an agent wants to do and offer the same few answers: approve, edit, respond, ignore.

Two shapes are common. The agent inbox asks with ``[{"action_request": {"action", "args"}, "config": {"allow_accept",
...}}]`` and takes ``[{"type": "accept" | "edit" | "response" | "ignore", "args": ...}]`` (``HumanInterrupt`` and
``HumanResponse``, ``langgraph/prebuilt/interrupt.py``). LangChain's human-in-the-loop middleware asks with
``{"action_requests": [{"name", "args"}], "review_configs": [{"action_name", "allowed_decisions"}]}`` and takes
``{"decisions": [{"type": "approve" | "edit" | "reject" | "respond", ...}]}``, a decision for each request
(``langchain/agents/middleware/human_in_the_loop.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from .field import Field, FieldError, Kind

_DECISION: Final = "decision"
_ARGUMENTS: Final = "arguments"
_MESSAGE: Final = "message"

_INBOX: Final = {
    "allow_accept": "approve",
    "allow_edit": "edit",
    "allow_respond": "respond",
    "allow_ignore": "ignore",
}
_SENT: Final = {"approve": "accept", "edit": "edit", "respond": "response", "ignore": "ignore"}
"""What the agent inbox calls our words."""

_DECISIONS: Final = ("approve", "edit", "reject", "respond")
"""What the middleware allows."""

_TALKING: Final = ("respond", "reject")
"""Decisions that a message goes with."""


@dataclass(frozen=True, slots=True)
class Request:
    """One thing that an agent wants to do.

    Attributes:
        name: The action; untrusted.
        arguments: Its arguments.
        decisions: What may be decided.
        note: What the agent says about it; untrusted.
    """

    name: str
    arguments: Any
    decisions: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class ReviewShape:
    """The answer to a review.

    Attributes:
        requests: What is to be decided, in order.
        inbox: Whether the agent inbox's words are used; else the middleware's.
        fields: Decision, arguments and message of each request, as far as they make sense.
    """

    requests: tuple[Request, ...]
    inbox: bool
    fields: tuple[Field, ...]

    def value(self, given: Mapping[str, Any]) -> Any:
        """The answer.

        Raises:
            FieldError: What was decided does not go with what was filled in.
        """
        answers = [self._answer(number, request, given) for number, request in enumerate(self.requests)]
        return answers if self.inbox else {"decisions": answers}

    def draft(self, given: Mapping[str, Any]) -> Any:
        """The answer that goes with the decisions made so far; the first that is allowed stands for the others."""
        answers = []
        for number, request in enumerate(self.requests):
            name = partial(_name, number=number, count=len(self.requests))
            decision = given.get(name(_DECISION), request.decisions[0])
            arguments, message = given.get(name(_ARGUMENTS), request.arguments), given.get(name(_MESSAGE), "")
            answers.append((_inbox if self.inbox else _plain)(decision, request, arguments, message))
        return answers if self.inbox else {"decisions": answers}

    def given(self, value: Any) -> Mapping[str, Any] | None:
        """Nothing: an answer that is written as JSON is not taken apart again."""
        return None

    def _answer(self, number: int, request: Request, given: Mapping[str, Any]) -> Mapping[str, Any]:
        names = {part: _name(part, number, len(self.requests)) for part in (_DECISION, _ARGUMENTS, _MESSAGE)}
        decision = given[names[_DECISION]]
        message = given.get(names[_MESSAGE], "")
        arguments = given.get(names[_ARGUMENTS], request.arguments)
        if decision != "edit" and arguments != request.arguments:
            raise FieldError(names[_ARGUMENTS], f"changed, but the decision is to {decision}: choose edit")
        if message and decision not in _TALKING:
            raise FieldError(names[_MESSAGE], f"does not go with the decision to {decision}")
        if not message and decision == "respond":
            raise FieldError(names[_MESSAGE], "say what to respond")
        return (
            _inbox(decision, request, arguments, message)
            if self.inbox
            else _plain(decision, request, arguments, message)
        )


def _inbox(decision: str, request: Request, arguments: Any, message: str) -> Mapping[str, Any]:
    """A ``HumanResponse``."""
    edited = {"action": request.name, "args": arguments}
    said: Any = edited if decision == "edit" else message if decision == "respond" else None
    return {"type": _SENT[decision], "args": said}


def _plain(decision: str, request: Request, arguments: Any, message: str) -> Mapping[str, Any]:
    """A ``Decision``."""
    if decision == "edit":
        return {"type": decision, "edited_action": {"name": request.name, "args": arguments}}
    return {"type": decision, "message": message} if message else {"type": decision}


def shape_of_review(question: Any) -> ReviewShape | None:
    """Recognise a review.

    Args:
        question: What was asked, as JSON; untrusted.

    Returns:
        ``None`` for any other question, and for a review that allows nothing that is known here.
    """
    middleware = isinstance(question, Mapping) and isinstance(question.get("action_requests"), list)
    requests = _middleware_requests(question) if middleware else _inbox_requests(question)
    if not requests or not all(request.decisions for request in requests):
        return None
    count = len(requests)
    fields = (field for number, request in enumerate(requests) for field in _fields(request, number, count))
    return ReviewShape(requests, not middleware, tuple(fields))


def _inbox_requests(question: Any) -> tuple[Request, ...]:
    match question:
        case [{"action_request": {"action": str(name), **rest}, **more}]:
            pass
        case {"action_request": {"action": str(name), **rest}, **more}:
            pass
        case _:
            return ()
    config = more.get("config")
    allowed = config if isinstance(config, Mapping) else {}
    decisions = tuple(word for key, word in _INBOX.items() if allowed.get(key) is True)
    return (Request(name, rest.get("args"), decisions, _text(more.get("description"))),)


def _middleware_requests(question: Mapping[str, Any]) -> tuple[Request, ...]:
    configs = question.get("review_configs")
    allowed = {
        config["action_name"]: config.get("allowed_decisions")
        for config in (configs if isinstance(configs, list) else ())
        if isinstance(config, Mapping) and isinstance(config.get("action_name"), str)
    }
    found = []
    for one in question["action_requests"]:
        if not isinstance(one, Mapping) or not isinstance(name := one.get("name", one.get("action")), str):
            return ()
        words = allowed.get(name)
        decisions = tuple(word for word in _DECISIONS if word in words) if isinstance(words, list) else _DECISIONS[:3]
        found.append(Request(name, one.get("args", one.get("arguments")), decisions, _text(one.get("description"))))
    return tuple(found)


def _fields(request: Request, number: int, count: int) -> list[Field]:
    """The fields of one request; its name stands in their notes."""
    decision, arguments, message = (_name(part, number, count) for part in (_DECISION, _ARGUMENTS, _MESSAGE))
    options = tuple((word, word) for word in request.decisions)
    about = request.note or f"what to do about {request.name}"
    fields = [Field(decision, Kind.CHOICE, about, options=options)]
    if "edit" in request.decisions:
        note = f"of {request.name}; for edit"
        fields.append(Field(arguments, Kind.JSON, note, nullable=True, default=request.arguments))
    if talking := [word for word in _TALKING if word in request.decisions]:
        fields.append(Field(message, Kind.TEXT, f"for {' and '.join(talking)}", required=False))
    return fields


def _name(part: str, number: int, count: int) -> str:
    return part if count == 1 else f"{number + 1} {part}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
