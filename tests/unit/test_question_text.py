"""What a question asks, on one line, whatever shape the application gave it."""

import pytest

from backends.questions import question_text


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("Approve 12 000 €?", "Approve 12 000 €?"),
        ({"question": "Approve?", "amount": 12}, "Approve?"),
        ({"message": "Go on?", "description": "a long letter"}, "Go on?"),
        ({"question": "  ", "prompt": "Which one?"}, "Which one?"),
        ([{"question": "Approve?"}], "Approve?"),
        ({"action_requests": [{"name": "send", "args": {"to": "a"}}]}, '{send: {to: "a"}}'),
        ([{"action_request": {"action": "send", "args": {"to": "a"}}, "description": "x"}], '{send: {to: "a"}}'),
        ({"amount": 12}, "{amount: 12}"),
        ({"question": 7}, "{question: 7}"),
        ([], "[]"),
        (None, "None"),
    ],
)
def test_what_a_question_asks(value, line):
    assert question_text(value).replace('"', "") == line.replace('"', "")


def test_a_hostile_question_stays_on_its_line():
    line = question_text({"question": "a\x1b[2J\nb" + "x" * 10_000}, 50)
    assert "\x1b" not in line
    assert "\n" not in line
    assert len(line) <= 50
