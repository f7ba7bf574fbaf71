"""Derived ids and stored paths, against LangGraph's own functions."""

from __future__ import annotations

import binascii
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langgraph.pregel._algo import _uuid5_str, _xxhash_str, task_path_str
from langgraph.pregel._checkpoint import exit_delta_late_task_id, exit_delta_task_id
from langgraph.types import _interrupt_id

from backends.task_ids import (
    PULL,
    TaskPath,
    applied_ids,
    call_path,
    interrupt_id,
    is_synthetic,
    parse_path,
    pull_path,
    push_path,
    task_id,
    task_namespace,
)

ID = "1f1e5735-2b77-6716-8001-693cfa3047a0"
names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=":|"), min_size=1, max_size=12)


@given(name=names, ns=st.sampled_from(["", "outer:x", "outer:x|inner:y"]), step=st.integers(-1, 10**6))
@pytest.mark.parametrize(("version", "hashed"), [(1, _uuid5_str), (2, _xxhash_str), (4, _xxhash_str)])
def test_pull_task(version: int, hashed: Any, name: str, ns: str, step: int) -> None:
    trigger = f"branch:to:{name}"
    full = f"{ns}|{name}" if ns else name
    theirs = hashed(binascii.unhexlify(ID.replace("-", "")), full, str(step), name, PULL, trigger)
    assert task_id(ID, ns, step, name, PULL, trigger, version=version) == theirs


def test_hand_written_ids_have_no_derived_tasks() -> None:
    assert task_id("checkpoint-17", "", 1, "a", PULL, "branch:to:a") == ""
    assert applied_ids("checkpoint-17") == ()


@given(ns=names, answered=st.integers(0, 5))
def test_interrupt(ns: str, answered: int) -> None:
    assert interrupt_id(ns, answered) == _interrupt_id(ns, answered)


def test_namespace_of_a_task() -> None:
    assert task_namespace("", "a", "id") == "a:id"
    assert task_namespace("o:1", "a", "id") == "o:1|a:id"


@given(name=names, index=st.integers(0, 10**6))
def test_paths(name: str, index: int) -> None:
    pull = (PULL, name)
    assert pull_path(name) == task_path_str(pull)
    assert parse_path(pull_path(name)) == TaskPath("pull", name)
    push = ("__pregel_push", index, False)
    assert push_path(index) == task_path_str(push)
    assert parse_path(push_path(index)) == TaskPath("push", "", index)
    call = ("__pregel_push", pull, index, True)
    assert call_path(pull_path(name), index) == task_path_str(call)
    assert parse_path(task_path_str(call)) == TaskPath("call", name, index, pull_path(name))
    nested = ("__pregel_push", call, 3, True)
    assert parse_path(task_path_str(nested)) == TaskPath("call", name, 3, task_path_str(call))


@pytest.mark.parametrize(
    ("failed", "expected"),
    [((PULL, "a, b"), TaskPath("handler", "a, b")), (("__pregel_push", 7, False), TaskPath("handler", "", 7))],
)
def test_path_of_an_error_handler(failed: tuple[Any, ...], expected: TaskPath) -> None:
    assert parse_path(task_path_str((*failed, "node_error_handler", False))) == expected


@pytest.mark.parametrize("text", ["", "~", "~__interrupt__, 0000000000", "~__pregel_push, x", "~~0000000001~x"])
def test_other_paths(text: str) -> None:
    assert parse_path(text).kind == "other"


def test_ids_of_what_no_task_wrote() -> None:
    assert str(uuid5(UUID(ID), "__interrupt__")) in applied_ids(ID)
    assert str(uuid5(UUID(ID), "__input__")) in applied_ids(ID)


def test_copies_for_replaying_are_recognised() -> None:
    task = task_id(ID, "", 5, "a", PULL, "branch:to:a")
    assert not is_synthetic(task, 5)
    assert is_synthetic(exit_delta_task_id(5, task), 5)
    assert is_synthetic(exit_delta_late_task_id(9, task), 5)
