"""From what a person wants to what becomes of it: plan, refuse or carry out, wait for the end, print the result."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from backends.errors import AlreadyRunning, Refused

from . import output
from .exits import Exit
from .narration import Narrator

if TYPE_CHECKING:
    from backends.control.plan import Plan
    from backends.locks.holder import Holder

    from .planning import Desk


def conduct(desk: Desk, plan: Plan, options: Namespace) -> Exit:
    """Do what was planned, or with ``--dry-run`` say what it would be.

    Raises:
        AlreadyRunning: Somebody else holds the thread.
        Refused: It cannot be done; nothing was written.
        StoreError: The store cannot be written.
    """
    plan = _as_expected(plan, options.expect)
    if options.dry_run:
        return _preview(desk, plan, options)
    if plan.refusal:
        _refuse(desk, plan)
    output.narrate(f"lgtop: {plan.summary}")
    for warning in plan.warnings:
        output.narrate(f"lgtop: note well: {warning}")
    desk.close()
    return _carry_out(desk, plan, options)


def _as_expected(plan: Plan, expected: str | None) -> Plan:
    """Refuse a plan that rests on another head than ``--expect`` names; empty is the one of a new thread."""
    if expected is None or plan.refusal or (plan.head.startswith(expected) if expected else not plan.head):
        return plan
    found = f"its head is {plan.head} now" if plan.head else "there is no such thread"
    return replace(plan, refusal=f"The thread is not as it was expected: {found}.")


def _preview(desk: Desk, plan: Plan, options: Namespace) -> Exit:
    """Print a plan; the exit code is the one that carrying it out would begin with."""
    from .results import print_plan

    print_plan(plan, options.json)
    if not plan.refusal:
        return Exit.DONE
    return Exit.BUSY if _in_the_way(desk, plan) else Exit.REFUSED


def _refuse(desk: Desk, plan: Plan) -> NoReturn:
    if holder := _in_the_way(desk, plan):
        raise AlreadyRunning(plan.intent.thread_id, str(holder))
    raise Refused(plan.refusal)


def _in_the_way(desk: Desk, plan: Plan) -> Holder | None:
    """Who holds the thread that a graph is to run on; a copy can be made of it all the same."""
    return None if plan.intent.target else desk.holder(plan.intent.thread_id)


def _carry_out(desk: Desk, plan: Plan, options: Namespace) -> Exit:
    """Do it, and wait for a run to end, or with ``--detach`` until it is under way."""
    from backends.control.execute import execute
    from backends.runs.run import Run

    from .following import PassedOn, until_under_way, wait
    from .results import print_copied, print_run

    with PassedOn() as keys:
        done = execute(plan, desk.gate)
        if not isinstance(done, Run):
            print_copied(plan, done, options.json)
            return Exit.DONE
        output.narrate(f"lgtop: {done.label} · {done.folder}")
        follow = until_under_way if options.detach else wait
        run, code = follow(done, Narrator().tell, keys)
    print_run(run, desk.address, options.json, live=options.detach)
    return code
