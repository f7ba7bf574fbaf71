"""What the dialogs that control a thread look like, at 80×24 and at 120×40."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from backends.control.plan import Intent, Plan
from backends.graphs.drawing import Drawing, Node
from backends.model import Interrupt
from backends.runs.spec import GraphRef
from tui.dialogs.answer import Answer
from tui.dialogs.ask_text import AskText
from tui.dialogs.edit import Edit
from tui.dialogs.modal import Modal
from tui.dialogs.preview import Preview
from tui.dialogs.start import Start
from tui.forms.draft import Draft

from .conftest import SHOP, ScriptedApp, everything, scripted, settled, wait_for, wait_for_text

SIZES = [(80, 24), (120, 40)]

GRAPH = GraphRef("./flows/loans.py:graph", "/srv/shop", "loans")
OTHER = GraphRef("shop.flows:orders", "/srv/shop", "orders")

PLAN = Plan(
    Intent("resume", "loan-0042"),
    GRAPH,
    "1f0c",
    "resume loan-0042: runs review and audit",
    runs=("review", "audit × 3"),
    reuses=("lookup",),
    asks=("dc424276500043e38e5ff87bbb19d02a",),
    notes=("The question of review is asked again: its answer was never saved.",),
    warnings=(
        "The head has moved since you looked: step 3 is now step 4.",
        "The store names nodes that the graph does not have: legacy_review.",
    ),
    python="graph.astream(None, {'configurable': {'thread_id': 'loan-0042'}}, durability='sync')",
    command="lgtop resume -s /data/shop.sqlite --graph ./flows/loans.py:graph loan-0042",
)

REFUSED = replace(
    PLAN,
    refusal="Thread loan-0042 is already running: run 1121-0910-k3f2 · you@laptop · pid 4312. Wait for it, or stop it.",
    runs=(),
    reuses=(),
    asks=(),
    notes=(),
    warnings=(),
)

SCHEMA = {
    "type": "object",
    "properties": {
        "approved": {"type": "boolean", "description": "May the money be spent?"},
        "comment": {"type": "string", "default": "", "description": "For the person who asked"},
        "limit": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None},
    },
    "required": ["approved"],
}
BUDGET = Interrupt(
    "i1",
    {"question": "Does the budget allow 12,000 €?", "letter": "Request for 12,000 € for a stand at the fair. " * 4},
    "finance",
    "t1",
    "",
    SCHEMA,
)
MAIL = Interrupt(
    "i2",
    [
        {
            "action_request": {"action": "send_mail", "args": {"to": "bob@example.com", "body": "Hello"}},
            "config": {"allow_accept": True, "allow_edit": True, "allow_respond": True, "allow_ignore": True},
            "description": "Tell Bob that the stand is booked.",
        }
    ],
    "mail",
    "t2",
    "",
)
NAME = Interrupt("i3", "Under which name?", "ask", "t3", "")

STATE = {
    "amount": 12000,
    "notes": "line one\nline two",
    "messages": [{"$type": "langchain_core.messages.ai.AIMessage", "value": {"content": "Read 12 words.", "id": "a1"}}],
    "key": {"$secret": "SecretStr"},
}
DRAWING = Drawing(
    "loans",
    tuple(map(Node, ("__start__", "lookup", "review", "write", "__end__"))),
    input_schema={
        "type": "object",
        "properties": {"purpose": {"type": "string", "description": "What for"}, "amount": {"type": "integer"}},
        "required": ["purpose", "amount"],
    },
    next_after={"lookup": ("review",), "review": None, "write": ()},
)


async def _make(intent: Intent) -> Plan:
    return replace(PLAN, intent=intent)


LOOKS: dict[str, tuple[Callable[[], Modal[object]], tuple[str, ...], str]] = {
    "preview": (lambda: Preview(PLAN, _make), (), "do it"),
    "preview-other": (lambda: Preview(PLAN, _make), ("d", "s", "t"), "one superstep"),
    "refused": (lambda: Preview(REFUSED, _make), (), "refused"),
    "answer": (lambda: Answer("fair-stand", "1f0c", [BUDGET, MAIL]), ("y", "down"), "For the person"),
    "answer-wrong": (lambda: Answer("fair-stand", "1f0c", [BUDGET, MAIL]), ("ctrl+o",), "✖ approved"),
    "review": (lambda: Answer("fair-stand", "1f0c", [BUDGET, MAIL], 1), ("right",), "1/4"),
    "json": (lambda: Answer("fair-stand", "1f0c", [NAME]), ('"',), "@path"),
    "edit": (lambda: Edit("Edit · loan-0042", Intent("edit", "loan-0042"), Draft(STATE), GRAPH, DRAWING), (), "2"),
    "edit-channel": (
        lambda: Edit("Edit · loan-0042", Intent("edit", "loan-0042"), Draft(STATE), GRAPH, DRAWING),
        ("n", "tab", "tab", "l"),
        "next: review",
    ),
    "start": (lambda: Start([GRAPH, OTHER], "loan-0044"), (), "What for"),
    "ask": (lambda: AskText("New thread", "loan-0042-20261121-0910-k3", "id of the copy"), (), "id of the copy"),
}
"""The dialog, keys, and the text to wait for."""


async def _drawing(graph: GraphRef) -> Drawing:
    return DRAWING


Act = Callable[[Pilot[None]], Awaitable[None]]


def app_with(dialog: Callable[[], Modal[object]], keys: tuple[str, ...], until: str) -> tuple[ScriptedApp, Act]:
    app = scripted(readonly=False)

    async def act(pilot: Pilot[None]) -> None:
        await pilot.pause()
        app.tell(*everything(SHOP))
        await wait_for_text(pilot, "done")
        await settled(pilot)
        app.control.drawing = _drawing  # type: ignore[method-assign]
        screen = dialog()
        app.push_screen(screen)
        await wait_for(pilot, lambda: app.screen is screen and screen.focused is not None)
        await pilot.pause()
        await pilot.press(*keys)
        await wait_for_text(pilot, until)
        await settled(pilot)

    return app, act


@pytest.mark.parametrize("size", SIZES, ids=["small", "large"])
@pytest.mark.parametrize("look", LOOKS)
def test_look(snap_compare: Callable[..., bool], look: str, size: tuple[int, int]) -> None:
    app, act = app_with(*LOOKS[look])
    assert snap_compare(app, terminal_size=size, run_before=act)


@pytest.mark.parametrize("theme", ["lgtop-light", "lgtop-16"])
def test_themes(snap_compare: Callable[..., bool], theme: str) -> None:
    app, act = app_with(*LOOKS["answer"])

    async def other(pilot: Pilot[None]) -> None:
        app.theme = theme
        await act(pilot)

    assert snap_compare(app, terminal_size=(80, 24), run_before=other)
