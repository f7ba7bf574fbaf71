"""What a verb would do to many threads, before it does it; what cannot be taken back is to be typed."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple, TypeVar, cast

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from backends.bulk.preview import Preview
from backends.bulk.request import RUNNING, Action, BulkRequest
from backends.errors import NotFound, Refused, StoreError
from backends.text import one_line

from ..bulk_words import MEANINGS, threads
from ..widgets.entry import EntryNote
from ..widgets.form import FieldInput
from ..widgets.key_bar import KeyBar
from ..widgets.lines import Lines
from ..widgets.sheet import Paragraph, Sheet
from ..words import size
from .modal import Modal
from .preview import DURABILITIES

if TYPE_CHECKING:
    from ..app import LgtopApp

_WIDTH: Final = 78
_SIDES: Final = 4
"""Cells of the frame."""

_CHROME: Final = 6
"""Lines of the frame, its title and its keys."""

_TYPED: Final = 3
"""Lines that the word to be typed takes."""

_NAMED: Final = 3
"""Threads that are named."""

_REASONS: Final = 6
"""Reasons that are told apart; more are counted together."""

T = TypeVar("T")

_AT_ONCE: Final = (1, 2, 4, 8, 16)
_RETRIES: Final = (0, 1, 2, 5)


class Foreseen(NamedTuple):
    """What a request would do.

    Attributes:
        preview: To each thread.
        undecided: Threads that are left out because it is not certain which graph runs them.
    """

    preview: Preview
    undecided: tuple[str, ...] = ()


class Agreed(NamedTuple):
    """What a person has agreed to.

    Attributes:
        request: What to do, and how.
        preview: What that would do.
    """

    request: BulkRequest
    preview: Preview


class BulkPreview(Modal[Agreed | None]):
    """Works out what a request would do and shows it; answers with what was agreed to, or with ``None``.

    Args:
        request: What is wanted.
        make: Works it out.
        word_for: What a person has to type before so many threads lose something; empty for nothing.
        command: The same as a command, for a request.
    """

    AUTO_FOCUS = "Sheet"
    BINDING_GROUP_TITLE = "Preview"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "accept", "do it", key_display="↵", priority=True, id="preview.accept", tooltip="Do it"),
        Binding("escape", "close", "no", key_display="esc", id="dialog.close", tooltip="Close; change nothing"),
        Binding(
            "g", "graph", "graph", id="many.graph", tooltip="Choose the graph of threads that fit several, or none"
        ),
        Binding("c", "at_once", "at a time", id="many.at-once", tooltip="How many threads are worked on at a time"),
        Binding("t", "retries", "retries", id="many.retries", tooltip="How often a thread that fails is tried again"),
        Binding("d", "durability", "durability", id="preview.durability", tooltip="Save sync, async or on exit"),
        Binding("y", "copy", "copy", id="preview.copy", tooltip="Copy the lgtop command that does the same"),
    ]

    def __init__(
        self,
        request: BulkRequest,
        make: Callable[[BulkRequest], Awaitable[Foreseen]],
        word_for: Callable[[int], str],
        command: Callable[[BulkRequest], str],
    ) -> None:
        super().__init__()
        self.request = request
        self.preview: Preview | None = None
        self._undecided: tuple[str, ...] = ()
        self._make = make
        self._word_for = word_for
        self._command = command
        self._problem = ""

    def compose(self) -> ComposeResult:
        """A frame with the preview in it."""
        with Vertical(classes="dialog bulk-dialog"):
            yield Static(classes="dialog-title", markup=False)
            yield Sheet()
            word = FieldInput(select_on_focus=False)
            word.display = False
            yield word
            note = EntryNote()
            note.display = False
            yield note
            yield KeyBar()

    def on_mount(self) -> None:
        """Work it out."""
        self._show()
        self._work_out()

    def on_resize(self) -> None:
        """Make the frame as high as what is in it."""
        self._fit()

    @work(exclusive=True, group="plan", exit_on_error=False)
    async def _work_out(self) -> None:
        self.preview = None
        self._problem = ""
        self._show()
        try:
            self.preview, self._undecided = await self._make(self.request)
        except (Refused, StoreError, NotFound) as error:
            self._problem = str(error)
        self._show()
        self._ask()

    # What is shown

    @property
    def word(self) -> str:
        """What has to be typed; empty for nothing."""
        preview = self.preview
        return self._word_for(len(preview.able)) if preview is not None and preview.deletes and preview.able else ""

    def _ask(self) -> None:
        """Ask for the word, where there is one."""
        word, field = self.word, self.query_one(FieldInput)
        field.display = self.query_one(EntryNote).display = bool(word)
        if word:
            field.focus()
            self._say()
        self._fit()

    def _say(self, wrong: bool = False) -> None:
        self.query_one(EntryNote).say(f"There is no undo. Type {self.word} to go on.", wrong)

    def _show(self) -> None:
        name, total = MEANINGS[self.request.action].name, len(self.request.thread_ids)
        title = f"{name} {threads(total) if total > 1 else one_line(self.request.thread_ids[0], 60)}"
        if self.preview is not None and len(self.preview.able) < total:
            able = len(self.preview.able)
            title = f"{name} {able:,} of {threads(total)}" if able else f"✖ {title}: nothing to do"
        self.query_one(".dialog-title", Static).update(one_line(title, 200))
        self.query_one(Sheet).show(list(self._paragraphs()))
        self._fit()
        self.refresh_bindings()

    def _paragraphs(self) -> Iterator[Paragraph]:
        if self._problem:
            yield Paragraph(self._problem, "refused", "error")
        elif self.preview is None:
            yield Paragraph("working out what it would do…", look="dim")
        else:
            yield from paragraphs(self.request, self.preview)
            if self._undecided:
                yield Paragraph()
                yield Paragraph(f"g chooses a graph for {threads(len(self._undecided))}", "graph")
            if self.preview.able:
                yield Paragraph()
                yield Paragraph(self._command(self.request), "command", "dim")

    def _fit(self) -> None:
        frame = self.query_one(".dialog")
        width = min(_WIDTH, self.size.width) - _SIDES
        asked = _TYPED if self.word else 0
        frame.styles.height = self.query_one(Sheet).height_at(width) + _CHROME + asked

    # Another way

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What makes no sense here is not offered; what cannot be done is dimmed."""
        runs, able = self.request.action in RUNNING, bool(self.preview and self.preview.able)
        if action == "accept":
            return True if able else None
        if action == "at_once":
            return able and self.request.action is not Action.EXPORT and len(self.request.thread_ids) > 1
        if action == "retries":
            return runs and able
        if action == "durability":
            return runs and able
        if action == "graph":
            return runs and self.preview is not None and bool(self._undecided)
        if action == "copy":
            return able and not self.word
        return super().check_action(action, parameters)

    def action_at_once(self) -> None:
        """Work on more threads at a time, or on one."""
        self._change(replace(self.request, concurrency=_next(_AT_ONCE, self.request.concurrency)))

    def action_retries(self) -> None:
        """Try those that fail more often, or once."""
        self._change(replace(self.request, retries=_next(_RETRIES, self.request.retries)))

    def action_durability(self) -> None:
        """Save in another way."""
        self._change(replace(self.request, durability=_next(tuple(DURABILITIES), self.request.durability)))

    def _change(self, request: BulkRequest) -> None:
        """Take another way of doing the same to the same threads."""
        self.request = request
        self._show()

    @work(exclusive=True, group="graph", exit_on_error=False)
    async def action_graph(self) -> None:
        """Choose one graph for all threads whose own is not certain."""
        from .graph_choice import choose_graph

        app, unknown = cast("LgtopApp", self.app), self._undecided
        graph = await choose_graph(app, threads(len(unknown)), await app.control.graphs())
        if graph is not None:
            for thread_id in unknown:
                app.control.remember(thread_id, graph)
            self._work_out()

    # The end

    def action_accept(self) -> None:
        """Agree, if the word is there."""
        if self.preview is None or self.is_busy("plan"):
            return
        if self.word and self.query_one(FieldInput).value.strip() != self.word:
            self._say(wrong=True)
            self.query_one(FieldInput).focus()
            return
        self.dismiss(Agreed(self.request, self.preview))

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._say()

    def on_lines_activated(self, event: Lines.Activated) -> None:
        """A double click on the text is nothing."""
        event.stop()

    def action_copy(self) -> None:
        """Copy the command."""
        cast("LgtopApp", self.app).copy(self._command(self.request), "command")


