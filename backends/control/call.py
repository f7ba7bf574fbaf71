"""A verb as text: the LangGraph call in Python, and the ``lgtop`` command line that does the same."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from ..address import Address
from ..runs.spec import GraphRef, Verb
from .plan import Intent

COPY, BRANCH = "copy", "branch"
"""Verbs that copy rows; all others are ``runs.spec.Verb``'s."""

_LONGEST = 4_000
"""Characters of one value that are written out."""

_MASKED = re.compile(r":•+(?=@)|(?<=[?&])\w*password=•+&?|\s*\b\w*password\s*=\s*•+")
"""A masked password in an address, with what leads to it: without it libpq asks ``PGPASSWORD`` or ``~/.pgpass``."""

_HIDDEN = "…"
_ONLY_COPIES = "# no LangGraph call: the rows are copied"


def without_secrets(intent: Intent) -> Intent:
    """The intent as it may be written down: values of configuration and context are where keys and tokens are passed.

    State and answers stay: they stand in the store anyway.
    """
    config = dict.fromkeys(intent.config, _HIDDEN)
    return replace(intent, config=config, context=None if intent.context is None else _HIDDEN)


# --- Python ----------------------------------------------------------------------------------------------------------


def python_call(intent: Intent, awaited: bool = False) -> str:
    """Write what the child calls; several lines where it is more than one call.

    Args:
        intent: What is asked for, with the checkpoint's whole id.
        awaited: Whether the graph is driven by LangGraph's asynchronous loop (``Drawing.awaited``).

    Returns:
        Python in which every text is a literal of printable characters.
    """
    write, method = _CALLS.get(intent.verb), "graph.a" if awaited else "graph."
    return _ONLY_COPIES if write is None else "\n".join(f"{method}{call}" for call in write(intent))


def _start(intent: Intent) -> Iterator[str]:
    yield _stream(intent, _literal(intent.input))


def _resume(intent: Intent) -> Iterator[str]:
    yield _stream(intent, "None")


def _retry(intent: Intent) -> Iterator[str]:
    yield _stream(intent, "None", checkpoint_id=intent.checkpoint)


def _answer(intent: Intent) -> Iterator[str]:
    yield _stream(intent, f"Command(resume={_literal(dict(intent.answers))})", __pregel_strict_resume=True)


def _fork(intent: Intent) -> Iterator[str]:
    if intent.values is None and intent.as_node is None:
        yield from _retry(intent)
        return
    yield from _edit(intent)
    if intent.run_after:
        yield from _resume(intent)


def _edit(intent: Intent) -> Iterator[str]:
    if intent.checkpoint is None:
        yield _update(intent)
    else:
        yield _update(intent, checkpoint_ns=intent.ns, checkpoint_id=intent.checkpoint)


_CALLS: Mapping[str, Callable[[Intent], Iterator[str]]] = {
    Verb.START: _start,
    Verb.RESUME: _resume,
    Verb.RETRY: _retry,
    Verb.ANSWER: _answer,
    Verb.FORK: _fork,
    Verb.EDIT: _edit,
}


def _stream(intent: Intent, given: str, **place: Any) -> str:
    options = f", durability={_literal(intent.durability)}"
    if intent.step:
        options += ', interrupt_before="*"'
    if intent.context is not None:
        options += f", context={_literal(intent.context)}"
    limit = {} if intent.recursion_limit is None else {"recursion_limit": intent.recursion_limit}
    return f"stream({given}, {_config(intent, limit, place)}{options})"


def _update(intent: Intent, **place: Any) -> str:
    as_node = "" if intent.as_node is None else f", as_node={_literal(intent.as_node)}"
    return f"update_state({_config(intent, {}, place)}, {_values(intent)}{as_node})"


def _config(intent: Intent, more: Mapping[str, Any], place: Mapping[str, Any]) -> str:
    return _literal({"configurable": {"thread_id": intent.thread_id, **intent.config, **place}, **more})


def _values(intent: Intent) -> str:
    if intent.values is None:
        return "None"
    entries = (
        f"{_literal(name)}: {f'Overwrite({_literal(value)})' if name in intent.replace else _literal(value)}"
        for name, value in intent.values.items()
    )
    return f"{{{', '.join(entries)}}}"


