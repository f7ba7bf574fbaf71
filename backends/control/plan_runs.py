"""Verbs that run a thread on: start, resume, retry, answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..channels import START
from ..errors import Refused
from ..graphs.drawing import END, Drawing
from ..model import Interrupt, StatusName
from ..runs.spec import Verb
from ..text import one_line
from .plan import Intent
from .plan_faults import fault_warnings
from .scene import Preview, Scene, View, listed, name_of, names_of, node_names
from .schema import problems


def plan_start(scene: Scene) -> Preview:
    """``stream(input)`` on a new or an existing thread."""
    intent = scene.intent
    if intent.input is None:
        raise Refused("A start needs an input.", "To go on without one, resume.")
    if scene.reader is None and not intent.create_store:
        raise Refused("The store does not exist yet.", "Say that it may be made.")
    if scene.head is not None and intent.seen_head == "":
        raise Refused(f"There is a thread {name_of(intent.thread_id)} already.", "Choose another id.")
    view = None if scene.head is None else scene.at_head()
    if view is not None:
        _refuse_stray_answer(view)
    first = () if intent.step else _first_nodes(scene.drawing)
    where = "a new thread" if view is None else "the thread, from its present state"
    return Preview(
        intent,
        f"starts {where}" + (f": runs {listed(first)}" if first else ""),
        runs=first,
        notes=tuple(_start_notes(scene)),
        warnings=(
            *(() if view is None else _dropped_by_input(view, scene.drawing)),
            *_input_warnings(intent.input, scene.drawing),
            *run_warnings(scene),
        ),
    )


def _first_nodes(drawing: Drawing | None) -> tuple[str, ...]:
    """Where the graph begins; nothing where a router decides that."""
    first = [] if drawing is None else [edge for edge in drawing.edges if edge.source == START]
    if any(edge.conditional for edge in first):
        return ()
    return tuple(name_of(name) for name in dict.fromkeys(edge.target for edge in first) if name != END)


def _start_notes(scene: Scene) -> Iterator[str]:
    if scene.reader is None:
        yield "The store is made first."
    yield from run_notes(scene.intent, scene.drawing)


def _dropped_by_input(view: View, drawing: Drawing | None) -> Iterator[str]:
    """LangGraph goes on from the checkpoint: neither what is due nor what its step has saved comes along."""
    asking = " and its open questions" if view.analysis.interrupts else ""
    pending = f"the pending {listed(names_of(view.unfinished))}{asking}" if view.unfinished else ""
    saved = f"what {listed(names_of(view.finished))} saved" if view.finished else ""
    if view.own:
        lost = " and ".join(filter(None, (pending, saved)))
        yield f"The thread is in the middle of a step: a new input drops {lost}."
    yield from _unknown_nodes(view, drawing)


def _input_warnings(given: Any, drawing: Drawing | None) -> Iterator[str]:
    if drawing is not None and drawing.input_schema is not None:
        for problem in problems(given, drawing.input_schema, partial=True)[:3]:
            yield f"The input does not fit the graph's: {problem}."


# --- going on --------------------------------------------------------------------------------------------------------


def plan_resume(scene: Scene) -> Preview:
    """``stream(None)``: only what is unfinished runs."""
    view = scene.at_head()
    _require_work(scene, view)
    if view.analysis.interrupts:
        _refuse_stray_answer(view)
    runs = view.runs
    return Preview(
        scene.intent,
        f"runs {listed(runs)}" if runs else "commits the finished step, and goes on",
        runs=runs,
        reuses=names_of(view.finished),
        asks=tuple(one.id for one in view.analysis.interrupts),
        notes=(*_state_notes(view), *run_notes(scene.intent, scene.drawing)),
        warnings=(*_resume_warnings(view), *step_warnings(scene, view)),
    )


def _refuse_stray_answer(view: View) -> None:
    if view.stray_answer:
        raise Refused(
            "An application answered this thread without naming the question: LangGraph would give that answer to the "
            "next question too.",
            "Fork the head without running it: the new checkpoint does not hold that answer.",
        )


def _require_work(scene: Scene, view: View) -> None:
    thread = name_of(scene.intent.thread_id)
    if view.analysis.status is StatusName.DONE and not view.analysis.tasks and not view.analysis.inferred:
        raise Refused(f"There is nothing to resume: {thread} is done.", "Give it a new input, or fork it.")
    if view.snapshot.problem is not None:
        raise Refused(f"The head of {thread} cannot be read: {one_line(view.snapshot.problem, 200)}.")
    known = None if scene.drawing is None else set(node_names(scene.drawing)) | {START}
    due = {task.name for task in view.unfinished} - {"?"}
    if known and due and due.isdisjoint(known):
        raise Refused(
            f"The graph has no node {listed(sorted(due))}: resuming would end the thread without running anything.",
            "It is another graph, or the node was renamed: choose the right one.",
        )


def _resume_warnings(view: View) -> Iterator[str]:
    if view.analysis.interrupts:
        count = len(view.analysis.interrupts)
        yield f"It waits for {_answers(count)}: a resume runs the node again up to its question. Answer it instead."
    for task in view.truncating:
        yield (
            f"{name_of(task.name)} raised after its output was saved: a resume takes it for finished and skips what "
            "follows. Retry the step instead."
        )
    if view.analysis.inferred and view.analysis.status in (StatusName.DONE, StatusName.UNKNOWN):
        reason = one_line(view.analysis.reason, 200)
        yield f"The rows do not tell for certain what is next ({reason}): the graph decides."


def _state_notes(view: View) -> Iterator[str]:
    calls = sum(1 for task in view.analysis.tasks if task.kind == "call" and task.channels)
    if calls:
        yield f"{calls} saved {'result' if calls == 1 else 'results'} of @task calls are reused."
    if view.failed_after_answer:
        yield (
            f"{listed(names_of(view.failed_after_answer))} failed after the answer, which is saved and used again. "
            "To answer differently, fork from before the question."
        )


def plan_retry(scene: Scene) -> Preview:
    """``stream(None, head)``: every task of the step again."""
    intent, head = scene.intent, scene.thread_head
    if intent.checkpoint is not None:
        key = scene.open_reader.resolve_checkpoint(intent.thread_id, intent.checkpoint, intent.ns)
        if key != head.key:
            raise Refused("Only the last step can be retried.", "To run an earlier one again, fork from it.")
    view = scene.at_head()
    if not view.own:
        raise Refused(
            f"There is no step to retry: {name_of(intent.thread_id)} is done.", "Fork from an earlier checkpoint."
        )
    runs = names_of(view.own)
    return Preview(
        replace(intent, checkpoint=head.checkpoint_id, ns=head.ns),
        f"runs the whole step again: {listed(runs)}",
        runs=runs,
        asks=tuple(one.id for one in view.analysis.interrupts),
        notes=tuple(run_notes(intent, scene.drawing)),
        warnings=(*again(view), *step_warnings(scene, view)),
    )


def again(view: View) -> Iterator[str]:
    """What a person should know where every task of a step runs, also finished ones."""
    if view.finished:
        what = (
            "runs again all the same: what it does"
            if len(view.finished) == 1
            else "run again all the same: what they do"
        )
        yield f"{listed(names_of(view.finished))} finished, and {what} outside happens again."
    if view.questioned:
        what = "asks again, under a new id" if len(view.questioned) == 1 else "ask again, under new ids"
        yield f"{listed(names_of(view.questioned))} {what}; answers given so far are not used."


def plan_answer(scene: Scene) -> Preview:
    """``stream(Command(resume={id: value}))``, strict: only questions that are open, each by its id."""
    view = scene.at_head()
    pending = {one.id: one for one in view.analysis.interrupts}
    if not pending:
        raise Refused(f"{name_of(scene.intent.thread_id)} asks nothing.", _instead(view))
    _refuse_stray_answer(view)
    answers = _completed(scene.intent.answers, pending)
    for key, value in answers.items():
        _check_answer(pending[key], value)
    left = [one for key, one in pending.items() if key not in answers]
    nodes = dict.fromkeys(pending[key].node for key in answers)
    return Preview(
        replace(scene.intent, answers=answers),
        f"answers {listed(nodes)}",
        runs=view.runs,
        reuses=names_of(view.finished),
        asks=tuple(one.id for one in left),
        notes=(*_left_notes(left), *run_notes(scene.intent, scene.drawing)),
        warnings=(*_answer_warnings(view), *step_warnings(scene, view)),
    )


def _instead(view: View) -> str:
    if view.failed_after_answer:
        return "Its question was answered, and the node failed after that: resume repeats it with that answer."
    return "Resume it." if view.unfinished else "It is done."


def _completed(answers: Mapping[str, Any], pending: Mapping[str, Interrupt]) -> dict[str, Any]:
    """Answers by whole ids: an id may be cut short, and left out where only one question is open."""
    if not answers:
        raise Refused("There is no answer.", f"Open: {listed(pending)}.")
    found: dict[str, Any] = {}
    for given, value in answers.items():
        fitting = [key for key in pending if key == given] or [key for key in pending if key.startswith(given)]
        if not given and len(pending) > 1:
            raise Refused(
                f"{len(pending)} questions are open.", f"Say by its id which one is meant: {listed(pending)}."
            )
        if len(fitting) != 1:
            what = f"{len(fitting)} open questions begin with" if fitting else "No open question has the id"
            raise Refused(f"{what} {name_of(given)}.", f"Open: {listed(pending)}.")
        if fitting[0] in found:
            raise Refused(f"Two answers are for the question {fitting[0]}.")
        found[fitting[0]] = value
    return found


def _check_answer(question: Interrupt, value: Any) -> None:
    if isinstance(question.response_schema, dict):
        wrong = problems(value, question.response_schema)
        if wrong:
            raise Refused(f"The answer for {name_of(question.node)} does not fit: {'; '.join(wrong[:3])}.")


def _left_notes(left: list[Interrupt]) -> Iterator[str]:
    if left:
        nodes = dict.fromkeys(one.node for one in left)
        what = f"{'runs' if len(nodes) == 1 else 'run'} again up to {'it' if len(left) == 1 else 'them'}"
        yield f"{_answers(len(left), 'question stays', 'questions stay')} open: {listed(nodes)} {what}."


def _answer_warnings(view: View) -> Iterator[str]:
    failed = [task for task in view.unfinished if task.error is not None and not task.interrupts]
    if failed:
        yield f"{listed(names_of(failed))} failed and {'runs' if len(failed) == 1 else 'run'} again along with it."


def _answers(count: int, one: str = "answer", more: str = "answers") -> str:
    return f"{count} {one if count == 1 else more}"


# --- for all of them -------------------------------------------------------------------------------------------------


def run_notes(intent: Intent, drawing: Drawing | None) -> Iterator[str]:
    """What a person should know of any run."""
    if intent.step and intent.verb == Verb.START:
        yield "The input is saved, and the run pauses before its first step."
    elif intent.step:
        yield "It runs one step, and pauses before the next one."
    if drawing is not None and drawing.interrupt_before:
        yield f"The graph pauses before {_every(drawing.interrupt_before)}."
    if drawing is not None and drawing.interrupt_after:
        yield f"The graph pauses after {_every(drawing.interrupt_after)}."
    if intent.durability == "async":
        yield "Checkpoints are saved while the next step runs: after a crash a finished step may run again."


def _every(names: tuple[str, ...]) -> str:
    return "every node" if names == ("*",) else listed(names)


def run_warnings(scene: Scene) -> Iterator[str]:
    """What wants a second look in any run."""
    yield from fault_warnings(scene.intent.faults, scene.drawing)
    if scene.intent.durability == "exit":
        yield "Nothing is saved before the run ends (durability exit): a crash loses all of it."


def step_warnings(scene: Scene, view: View) -> Iterator[str]:
    """What wants a second look where a step of a thread runs."""
    yield from run_warnings(scene)
    yield from _unknown_nodes(view, scene.drawing)


def _unknown_nodes(view: View, drawing: Drawing | None) -> Iterator[str]:
    if drawing is None:
        return
    known = {*node_names(drawing), START, "?"}
    due = {task.name for task in view.unfinished} - known
    if due:
        yield f"The graph has no node {listed(sorted(due))}: LangGraph skips it without a word."
    past = {name for name in view.nodes_before - known if not name.startswith("__")} - due
    if past and not drawing.functional:
        yield f"The thread has run nodes that the graph does not have: {listed(sorted(past))}. Is it the right graph?"
