"""Changes that other connections make are noticed, whatever they are."""

from __future__ import annotations

import random
import threading
from typing import Any

import pytest
from langgraph.types import Command

from backends.store import Store

from .following import Follower
from .places import Place
from .population import config, fan_out, loop, nested


@pytest.fixture
def follower(place: Place, store: Store) -> Follower:
    """Follows a store that held three threads at first."""
    for number, thread_id in enumerate(("a", "b", "c")):
        place.put(thread_id, number)
    follower = Follower(store)
    follower.catch_up()
    follower.changed.clear()
    return follower


def test_nothing_new_is_reported_as_nothing(follower: Follower) -> None:
    for _ in range(5):
        delta = follower.follow()
        assert (delta.changed, delta.reload) == (frozenset(), False)


def test_a_new_thread(place: Place, follower: Follower) -> None:
    place.put("new", 10)
    follower.follow_until(lambda: "new" in follower.changed)
    assert follower.heads["new"].step == 10


def test_a_new_checkpoint_of_an_old_thread(place: Place, follower: Follower) -> None:
    place.put("a", 20)
    follower.follow_until(lambda: follower.heads["a"].step == 20)
    assert "a" in follower.changed


def test_a_write_without_a_checkpoint(place: Place, follower: Follower) -> None:
    key = follower.heads["b"].key
    place.put_write(key)
    follower.follow_until(lambda: "b" in follower.changed)
    follower.changed.clear()
    place.put_write(key, value="Bang()")
    follower.follow_until(lambda: "b" in follower.changed)


def test_a_checkpoint_in_a_subgraph(place: Place, follower: Follower) -> None:
    key = place.put("a", 30, "sub:1")
    follower.follow_until(lambda: follower.heads["a"].newest_id == key.checkpoint_id)
    assert follower.heads["a"].ns == ""


def test_a_checkpoint_saved_again(place: Place, follower: Follower) -> None:
    place.put("b", 1, values={"n": 5})
    follower.follow_until(lambda: "b" in follower.changed)


@pytest.mark.parametrize("thread_id", ["a", "c"])
def test_a_deleted_thread(place: Place, follower: Follower, thread_id: str) -> None:
    place.saver.delete_thread(thread_id)
    follower.follow_until(lambda: thread_id not in follower.heads)
    follower.catch_up()


def test_a_thread_deleted_while_others_are_written(place: Place, follower: Follower) -> None:
    place.put("d", 40)
    place.saver.delete_thread("a")
    place.put("e", 41)
    follower.follow_until(lambda: set(follower.heads) == {"b", "c", "d", "e"})


def test_graphs_that_run_meanwhile(place: Place, follower: Follower) -> None:
    counting = loop(place.saver)
    counting.invoke({"n": 0}, config("loop"))
    follower.catch_up()
    counting.update_state(config("loop"), {"n": 7}, as_node="work")
    follower.catch_up()
    history = list(counting.get_state_history(config("loop")))
    counting.invoke(None, history[2].config)
    follower.catch_up()
    assert follower.heads["loop"].source == "loop"
    asking = nested(place.saver)
    asking.invoke({"n": 0}, config("asking"))
    follower.catch_up()
    asking.invoke(Command(resume="yes"), config("asking"))
    follower.catch_up()
    with pytest.raises(ValueError, match="not two"):
        fan_out(place.saver).invoke({"n": 0}, config("failing"))
    follower.catch_up()
    assert {"loop", "asking", "failing"} <= follower.changed


def test_nothing_is_missed_between_cursor_and_heads(place: Place, store: Store) -> None:
    place.put("a", 1)
    cursor = store.cursor()
    place.put("between", 2)
    follower = Follower(store)
    follower.cursor = cursor
    follower.follow_until(lambda: "between" in follower.changed)


def test_a_writer_in_another_thread(place: Place, follower: Follower) -> None:
    rng = random.Random(7)
    last: dict[str, int] = {}

    def write() -> None:
        for number in range(100, 400):
            thread_id = f"busy {rng.randrange(20)}"
            key = place.put(thread_id, number)
            place.put_write(key, "answer", number)
            last[thread_id] = number

    writing = threading.Thread(target=write)
    writing.start()
    while writing.is_alive():
        follower.follow()
    writing.join()
    follower.catch_up()
    assert {name: follower.heads[name].step for name in last} == last
    assert last.keys() <= follower.changed


def test_random_changes(place: Place, follower: Follower) -> None:
    rng = random.Random(11)
    names = [f"t{number}" for number in range(8)]
    for number in range(50, 110):
        thread_id = rng.choice(names)
        action: Any = rng.choices(["put", "child", "write", "delete", "look"], [5, 2, 3, 1, 3])[0]
        if action == "put":
            place.put(thread_id, number)
        elif action == "child":
            place.put(thread_id, number, f"sub:{rng.randrange(3)}")
        elif action == "write" and thread_id in follower.heads:
            place.put_write(follower.heads[thread_id].key, "answer", number, f"task {number}")
        elif action == "delete":
            place.saver.delete_thread(thread_id)
        else:
            follower.follow()
    follower.catch_up()
