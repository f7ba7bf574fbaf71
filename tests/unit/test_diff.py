"""Changes turn the one value into the other, and read as what a person would say."""

import copy
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.diff import Change, apply, channel_summary, diff, line_diff
from backends.equality import same
from backends.values import DeltaValue, Encrypted, NdArray, Secret, Snapshotted, Typed, Undecodable, Value
from tests.work import steps

NAN = float("nan")
TEXT = st.text("abc[]\x00é", max_size=3)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.sampled_from([0.0, -0.0, 1.0, NAN, float("inf"), 2**63]),
    TEXT,
    st.binary(max_size=2),
    st.just(Undecodable("x", b"1")),
    st.just(Encrypted("msgpack+aes", "no key", b"1")),
    st.builds(Secret, st.just("SecretStr"), st.integers(1, 2)),
    st.just(NdArray("<f4", (1,), "C", b"1234")),
)
KEYS = st.one_of(TEXT, st.integers(0, 2), st.booleans(), st.sampled_from([0.0, 1.0, None, (1, 2)]))


def _containers(inner: st.SearchStrategy[Value]) -> st.SearchStrategy[Value]:
    records = st.builds(lambda i, v: {"id": i, "v": v}, st.sampled_from(["a", "b", "c", 1]), inner)
    lists = st.lists(st.one_of(inner, records), max_size=5)
    dicts = st.dictionaries(KEYS, inner, max_size=4)
    return st.one_of(
        lists,
        dicts,
        records,
        st.builds(Typed, st.just("app"), st.sampled_from(["A", "B"]), st.one_of(inner, dicts, lists), st.just("call")),
        st.builds(lambda items: Typed("builtins", "set", items, "call"), lists),
        st.builds(Snapshotted, inner),
        st.builds(
            lambda seed, has, writes: DeltaValue(seed if has else None, has, tuple(writes)), inner, st.booleans(), lists
        ),
    )


VALUES = st.recursive(SCALARS, _containers, max_leaves=15)


@given(VALUES, VALUES)
@settings(max_examples=600)
def test_changes_turn_one_value_into_the_other(a: Value, b: Value) -> None:
    before = copy.deepcopy(a)
    changes = diff(a, b)
    assert same(apply(changes, a), b)
    assert same(a, before), "the value itself was changed"
    assert (not changes) == same(a, b)


@given(VALUES)
def test_a_value_is_the_same_as_its_copy(value: Value) -> None:
    other = copy.deepcopy(value)
    assert same(value, other)
    assert diff(value, other) == []


@given(st.lists(st.integers(0, 3), max_size=12), st.lists(st.integers(0, 3), max_size=12))
def test_lists_of_numbers(a: list[int], b: list[int]) -> None:
    changes = diff(a, b)
    assert apply(changes, a) == b
    for change in changes:  # removed items stand at their old place, all others at their new one
        index = change.path[0]
        assert (a[index] == change.old) if change.op == "remove" else (b[index] == change.new)


@given(st.permutations(range(8)), st.integers(0, 8))
def test_inserting_or_deleting_one_item_is_one_change(items: list[int], place: int) -> None:
    records = [{"id": item, "text": "x"} for item in items]
    longer = [*records[:place], {"id": "new"}, *records[place:]]
    assert diff(records, longer) == [Change("add", (place,), None, {"id": "new"})]
    assert diff(longer, records) == [Change("remove", (place,), {"id": "new"}, None)]


@pytest.mark.parametrize(
    ("a", "b"), [(1, True), (1, 1.0), (0, False), (0.0, -0.0), ("1", 1), (b"a", "a"), (None, 0), ([], {}), ("", None)]
)
def test_values_that_python_or_people_confuse_differ(a: Value, b: Value) -> None:
    assert diff(a, b) == [Change("replace", (), a, b)]
    assert len(diff([a], [b])) == 1
    assert len(diff({"x": {"y": a}}, {"x": {"y": b}})) == 1


def test_keys_that_python_takes_for_one_differ() -> None:
    assert diff({1: "x"}, {True: "x"}) == [Change("remove", (1,), "x", None), Change("add", (True,), None, "x")]
    assert diff({NAN: 1}, {float("nan"): 1}) == []


def test_nan_equals_itself() -> None:
    assert diff({"x": [float("nan")]}, {"x": [float("nan")]}) == []


def test_fields_of_the_same_class_are_compared() -> None:
    a = Typed("app", "Order", {"id": 7, "state": "new"}, "call**")
    assert diff({"o": a}, {"o": Typed("app", "Order", {"id": 7, "state": "paid"}, "call**")}) == [
        Change("replace", ("o", "state"), "new", "paid")
    ]
    other = Typed("app", "Bill", {"id": 7, "state": "new"}, "call**")
    assert diff({"o": a}, {"o": other}) == [Change("replace", ("o",), a, other)]
    scalar = Typed("app", "Color", "red", "call")
    assert diff(scalar, Typed("app", "Color", "blue", "call"))[0].path == ()


