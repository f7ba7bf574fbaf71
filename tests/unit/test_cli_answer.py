"""Which answer is for which question."""

from argparse import Namespace

import pytest

from backends.errors import Refused
from tui.cli.answer import _addressed, _pairs
from tui.cli.arguments import UsageError


def options(ids=(), values=(), table=None):
    return Namespace(id=list(ids), value=list(values), values=table, prog="lgtop answer")


@pytest.mark.parametrize(
    ("given", "pairs"),
    [
        (options(values=[True]), [(None, True)]),
        (options(["a"], [None]), [("a", None)]),
        (options(["a", "b"], [1, 2]), [("a", 1), ("b", 2)]),
        (options(table={"a": 1, "b": {"c": 2}}), [("a", 1), ("b", {"c": 2})]),
    ],
)
def test_answers_and_ids_are_paired_in_their_order(given, pairs):
    assert _pairs(given) == pairs


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (options(), "An answer is wanted"),
        (options(["a"]), "An answer is wanted"),
        (options(values=[1, 2]), "2 --value to 0 --id"),
        (options(["a"], [1, 2]), "2 --value to 1 --id"),
        (options(["a", "b"], [1]), "1 --value to 2 --id"),
        (options(["a", "a"], [1, 2]), "given twice"),
        (options(["a"], [1], {"b": 2}), "Give either --values"),
    ],
)
def test_what_cannot_be_paired(given, said):
    with pytest.raises(UsageError, match=said):
        _pairs(given)


@pytest.mark.parametrize(
    ("given", "waiting", "answers"),
    [
        ([(None, 1)], ["aa"], {"aa": 1}),
        ([("a", 1)], ["aa", "bb"], {"aa": 1}),
        ([("aa", 1)], ["aa", "aab"], {"aa": 1}),
        ([("aa", 1), ("b", 2)], ["aa", "bb"], {"aa": 1, "bb": 2}),
        ([("gone", 1)], ["aa"], {"gone": 1}),
    ],
)
def test_an_id_may_be_the_beginning_of_one(given, waiting, answers):
    assert _addressed(given, waiting) == answers


@pytest.mark.parametrize(
    ("given", "waiting", "said"),
    [
        ([(None, 1)], [], "does not wait for an answer"),
        ([(None, 1)], ["aa", "bb"], "waits with 2 questions: aa, bb. Name one with --id."),
        ([("a", 1)], ["aa", "ab"], "a may be any of 2 questions"),
        ([("a", 1), ("aa", 2)], ["aab"], "Two answers are for the same question aab"),
    ],
)
def test_a_question_that_is_not_clear(given, waiting, said):
    with pytest.raises(Refused) as caught:
        _addressed(given, waiting)
    assert said in str(caught.value)
