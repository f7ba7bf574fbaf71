"""How large threads are: a column of the list, measured in the background."""

from __future__ import annotations

from pathlib import Path

from backends.bulk.outcome import Progress
from backends.index import ThreadIndex
from backends.maintenance.size import open_sizes
from backends.model import StatusName, Summary, ThreadRow
from tui.app import LgtopApp
from tui.terminal import Terminal
from tui.verbs.many import proposed_file, word_for, wrong_file
from tui.verbs.many_offers import fitting
from tui.widgets.bulk_bars import bar
from tui.widgets.columns import COLUMNS, chosen
from tui.words import size

from .conftest import head, lines_of, sqlite_address, text_of, wait_for, wait_for_text
from .stores import add_thread


async def test_sizes_are_measured_for_what_is_in_sight_and_again_when_it_has_gone_on(store: Path) -> None:
    address = sqlite_address(store)
    app = LgtopApp(address, terminal=Terminal())
    async with app.run_test(size=(120, 30)) as pilot:
        await wait_for(pilot, lambda: app.index.counts.exact)
        rows = app.index.rows
        await wait_for(pilot, lambda: all(row.size for row in rows.values()))
        sizes = open_sizes(address)
        told = {one.thread_id: one.bytes for one in sizes.threads(None, "~")}
        sizes.close()
        assert {name: row.size for name, row in rows.items()} == told
        at = lines_of(app)[2].index("SIZE") + len("SIZE")
        line = next(line for line in lines_of(app) if "loan-0042" in line)
        assert line[:at].endswith(f" {size(told['loan-0042'])}")
        add_thread(store, "loan-0042", 3)
        await wait_for(pilot, lambda: (rows["loan-0042"].size or 0) > told["loan-0042"])


async def test_the_order_by_size_shows_the_column_on_a_narrow_screen(store: Path) -> None:
    add_thread(store, "doc-0003", 4)
    app = LgtopApp(sqlite_address(store), terminal=Terminal())
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_for(pilot, lambda: app.index.counts.exact)
        await pilot.pause(0.7)
        assert "SIZE" not in text_of(app)
        assert not any(row.size for row in app.index.rows.values())
        await pilot.press("o", *"jjjjjjj", "enter")
        await wait_for_text(pilot, "SIZE▾")
        await wait_for(pilot, lambda: all(row.size for row in app.index.rows.values()))
        sizes = [app.index.rows[name].size or 0 for name in app.index.order]
        assert sizes == sorted(sizes, reverse=True)


def test_the_size_has_a_column_where_there_is_room_or_it_was_asked_for() -> None:
    def names(asked: set[str], sort: str, width: int) -> set[str]:
        return {column.name for column in chosen(COLUMNS, asked, sort, width)}

    assert "size" in names(set(), "attention", 120)
    assert "size" not in names(set(), "attention", 119)
    assert names({"thread", "size"}, "attention", 80) == {"thread", "size"}
    assert names({"thread"}, "attention", 200) == {"thread"}
    assert names({"thread"}, "size", 80) == {"thread", "size"}
    assert names({"thread"}, "step", 80) == {"thread"}


def test_the_index_sorts_by_size_as_far_as_it_is_known() -> None:
    index = ThreadIndex()
    index.upsert([head("a"), head("b"), head("c")])
    index.set_view(index.view.query, "size")
    assert index.set_sizes({"b": 10, "c": 9_000, "gone": 1}) == {"b", "c"}
    assert index.set_sizes({"b": 10}) == set()
    assert list(index.order) == ["c", "b", "a"]
    index.upsert([head("b", step=9)])
    assert index.rows["b"].size == 10
    index.set_view(index.view.query, "size", reverse=True)
    assert list(index.order) == ["b", "c", "a"]


# What the bulk verbs work out by themselves


def test_a_bar_is_as_long_as_it_should_be_and_shows_everything_that_there_is() -> None:
    for progress in (
        Progress(3, done=3),
        Progress(100_000, pending=99_997, running=1, failed=1, stopped=1),
        Progress(7, 1, 1, 1, 1, 1, 1, 1),
        Progress(1, pending=1),
    ):
        pieces = bar(progress, 30)
        assert sum(len(piece[0]) for piece in pieces) == 30
    assert [piece[1] for piece in bar(Progress(1000, 997, 1, 1, 1), 30)] == ["done", "failed", "running", "faint"]


def test_what_has_to_be_typed_grows_with_what_is_lost() -> None:
    assert [word_for("", 1), word_for("", 12), word_for("prod", 1), word_for("prod", 12)] == [
        "",
        "12",
        "prod",
        "prod 12",
    ]


def test_a_file_is_proposed_that_is_not_there_and_none_is_written_over(tmp_path: Path, monkeypatch: object) -> None:
    monkeypatch.chdir(tmp_path)  # type: ignore[attr-defined]
    name = proposed_file(("../../etc/pass\x1b[2Jwd ☠",))
    assert "/" not in name
    assert name.isascii()
    assert name.endswith(".jsonl")
    assert proposed_file(("a", "b")).startswith("2-threads-")
    assert proposed_file(("☠",)).startswith("thread-")
    assert wrong_file(name) == ""
    (tmp_path / name).touch()
    assert wrong_file(name) == "there is such a file already"
    assert wrong_file("nowhere/x.jsonl") == "there is no such directory"
    assert wrong_file("") == wrong_file("a\0b") == "a name is needed"


def test_verbs_are_counted_by_what_they_fit() -> None:
    def row(name: str, status: str | None, questions: int = 0) -> ThreadRow:
        found = None if status is None else Summary(StatusName(status), "", (), questions, False)
        return ThreadRow(head(name), found)

    rows = [row("a", "failed"), row("b", "waiting", 1), row("c", "done"), row("d", "running"), row("e", None)]
    found = {action.value: count for action, count in fitting(rows, {"d"}).items()}
    assert found == {"resume": 2, "answer": 2, "stop": 1, "copy": 5, "delete": 4, "prune": 4, "export": 5}
