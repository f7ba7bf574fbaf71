"""What a verb would do, said before it is done."""

from __future__ import annotations

from dataclasses import dataclass

from ..runs.spec import Call, GraphRef


@dataclass(frozen=True, slots=True)
class Intent(Call):
    """What a person wants.

    Attributes:
        verb: A ``Verb``'s value, or ``copy`` (the thread whole) or ``branch`` (a new thread up to ``checkpoint``):
            those two copy rows and need no graph.
        thread_id: The thread.
        seen_head: Root head that the person looked at; ``None`` does not compare, an empty text wants a new thread.
        checkpoint: FORK, EDIT, RETRY, BRANCH: where from; ``None`` is the head.
        target: COPY, BRANCH: the new thread's id.
    """

    verb: str
    thread_id: str
    seen_head: str | None = None
    checkpoint: str | None = None
    target: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The preview.

    Attributes:
        intent: What it is for; a partial id of a checkpoint has been completed.
        graph: The graph that runs; ``None`` for verbs that need none.
        head: Root head on which the plan rests; an empty text for a new thread.
        summary: One line: ``resume doc-7: runs review``.
        runs: Nodes that run next, with their number where more than one.
        reuses: Nodes of the step whose saved writes are reused.
        asks: Ids of questions that will be asked again.
        notes: Sentences a person should know.
        warnings: Sentences that want a second look (pending tasks dropped, nodes unknown to the graph, finished work
            that is done again).
        refusal: Why it cannot be done; empty when it can.
        python: The LangGraph call.
        awaited: Whether the graph is driven by LangGraph's asynchronous loop.
        command: The same as an ``lgtop`` command line, quoted for a POSIX shell; never a password.
    """

    intent: Intent
    graph: GraphRef | None
    head: str
    summary: str
    runs: tuple[str, ...] = ()
    reuses: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    refusal: str = ""
    python: str = ""
    command: str = ""
    awaited: bool = False

    @property
    def verb(self) -> str:
        """The verb's name."""
        return str(self.intent.verb)