def _literal(value: Any) -> str:
    """``repr`` escapes what does not print; what is too long is only named."""
    text = repr(value)
    return text if len(text) <= _LONGEST else f"...  # {len(text):,} characters\n"


# --- shell -----------------------------------------------------------------------------------------------------------


def command_line(intent: Intent, graph: GraphRef | None, address: Address) -> str:
    """Write the command that does the same, quoted for a POSIX shell.

    Args:
        intent: What is asked for.
        graph: The graph that runs it.
        address: The store; its password is left out.
    """
    verb = {Verb.START: "run", Verb.RETRY: "resume", BRANCH: "fork"}.get(intent.verb, intent.verb)
    options = [*_options(intent)]
    if graph is not None and intent.verb not in (COPY, BRANCH):
        options += [("--graph", graph.name), *([("--python", graph.python)] if graph.python else ())]
        options += _run_options(intent)
    store = _option("-s", _MASKED.sub("", address.raw).rstrip("?&"))
    rest = [word for one in options for word in _option(*one)]
    places = _places(intent)
    if any(place.startswith("-") for place in places):
        words = (*store, *rest, "--", *places)
    else:
        words = (*store, *places, *rest)
    return " ".join(map(quote, ("lgtop", str(verb), *words)))


_Option: TypeAlias = tuple[str, str | None]
"""An option with its value; a flag has none."""


def _option(name: str, value: str | None) -> tuple[str, ...]:
    """The words of an option; a value that looks like an option itself has to be tied to it."""
    if value is None:
        return (name,)
    return (f"{name}={value}",) if value.startswith("-") else (name, value)


def _places(intent: Intent) -> tuple[str, ...]:
    """The words that are no options."""
    if intent.verb == Verb.START:
        return ()
    return (intent.thread_id, intent.target) if intent.verb == COPY else (intent.thread_id,)


def _options(intent: Intent) -> Iterator[_Option]:
    match intent.verb:
        case Verb.START:
            yield from (("--thread", intent.thread_id), ("--input", _json(intent.input)))
        case Verb.RETRY:
            yield "--retry", None
        case Verb.ANSWER:
            yield from _answers(intent.answers)
        case Verb.FORK | Verb.EDIT:
            yield from (*_place(intent), *_writing(intent))
        case "branch":
            yield from (*_place(intent), ("--new-thread", intent.target))


def _answers(answers: Mapping[str, Any]) -> Iterator[_Option]:
    if len(answers) == 1:
        ((key, value),) = answers.items()
        yield from (("--id", key), ("--value", _json(value)))
    else:
        yield "--values", _json(dict(answers))


def _place(intent: Intent) -> Iterator[_Option]:
    if intent.checkpoint is not None:
        yield "--checkpoint", intent.checkpoint
    if intent.ns:
        yield "--ns", intent.ns


def _writing(intent: Intent) -> Iterator[_Option]:
    if intent.values is not None:
        yield "--values", _json(dict(intent.values))
    if intent.as_node is not None:
        yield "--as-node", intent.as_node
    for channel in intent.replace:
        yield "--replace", channel
    if intent.verb == Verb.FORK and not intent.run_after:
        yield "--no-run", None


def _run_options(intent: Intent) -> Iterator[_Option]:
    if intent.verb == Verb.EDIT:
        return
    if intent.durability != "sync":
        yield "--durability", intent.durability
    if intent.step:
        yield "--step", None
    for fault in intent.faults:
        yield "--crash", fault
    if intent.recursion_limit is not None:
        yield "--recursion-limit", str(intent.recursion_limit)
    if intent.config:
        yield "--config", _json(dict(intent.config))
    if intent.context is not None:
        yield "--context", _json(intent.context)


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if len(text) <= _LONGEST else "-"  # from standard input


def quote(word: str) -> str:
    """Quote a word for a POSIX shell, so that it prints on one line whatever is in it."""
    if word.isprintable():
        return shlex.quote(word)
    data = word.encode("utf-8", "surrogateescape" if _is_escaped(word) else "surrogatepass")
    octal = "".join(chr(byte) if 0x20 < byte < 0x7F and byte not in b"\\%'-" else f"\\{byte:03o}" for byte in data)
    return f"\"$(printf '{octal}')\""


def _is_escaped(word: str) -> bool:
    return any("\udc80" <= character <= "\udcff" for character in word)
