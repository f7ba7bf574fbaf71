"""``lgtop answer``: answer the questions that a thread waits with."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from backends.errors import Refused

from .arguments import Parser, UsageError
from .bulk import conduct_many
from .bulk_arguments import FOR_ONE, MANY, add_bulk, add_targets, named_alone, pace, refuse_for_many
from .conduct import conduct
from .control_arguments import SAFETY, add_conduct, add_crash, add_graph, add_running
from .exits import Exit
from .given import FORMS, json_object, json_value
from .opening import require_thread
from .planning import planning

if TYPE_CHECKING:
    from backends.bulk.request import BulkRequest
    from backends.reader import Reader

SUMMARY = "answer the questions that threads wait with, and let them go on"
DESCRIPTION = f"""\
Answer pending interrupts by their ids, one, some or all of them, and run on. lgtop inbox and lgtop show print the
ids; the beginning of one is enough, and where a single question waits it can be left out. An answer is compared with
the question's schema before it is sent; one that does not fit leaves the question as it was.

{SAFETY}

{MANY}
One --value then answers every question of each thread alike; threads that ask nothing are skipped, and those with a
question whose schema it does not fit are refused."""
EXAMPLES = """\
  lgtop answer -s checkpoints.sqlite loan-0042 --value true
  lgtop answer -s checkpoints.sqlite loan-0042 --id 4f2a --value '{"approved": true}' --id 9b01 --value @no.json
  lgtop answer -s checkpoints.sqlite loan-0042 --values '{"4f2a…": {"approved": true}}' --json
  lgtop answer -s checkpoints.sqlite --filter 'status:waiting next:review' --value '{"approved": true}' --dry-run"""


def arguments(parser: Parser) -> None:
    """Describe the command line."""
    add_targets(parser)
    parser.add_argument("--id", action="append", default=[], metavar="INTERRUPT", help="which question; repeatable")
    parser.add_argument(
        "--value", action="append", type=json_value, default=[], metavar="JSON", help=f"its answer; {FORMS}"
    )
    parser.add_argument(
        "--values", type=json_object, metavar="JSON", help="several answers, as one object with the ids as its keys"
    )
    add_graph(parser)
    add_running(parser)
    add_crash(parser)
    add_conduct(parser)
    add_bulk(parser)


def run(options: Namespace) -> Exit:
    """Answer them."""
    thread_id = named_alone(options)
    return _answer_many(options) if thread_id is None else _answer(options, thread_id)


def _answer(options: Namespace, thread_id: str) -> Exit:
    from backends.control.plan import Intent

    given = _pairs(options)
    with planning(options) as desk:
        require_thread(desk.reader, thread_id)
        intent = Intent(
            "answer",
            thread_id,
            answers=_addressed(given, pending(desk.reader, thread_id)),
            durability=options.durability,
            step=options.step,
            recursion_limit=options.recursion_limit,
            config=options.config,
            context=options.context,
            faults=tuple(options.crash),
        )
        return conduct(desk, desk.plan(intent, desk.choose_graph(thread_id)), options)


def _answer_many(options: Namespace) -> Exit:
    refuse_for_many(options, **FOR_ONE, id=[], values=None)
    if len(options.value) != 1:
        raise UsageError("Several threads are answered alike: with one --value.", options.prog)

    def ask(threads: tuple[str, ...], newest: Mapping[str, str]) -> BulkRequest:
        from backends.bulk.request import Action, BulkRequest

        return BulkRequest(
            Action.ANSWER,
            threads,
            answer=options.value[0],
            answer_given=True,
            durability=options.durability,
            **pace(options),
        )

    return conduct_many(options, ask)


def pending(reader: Reader, thread_id: str) -> list[str]:
    """Ids of the questions that a thread waits with."""
    heads = list(reader.store.heads_of([thread_id]).values())
    return [asked.id for analysis in reader.analyse_heads(heads).values() for asked in analysis.interrupts]


def _pairs(options: Namespace) -> Sequence[tuple[str | None, Any]]:
    """Ids as given, with their answers; ``None`` where the id was left out.

    Raises:
        UsageError: They cannot be paired.
    """
    if options.values is not None:
        if options.id or options.value:
            raise UsageError("Give either --values, or --value with --id.", options.prog)
        return [*options.values.items()]
    if not options.value:
        raise UsageError("An answer is wanted: --value JSON, or --values with several.", options.prog)
    if len(options.value) == 1 and not options.id:
        return [(None, options.value[0])]
    if len(options.id) != len(options.value):
        raise UsageError(f"There are {len(options.value)} --value to {len(options.id)} --id.", options.prog)
    if len(set(options.id)) < len(options.id):
        raise UsageError("One --id is given twice.", options.prog)
    return list(zip(options.id, options.value, strict=True))


def _addressed(given: Sequence[tuple[str | None, Any]], waiting: Sequence[str]) -> Mapping[str, Any]:
    """Answers by whole ids; one that is not pending stays as it is, for the plan to refuse.

    Raises:
        Refused: It is not clear which question an answer is for.
    """
    answers: dict[str, Any] = {}
    for wanted, value in given:
        fitting = [one for one in waiting if wanted is None or one.startswith(wanted)]
        if len(fitting) > 1 and wanted not in fitting:
            which = "The thread waits with" if wanted is None else f"{wanted} may be any of"
            raise Refused(f"{which} {len(fitting)} questions: {', '.join(fitting)}.", "Name one with --id.")
        if not fitting and wanted is None:
            raise Refused("The thread does not wait for an answer.", "lgtop show tells what it is doing.")
        whole = fitting[0] if len(fitting) == 1 else str(wanted)
        if whole in answers:
            raise Refused(f"Two answers are for the same question {whole}.")
        answers[whole] = value
    return answers
