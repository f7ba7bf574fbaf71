"""Keys that a person chose, checked before Textual sees them.

``App.set_keymap`` takes another binding's key away without a word; here a clash is an error that names both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches

from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import KEY_ALIASES, Keys

_UNSAFE = {
    "ctrl+i": "terminals send it as tab",
    "ctrl+j": "terminals send it as enter",
    "ctrl+m": "terminals send it as enter",
    "ctrl+h": "terminals send it as backspace",
    "ctrl+s": "terminals stop their output with it",
    "ctrl+q": "terminals resume their output with it",
}


class KeymapError(ValueError):
    """The chosen keys cannot be used; the message says which and why."""


def groups() -> list[list[Binding]]:
    """The bindings that a person meets at the same time: those of the app, a screen, and a widget in it."""
    from .app import LgtopApp
    from .demo.app import DemoApp
    from .demo.screen import TourScreen
    from .dialogs.answer import Answer
    from .dialogs.ask_text import AskText
    from .dialogs.bulk_answer import BulkAnswer
    from .dialogs.bulk_choose import BulkChoose, Offers
    from .dialogs.bulk_preview import BulkPreview
    from .dialogs.bulk_prune import BulkPrune
    from .dialogs.choose import Choices, Choose
    from .dialogs.confirm import Confirm
    from .dialogs.edit import Edit
    from .dialogs.fault import ChooseFault
    from .dialogs.give_input import GiveInput
    from .dialogs.help import Help, HelpLines
    from .dialogs.preview import Preview
    from .dialogs.quit import Quit
    from .dialogs.start import Start
    from .screens.actions import ActionsScreen
    from .screens.bulk import BulkScreen
    from .screens.inbox import InboxScreen
    from .screens.lab import LabScreen
    from .screens.run import RunScreen
    from .screens.runs import RunsScreen
    from .screens.thread import ThreadScreen
    from .screens.threads import ThreadsScreen
    from .widgets.action_list import ActionList
    from .widgets.bulk_list import BulkList
    from .widgets.event_lines import EventLines
    from .widgets.fate_table import FateTable
    from .widgets.fault_pane import FaultGraph
    from .widgets.filter_input import FilterInput
    from .widgets.form import FieldInput, Form
    from .widgets.graph_view import GraphView
    from .widgets.history import History
    from .widgets.json_area import JsonArea
    from .widgets.outline_search import SearchableOutline
    from .widgets.picker import Picker
    from .widgets.questions import Questions
    from .widgets.run_list import RunList
    from .widgets.sheet import Sheet
    from .widgets.thread_list import ThreadList

    together: list[tuple[type[DOMNode], type[DOMNode]]] = [
        (ThreadsScreen, ThreadList),
        (ThreadsScreen, FilterInput),
        (InboxScreen, Questions),
        (ThreadScreen, History),
        (ThreadScreen, SearchableOutline),
        (ThreadScreen, GraphView),
        (RunsScreen, RunList),
        (RunScreen, EventLines),
        (ActionsScreen, ActionList),
        (BulkScreen, BulkList),
        (LabScreen, FaultGraph),
        (LabScreen, FateTable),
        (ChooseFault, FaultGraph),
        (Choose, Choices),
        (Help, HelpLines),
        (Preview, Sheet),
        (BulkPreview, Sheet),
        (BulkPreview, FieldInput),
        (BulkChoose, Offers),
        (Confirm, Sheet),
        (Quit, Choices),
        (AskText, FieldInput),
        *(
            (dialog, widget)
            for dialog in (Answer, Start, Edit, GiveInput, BulkAnswer, BulkPrune)
            for widget in (Form, FieldInput, Picker, JsonArea)
        ),
    ]
    tour = [*_bindings(DemoApp), *_bindings(TourScreen), *_bindings(ThreadList)]
    return [*([*_bindings(LgtopApp), *_bindings(screen), *_bindings(widget)] for screen, widget in together), tour]


def checked(overrides: Mapping[str, str], groups: Iterable[Iterable[Binding]]) -> dict[str, str]:
    """Check a keymap against the bindings that are active together.

    Args:
        overrides: Keys by binding id, e.g. ``{"threads.filter": "f,slash"}``.
        groups: What ``groups`` says.

    Returns:
        The keymap for ``App.set_keymap``.

    Raises:
        KeymapError: For an unknown id, an unknown or unsafe key, or one key for two actions.
    """
    sets = [[binding for binding in group if binding.id] for group in groups]
    known = {binding.id for group in sets for binding in group if binding.id}
    result: dict[str, str] = {}
    for name, keys in overrides.items():
        if name not in known:
            raise KeymapError(f"There is no action {name!r}.{_meant(name, known)}")
        result[name] = ",".join(_key(key.strip(), name) for key in keys.split(","))
    for group in sets:
        _check_clashes(group, result)
    return result


def _bindings(node: type[DOMNode]) -> Iterator[Binding]:
    """Bindings with an id that a class declares or inherits from another class of ours."""
    seen: set[str] = set()
    for base in node.__mro__:
        for binding in vars(base).get("BINDINGS", ()):
            if isinstance(binding, Binding) and binding.id and binding.id not in seen:
                seen.add(binding.id)
                yield binding


def _check_clashes(group: Iterable[Binding], overrides: Mapping[str, str]) -> None:
    """Refuse one key for two actions that are active together, unless both had it from the start."""
    taken: dict[str, Binding] = {}
    for binding in group:
        keys = overrides.get(binding.id or "", binding.key)
        for key in keys.split(","):
            other = taken.setdefault(key, binding)
            if other.id != binding.id and {other.id, binding.id} & overrides.keys():
                raise KeymapError(f"The key {key!r} would mean both {other.id!r} and {binding.id!r}.")


def _key(key: str, name: str) -> str:
    """Check one key name."""
    if key in _UNSAFE:
        raise KeymapError(f"The key {key!r} for {name!r} never arrives: {_UNSAFE[key]}.")
    last = key.rsplit("+", 1)[-1]
    named = last in {known.value for known in Keys} or last in KEY_ALIASES or last.isidentifier()
    if not key or not (len(last) == 1 or named):
        raise KeymapError(f"{key!r} for {name!r} is not a key.")
    return key


def _meant(name: str, known: Iterable[str]) -> str:
    """Suggest the nearest id."""
    near = get_close_matches(name, list(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
