"""Every command explains itself to the last option, its examples can be typed, and its JSON has a schema."""

from __future__ import annotations

import argparse
import re
import shlex
from importlib import import_module

import pytest

from tests import schemas
from tui.cli import main
from tui.cli.arguments import Parser

SHAPES = {
    "open": (schemas.THREADS,),
    "ls": (schemas.THREADS,),
    "show": (schemas.SHOW,),
    "history": (schemas.HISTORY,),
    "diff": (schemas.DIFF,),
    "inbox": (schemas.INBOX,),
    "watch": (schemas.THREAD,),
    "du": (schemas.DU, schemas.DU_THREAD),
    "locks": (schemas.LOCKS,),
    "doctor": (schemas.DOCTOR,),
    "demo": (schemas.THREADS,),
    "run": (schemas.RESULT, schemas.PLAN, schemas.RUN),
    "resume": (schemas.RESULT, schemas.PLAN, schemas.RUN, schemas.BULK),
    "answer": (schemas.RESULT, schemas.PLAN, schemas.RUN, schemas.BULK),
    "fork": (schemas.RESULT, schemas.PLAN, schemas.RUN, schemas.COPIED),
    "edit": (schemas.RESULT, schemas.PLAN, schemas.RUN),
    "copy": (schemas.COPIED, schemas.PLAN, schemas.BULK),
    "stop": (schemas.RUN, schemas.BULK),
    "runs": (schemas.RUNS,),
    "log": (schemas.ACTIONS,),
    "undo": (schemas.ACTION,),
    "graphs": (schemas.GRAPHS, schemas.DRAWN),
    "export": (schemas.EXPORTED,),
    "import": (schemas.IMPORTED,),
    "rm": (schemas.BULK,),
    "prune": (schemas.BULK,),
    "audit": (schemas.AUDIT,),
}
"""What each command prints with ``--json``; the tests of each compare what it really prints with these."""

NAMES = (*main.COMMANDS, "open")


def module(name):
    return import_module(f"tui.cli.{name}{'_' * (name == 'import')}")


def parser_of(name):
    command = module(name)
    parser = Parser(f"lgtop {name}", command.DESCRIPTION, command.EXAMPLES)
    command.arguments(parser)
    return parser


def options_of(parser):
    return [action for action in parser._actions if not isinstance(action, argparse._HelpAction)]


@pytest.mark.parametrize("name", NAMES)
def test_help_is_complete(name):
    command, parser = module(name), parser_of(name)
    text = parser.format_help()
    assert len(command.SUMMARY) <= 100
    assert command.DESCRIPTION.strip()
    assert "examples:" in text
    for action in options_of(parser):
        assert action.help, f"{name}: {action.dest} is not explained"
        assert action.help is not argparse.SUPPRESS
        for option in action.option_strings:
            assert option in text
        takes_value = action.nargs != 0
        assert not takes_value or action.metavar, f"{name}: the value of {action.dest} has no name"


WITHOUT = {
    *("--exec", "--draw", "--follow", "--id", "--value", "--values", "--as-node", "--new-thread", "--as", "--break"),
    *("--run", "--thread", "--older-than", "--store", "--postgres"),
}
"""Options that may be left out and then mean nothing."""


@pytest.mark.parametrize("name", NAMES)
def test_what_may_be_left_out_has_a_default_that_is_told(name):
    for action in options_of(parser_of(name)):
        if action.option_strings and action.nargs != 0 and not action.required:
            told = "default" in action.help or "repeat" in action.help
            assert told or action.option_strings[-1] in WITHOUT, f"{name}: {action.dest}"


@pytest.mark.parametrize("name", NAMES)
def test_options_have_one_meaning_everywhere(name):
    options = {option for action in options_of(parser_of(name)) for option in action.option_strings}
    assert "--profile" in options
    assert ("-s" in options) == ("--store" in options)
    assert not {option for option in options if not re.fullmatch(r"-[a-z]|--[a-z]+(-[a-z]+)*", option)}


@pytest.mark.parametrize("name", NAMES)
def test_no_option_swallows_the_thread_behind_it(name):
    assert not [
        action.dest for action in options_of(parser_of(name)) if action.option_strings and action.nargs in ("+", "*")
    ]


@pytest.mark.parametrize("name", NAMES)
def test_every_json_output_has_a_schema(name):
    options = {option for action in options_of(parser_of(name)) for option in action.option_strings}
    if options & {"--json", "--jsonl"}:
        assert SHAPES.get(name), f"lgtop {name} --json is described by no schema"
    for schema in SHAPES.get(name, ()):
        items = schema.get("items", schema)
        assert items["additionalProperties"] is False
        assert set(items["required"]) == set(items["properties"])


@pytest.mark.parametrize("name", NAMES)
def test_examples_can_be_typed(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    typed = 0
    for words in examples(module(name).EXAMPLES):
        chosen = main._take_command(words) or "open"
        parser_of(chosen).parse_args(words)
        typed += chosen == name
    assert typed, f"no example of lgtop {name}"


def examples(text):
    """The words after ``lgtop`` of each example, up to the pipe; JSON from files and pipes stands for itself."""
    for line in text.strip().splitlines():
        words = shlex.split(re.sub(r"\$\(.*\)", "substituted", line))
        if "lgtop" in words:
            tail = words[words.index("lgtop") + 1 :]
            end = next((at for at, word in enumerate(tail) if word in ("|", ">", "<", "&&", ";")), len(tail))
            yield ["{}" if word == "-" or re.match("@[a-z]", word) else word for word in tail[:end]]
