"""A verb as text: Python that parses, a command that a shell takes apart again, and no password in either."""

from __future__ import annotations

import ast
import json
import subprocess
from importlib import import_module

import pytest

from backends.address import parse_address
from backends.control.call import command_line, python_call, quote
from backends.control.plan import Intent
from backends.runs.spec import GraphRef
from tui.cli.arguments import Parser

GRAPH = GraphRef("./src/graph.py:graph", "/project", "docs", python="/venv/bin/python")
FILE = parse_address("/data/my store.sqlite", {})
EVERY = [
    Intent("start", "doc-7", input={"x": [1, None, True]}, durability="async", step=True, recursion_limit=9),
    Intent("start", "it's", input="‹ü›\x1b[31m\n", config={"user": "me"}, context={"k": 1}),
    Intent("resume", "doc-7"),
    Intent("retry", "doc-7", checkpoint="1f0c"),
    Intent("answer", "doc-7", answers={"aa": "yes"}),
    Intent("answer", "doc-7", answers={"aa": "yes", "bb": {"n": 1}}),
    Intent("fork", "doc-7", checkpoint="1f0c"),
    Intent("fork", "doc-7", checkpoint="1f0c", values={"x": 1}, as_node="review", run_after=False),
    Intent("fork", "doc-7", checkpoint="1f0c", ns="sub:1", values={"x": 1, "y": 2}, as_node="a b", replace=("y",)),
    Intent("edit", "doc-7", values={"x": {"$type": "app.Order", "value": {}}}, as_node="review"),
    Intent("copy", "doc-7", target="new one"),
    Intent("branch", "doc-7", checkpoint="1f0c", target="new"),
]


def argv(command: str) -> list[str]:
    """What a shell makes of a command."""
    done = subprocess.run(
        ["/bin/sh", "-c", f"lgtop() {{ for word; do printf '%s\\0' \"$word\"; done; }}; {command}"],
        capture_output=True,
        check=True,
    )
    return done.stdout.decode(errors="surrogateescape").split("\0")[:-1]


@pytest.mark.parametrize("intent", EVERY, ids=lambda intent: intent.verb)
def test_the_call_is_python_on_printable_lines(intent):
    text = python_call(intent)
    ast.parse(text)
    assert all(line.isprintable() for line in text.splitlines())


def test_the_calls():
    thread = "{'configurable': {'thread_id': 'doc-7'"
    assert python_call(Intent("resume", "doc-7")) == f"graph.stream(None, {thread}}}}}, durability='sync')"
    assert python_call(EVERY[0]) == (
        f"graph.stream({{'x': [1, None, True]}}, {thread}}}, 'recursion_limit': 9}}, durability='async',"
        ' interrupt_before="*")'
    )
    assert python_call(EVERY[4]) == (
        f"graph.stream(Command(resume={{'aa': 'yes'}}), {thread}, '__pregel_strict_resume': True}}}},"
        " durability='sync')"
    )
    assert python_call(EVERY[8]).splitlines() == [
        f"graph.update_state({thread}, 'checkpoint_ns': 'sub:1', 'checkpoint_id': '1f0c'}}}},"
        " {'x': 1, 'y': Overwrite(2)}, as_node='a b')",
        f"graph.stream(None, {thread}}}}}, durability='sync')",
    ]
    assert python_call(EVERY[8], awaited=True) == python_call(EVERY[8]).replace("graph.", "graph.a")
    assert "rows are copied" in python_call(EVERY[10])


@pytest.mark.parametrize("intent", EVERY, ids=lambda intent: intent.verb)
def test_the_command_is_one_that_lgtop_takes(intent):
    command = command_line(intent, GRAPH, FILE)
    assert command.isprintable()
    verb, *words = argv(command)
    module = import_module(f"tui.cli.{verb}")
    parser = Parser(f"lgtop {verb}", "", "")
    module.arguments(parser)
    options = parser.parse_args(words)
    assert options.store == "/data/my store.sqlite"
    assert getattr(options, "threads", None) == [intent.thread_id] or options.thread == intent.thread_id
    if intent.verb not in ("copy", "branch"):
        assert (options.graph, options.python) == ("docs", "/venv/bin/python")


def test_values_arrive_as_they_were():
    words = argv(command_line(EVERY[1], GRAPH, FILE))
    assert json.loads(words[words.index("--input") + 1]) == EVERY[1].input
    assert json.loads(words[words.index("--config") + 1]) == {"user": "me"}


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://me:s3cret@db/app", "postgresql://me@db/app"),
        ("postgresql://me:s3cret@db/app?password=s3cret&sslmode=require", "postgresql://me@db/app?sslmode=require"),
        ("postgresql://db/app?sslmode=require&password=s3cret", "postgresql://db/app?sslmode=require"),
        ("host=db password='s3cret x' dbname=app", "host=db dbname=app"),
    ],
)
def test_a_password_is_left_out_and_the_address_stays_one(address, shown):
    command = command_line(Intent("resume", "t"), None, parse_address(address, {}))
    assert "s3cret" not in command
    assert "•" not in command
    assert argv(command)[2] == shown


def test_what_is_too_long_is_read_from_standard_input():
    intent = Intent("start", "t", input={"text": "x" * 10_000})
    assert "--input=- " in command_line(intent, GRAPH, FILE)
    assert len(python_call(intent)) < 200
    ast.parse(python_call(intent))


@pytest.mark.parametrize(
    "word", ["a b", "it's", "\x1b[31m'\\%s", "-n\x07", "a\nb", "\u202eevil", "\udcff\x01", "", "$HOME`x`"]
)
def test_quoting_survives_a_shell(word):
    assert quote(word).isprintable()
    assert argv(f"lgtop {quote(word)}") == [word]
