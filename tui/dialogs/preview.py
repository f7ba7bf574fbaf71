"""What a verb would do, before it does it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from backends.control.plan import Intent, Plan
from backends.errors import StoreError
from backends.runs.spec import Verb
from backends.text import one_line

from ..widgets.key_bar import KeyBar
from ..widgets.lines import Lines
from ..widgets.sheet import Paragraph, Sheet
from .modal import Modal

if TYPE_CHECKING:
    from ..app import LgtopApp

_RUNNING: Final = (Verb.START, Verb.RESUME, Verb.RETRY, Verb.ANSWER, Verb.FORK)
"""Verbs after which nodes run."""

DURABILITIES: Final = {
    "sync": "sync: saved before the next step begins",
    "async": "async: saved while the next step runs",
    "exit": "exit: saved only when the run ends; a crash loses all of it",
}
"""Ways of saving, and what each means."""

_CHROME: Final = 6
"""Lines of the frame, its title and its keys."""

_SIDES: Final = 4
"""Cells of the frame."""

_WIDTH: Final = 78


class Preview(Modal[Plan | None]):
    """Shows a plan; answers with the one to carry out, or with ``None``.

    Args:
        plan: The plan.
        make: Makes another, when the person wants it done in another way.
    """

    AUTO_FOCUS = "Sheet"
    BINDING_GROUP_TITLE = "Preview"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "accept", "do it", key_display="↵", priority=True, id="preview.accept", tooltip="Do it"),
        Binding("escape", "close", "no", key_display="esc", id="dialog.close", tooltip="Close; change nothing"),
        Binding("d", "durability", "durability", id="preview.durability", tooltip="Save sync, async or on exit"),
        Binding("s", "step", "single step", id="preview.step", tooltip="Run one superstep only, or all"),
        Binding("t", "whole", "whole step", id="preview.whole", tooltip="Run every task of the step again, or resume"),
        Binding("x", "crash", "crash", id="preview.crash", tooltip="Crash the run at a node, or not"),
        Binding("y", "copy", "copy", id="preview.copy", tooltip="Copy the lgtop command that does the same"),
    ]

    def __init__(self, plan: Plan, make: Callable[[Intent], Awaitable[Plan]]) -> None:
        super().__init__()
        self.plan = plan
        self._make = make
        self._asked = plan.intent
        self._accepted = False

    def compose(self) -> ComposeResult:
        """A frame with the plan in it."""
        with Vertical(classes="dialog"):
            yield Static(classes="dialog-title", markup=False)
            yield Sheet()
            yield KeyBar()

    def on_mount(self) -> None:
        """Show the plan."""
        self._show(self.plan)

    def on_resize(self) -> None:
        """Make the frame as high as what is in it."""
        self._fit()

    def _show(self, plan: Plan) -> None:
        self.plan = plan
        title = f"✖ {plan.verb} {plan.intent.thread_id}" if plan.refusal else plan.summary
        self.query_one(".dialog-title", Static).update(one_line(title, 200))
        self.query_one(Sheet).show(list(paragraphs(plan)))
        self._fit()
        self.refresh_bindings()

    def _fit(self) -> None:
        frame = self.query_one(".dialog")
        width = min(_WIDTH, self.size.width) - _SIDES
        frame.styles.height = self.query_one(Sheet).height_at(width) + _CHROME

    # Another way

    @property
    def _wanted(self) -> Intent:
        """What the keys pressed so far come to: the next one may come before there is a plan of it."""
        return self._asked if self.is_busy("plan") else self.plan.intent

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What makes no sense here is not offered; what cannot be done is dimmed."""
        verb = self.plan.verb
        if action in ("durability", "step", "crash"):
            return _runs(self.plan)
        if action == "whole":
            return verb in (Verb.RESUME, Verb.RETRY)
        if action == "accept":
            return None if self.plan.refusal else True
        if action == "copy":
            return bool(self.plan.command)
        return super().check_action(action, parameters)

    def action_durability(self) -> None:
        """Save in another way."""
        names = list(DURABILITIES)
        place = names.index(self._wanted.durability) if self._wanted.durability in names else -1
        self._change(replace(self._wanted, durability=names[(place + 1) % len(names)]))

    def action_step(self) -> None:
        """Stop after one superstep, or not."""
        self._change(replace(self._wanted, step=not self._wanted.step))

    def action_whole(self) -> None:
        """Run every task of the step again, or only what is not finished."""
        other = Verb.RETRY if self._wanted.verb == Verb.RESUME else Verb.RESUME
        self._change(replace(self._wanted, verb=other.value))

    @work(exclusive=True, group="crash", exit_on_error=False)
    async def action_crash(self) -> None:
        """Choose where the run is struck."""
        from ..verbs.crash import allowed, choose_strike

        app, plan = cast("LgtopApp", self.app), self.plan
        if plan.graph is None or not await allowed(app):
            return
        strike = await choose_strike(app, plan.graph, plan.intent.faults, plan.runs)
        if strike is not None:
            self._change(replace(self._wanted, faults=strike.specs))

    def _change(self, intent: Intent) -> None:
        """Ask for another plan, which is to be agreed to anew."""
        self._asked, self._accepted = intent, False
        self._again(intent)

    @work(exclusive=True, group="plan", exit_on_error=False)
    async def _again(self, intent: Intent) -> None:
        seen = self.plan
        try:
            self._show(await self._make(intent))
        except StoreError as error:
            self.app.notify(str(error), severity="error")
        else:
            if self._accepted:
                self._accept_unless_new(seen)

    # The end

    def action_accept(self) -> None:
        """Carry the plan out; one that is still being made, when it is there."""
        if self.is_busy("plan"):
            self._accepted = True
        else:
            self.dismiss(self.plan)

    def _accept_unless_new(self, seen: Plan) -> None:
        """Carry out what was agreed to before it was there, if it says nothing that the person has not read."""
        if self.plan.refusal or not set(self.plan.warnings) <= set(seen.warnings):
            self.app.notify("Not done yet: the plan has changed. Read it, and agree again.", severity="warning")
        else:
            self.dismiss(self.plan)

    def on_lines_activated(self, event: Lines.Activated) -> None:
        """A double click on the text is nothing."""
        event.stop()

    def action_copy(self) -> None:
        """Copy the command."""
        cast("LgtopApp", self.app).copy(self.plan.command, "command")