def paragraphs(request: BulkRequest, preview: Preview) -> Iterator[Paragraph]:
    """What there is to say about a request."""
    meaning = MEANINGS[request.action]
    if preview.able:
        yield Paragraph(named(preview.able), meaning.name, "strong")
    for number, (why, left) in enumerate(_by_reason(preview.refused)):
        if not number and preview.able:
            yield Paragraph()
        yield Paragraph(f"{threads(len(left))}: {why}", "left out" if not number else "", "warning")
        if len(left) < preview.total:
            yield Paragraph(named(left), look="dim")
    if not preview.able:
        return
    details = list(_details(request, preview))
    if details:
        yield Paragraph()
        yield from details


def _details(request: BulkRequest, preview: Preview) -> Iterator[Paragraph]:
    """How it is done, and what comes of it."""
    if preview.bytes is not None:
        yield Paragraph(f"≈{size(preview.bytes)} of values as stored", "frees")
    if request.action is Action.ANSWER:
        yield Paragraph(json.dumps(request.answer, ensure_ascii=False)[:2000], "answer", "waiting")
    if request.action is Action.COPY:
        yield Paragraph(named([f"{one}{request.suffix}" for one in preview.able[:_NAMED]]), "makes")
    if request.action is Action.EXPORT:
        yield Paragraph(request.path, "file")
    if request.action is Action.STOP:
        yield Paragraph(_HOWS[request.how], "how")
    if request.policy is not None:
        yield Paragraph(_kept(request), "keeps")
    if request.action in RUNNING:
        yield Paragraph(DURABILITIES.get(request.durability, request.durability), "saves")
    if len(preview.able) > 1 and request.action is not Action.EXPORT:
        yield Paragraph(f"{request.concurrency} at a time", "pace")
    if request.action in RUNNING:
        yield Paragraph(_tries(request), "failures")