def test_sets_have_no_order() -> None:
    def a_set(*items: Value) -> Typed:
        return Typed("builtins", "set", [*items], "call")

    assert diff(a_set(1, 2, 3), a_set(3, 1, 2)) == []
    assert diff(a_set(1, 2), a_set(3, 2)) == [Change("remove", (0,), 1, None), Change("add", (1,), None, 3)]
    assert diff(Typed("collections", "deque", [1, 2], "call"), Typed("collections", "deque", [2, 1], "call")) != []


def _message(number: int, text: str = "") -> Typed:
    fields = {"content": text or f"text {number}", "type": "human", "id": f"m{number}", "name": None}
    return Typed("langchain_core.messages.human", "HumanMessage", fields, "pydantic2", "model_validate_json")


def test_messages_are_matched_by_id() -> None:
    old = {"messages": [_message(i) for i in range(6)]}
    new = {"messages": [_message(0), _message(1, "edited"), *(_message(i) for i in (3, 4, 5, 6))]}
    changes = diff(old, new)
    assert [(change.op, change.path) for change in changes] == [
        ("remove", ("messages", 2)),
        ("add", ("messages", 5)),
        ("replace", ("messages", 1, "content")),
    ]
    assert channel_summary(changes) == {"messages": "+1 −1 message, 1 changed"}


def test_a_delta_channel_grows_by_its_writes() -> None:
    old = {"log": DeltaValue([1], True, ("a",))}
    new = {"log": DeltaValue([1], True, ("a", "b"))}
    assert diff(old, new) == [Change("add", ("log", "writes", 1), None, "b")]
    assert same(apply(diff(old, new), old), new)


def test_summaries() -> None:
    old = {"n": 1, "gone": 1, "items": [1, 2, 3], "facts": {"a": 1, "b": 2}, "deep": [{"x": {"y": 1}}], "same": 1}
    new = {"n": 2, "new": 1, "items": [2, 3, 4, 5], "facts": {"a": 9, "c": 3}, "deep": [{"x": {"y": 2}}], "same": 1}
    assert channel_summary(diff(old, new)) == {
        "gone": "gone",
        "n": "changed",
        "items": "+2 −1 items",
        "facts": "+1 −1 key, 1 changed",
        "deep": "1 changed",
        "new": "new",
    }
    assert channel_summary(diff({"messages": []}, {"messages": [_message(1), _message(2)]})) == {
        "messages": "+2 messages"
    }
    assert channel_summary(diff({}, {})) == {}
    assert channel_summary(diff(1, 2)) == {}


def test_lines() -> None:
    assert line_diff("a\nb\nc", "a\nx\nc\nd") == [(" ", "a"), ("-", "b"), ("+", "x"), (" ", "c"), ("+", "d")]
    assert line_diff("", "") == [(" ", "")]


@given(st.lists(st.sampled_from("abc"), max_size=12), st.lists(st.sampled_from("abc"), max_size=12))
def test_lines_rebuild_both_texts(old: list[str], new: list[str]) -> None:
    lines = line_diff("\n".join(old), "\n".join(new))
    assert "\n".join(line for tag, line in lines if tag != "+") == "\n".join(old)
    assert "\n".join(line for tag, line in lines if tag != "-") == "\n".join(new)


def test_lines_of_huge_texts_are_not_matched_forever() -> None:
    chance = random.Random(1)
    old, new = ("\n".join(chance.choice("ab") for _ in range(20_000)) for _ in range(2))
    lines: list[tuple[str, str]] = []
    assert steps(lambda: lines.extend(line_diff(old, new))) < 100 * len(old)
    assert "\n".join(line for tag, line in lines if tag != "+") == old


@pytest.mark.parametrize(
    "make",
    [
        lambda n: ([i % 2 for i in range(n)], [i % 3 % 2 for i in range(n)]),
        lambda n: ([*range(n)], [*range(n)][::-1]),
        lambda n: (["x"] * n, ["x"] * (n // 2)),
        lambda n: ([{}] * n, [{"a": 1}] * n),
    ],
)
def test_cost_grows_almost_in_line_with_the_lists(
    make: Callable[[int], tuple[list[Value], list[Value]]],
) -> None:
    def cost(n: int) -> int:
        a, b = make(n)
        return steps(lambda: diff(a, b))

    assert cost(10_000) < 15 * cost(1_000)  # a square law would make it 100