def _runs(plan: Plan) -> bool:
    """Whether nodes run once it is done."""
    return not plan.refusal and plan.verb in _RUNNING and (plan.verb != Verb.FORK or plan.intent.run_after)


def paragraphs(plan: Plan) -> Iterator[Paragraph]:
    """What there is to say about a plan."""
    if plan.refusal:
        yield Paragraph(plan.refusal, "refused", "error")
        yield Paragraph()
    intent = plan.intent
    if plan.graph is not None:
        name, target = plan.graph.name, plan.graph.target
        yield Paragraph(name if name == target else f"{name}  {target}", "graph")
    for label, names in (("runs", plan.runs), ("reuses", plan.reuses), ("asks again", plan.asks)):
        if names:
            yield Paragraph(", ".join(names), label, "strong" if label == "runs" else "foreground")
    if _runs(plan):
        yield Paragraph(DURABILITIES.get(intent.durability, intent.durability), "saves")
        if intent.faults:
            yield Paragraph(", ".join(intent.faults), "crashes", "warning")
        if intent.step:
            yield Paragraph("one superstep, then it pauses", "until")
    yield from _listed("warning", plan.warnings, "warning")
    yield from _listed("note", plan.notes, "foreground")
    if not plan.refusal:
        for label, text in (("python", plan.python), ("command", plan.command)):
            if text:
                yield Paragraph()
                yield Paragraph(text, label, "dim")


def _listed(label: str, sentences: Iterable[str], look: str) -> Iterator[Paragraph]:
    """Sentences under one label."""
    for number, sentence in enumerate(sentences):
        if not number:
            yield Paragraph()
        yield Paragraph(sentence, "" if number else label, look)