_HOWS: Final[Mapping[str, str]] = {
    "drain": "drain: their tasks finish, their writes are saved, then they pause",
    "cancel": "cancel: their tasks are told to stop now",
    "kill": "kill: their processes end at once; what was not saved is lost",
}


def _tries(request: BulkRequest) -> str:
    if not request.retries:
        return "not tried again by itself"
    return f"tried again {request.retries}×, after {request.backoff:g} s, then twice as long each time"


def _kept(request: BulkRequest) -> str:
    policy = request.policy
    if policy is None:
        return ""
    parts = [f"the newest {policy.keep:,} checkpoints of each branch"]
    if policy.older_than is not None:
        parts.append(f"whatever is younger than {policy.older_than:g} s")
    if policy.finished:
        parts.append("all of threads with work left")
    return ", ".join([*parts, "and what those need"])


def named(thread_ids: tuple[str, ...] | list[str]) -> str:
    """The first names: ``a, b, c and 209 more``."""
    first = ", ".join(one_line(name, 60) for name in thread_ids[:_NAMED])
    more = len(thread_ids) - _NAMED
    return f"{first} and {more:,} more" if more > 0 else first


def _by_reason(refused: tuple[tuple[str, str], ...]) -> list[tuple[str, list[str]]]:
    """Threads by why they are left out, the most frequent reason first."""
    found: dict[str, list[str]] = {}
    for thread_id, why in refused:
        found.setdefault(one_line(why, 300), []).append(thread_id)
    ordered = sorted(found.items(), key=lambda item: -len(item[1]))
    rest = [name for _, names in ordered[_REASONS:] for name in names]
    return [*ordered[:_REASONS], *([("for other reasons", rest)] if rest else [])]


def _next(values: tuple[T, ...], now: T) -> T:
    """The value after the present one, round the end."""
    place = values.index(now) if now in values else -1
    return values[(place + 1) % len(values)]
