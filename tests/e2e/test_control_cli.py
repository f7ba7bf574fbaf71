"""Every control command as a person or a script uses it, on both stores, from a project with packages named as ours."""

import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import langgraph.pregel
import pytest

from tests import schemas
from tests.postgres import PASSWORD
from tests.project import FLOW as SOURCE
from tests.project import make_project

from .commands import Commands

FLOW = ("run", "--graph", "flow")


BOTH = pytest.mark.parametrize("kind", ["sqlite", "postgres"])


@pytest.fixture
def kind():
    return "sqlite"


@pytest.fixture
def lgtop(request, kind, tmp_path):
    """The commands, on a store that nobody has made yet."""
    new_database = request.getfixturevalue("postgres_database") if kind == "postgres" else None
    store = new_database(None) if new_database else str(tmp_path / "new.sqlite")
    commands = Commands(make_project(tmp_path / "project"), store, tmp_path / "state")
    yield commands
    commands.end_everything()


def held(lgtop, thread, *words):
    """Start the flow; it waits in the middle of its second step for the file that is given back."""
    gate = lgtop.project / f"{thread}.gate"
    given = json.dumps({"gate": str(gate)})
    started = lgtop.start(*FLOW, "--thread", thread, "--input", given, "--json", *words)
    lgtop.until(lambda: any(run["nodes"] == {"second": 1} for run in lgtop.json("runs", "--live")))
    return started, gate


def ids_of(questions):
    return {question["node"]: question["id"] for question in questions}


@BOTH
def test_run_makes_the_store_and_a_thread_with_a_readable_id(lgtop):
    code, out, err = lgtop.run(*FLOW, "--input", "-", "--json", given='{"text": "Ærø"}')
    assert code == 0, err
    result = json.loads(out)
    schemas.check(result, schemas.RESULT)
    assert (result["state"], result["exit"], result["graph"], result["verb"]) == ("done", 0, "flow", "start")
    assert (result["tasks_started"], result["tasks_finished"]) == (3, 3)
    assert re.fullmatch(r"flow-\d{8}-\d{4}-\w+", result["thread_id"])
    assert result["thread"]["status"] == "done"
    assert result["thread"]["metadata"]["lgtop_run"] == result["run_id"]
    assert lgtop.state(result["thread_id"]) == {"text": "Ærø", "done": ["first of the project", "second", "third"]}
    assert "│ stdout  stdout of ␛[31mfirst" in err
    assert "│ stderr  stderr of second" in err
    assert "✓ third" in err

    runs = lgtop.json("runs")
    schemas.check(runs, schemas.RUNS)
    assert runs == [{key: value for key, value in result.items() if key != "thread"}]
    assert lgtop.json("runs", "--follow", runs[0]["run_id"][-4:]) == runs[0]
    events = [json.loads(line) for line in lgtop.run("runs", "--follow", runs[0]["run_id"], "--jsonl")[1].splitlines()]
    assert (events[0]["kind"], events[-1]["kind"], events[-1]["outcome"]) == ("started", "end", "done")
    assert lgtop.run("runs")[1].splitlines()[1].split()[:3] == [runs[0]["run_id"], "✓", "done"]


@BOTH
def test_questions_are_answered_in_any_order_and_an_answer_that_does_not_fit_is_refused(lgtop):
    asked = lgtop.json("run", "--graph", "asking", "--thread", "loan", "--input", '{"amount": 7}')
    schemas.check(asked, schemas.RESULT)
    assert (asked["state"], asked["thread"]["status"]) == ("waiting", "waiting")
    ids = ids_of(lgtop.json("inbox"))
    assert set(ids) == {"finance", "legal"}

    code, _, err = lgtop.run("answer", "loan", "--value", '{"approved": true}')
    assert (code, "waits with 2 questions" in err) == (5, True)
    code, _, err = lgtop.run("answer", "loan", "--id", ids["legal"], "--value", '"perhaps"')
    assert code == 5, err
    code, _, err = lgtop.run("answer", "loan", "--id", "f" * 32, "--value", '{"approved": true}')
    assert code == 5, err
    assert ids_of(lgtop.json("inbox")) == ids

    words = ("answer", "loan", "--id", ids["legal"][:8], "--value", '{"approved": true}')
    plan = lgtop.json(*words, "--dry-run")
    schemas.check(plan, schemas.PLAN)
    assert (plan["verb"], plan["refusal"], plan["graph"]) == ("answer", None, "asking")
    assert ids["legal"] in plan["command"]

    first = lgtop.json(*words)
    assert (first["state"], ids_of(first["thread"]["interrupts"])) == ("waiting", {"finance": ids["finance"]})
    last = lgtop.json("answer", "loan", "--value", '{"approved": false}')
    assert (last["state"], last["thread"]["status"]) == ("done", "done")
    said = {"legal": {"approved": True}, "finance": {"approved": False}, "outcome": False}
    assert lgtop.state("loan")["said"] == said
    code, _, err = lgtop.run("answer", "loan", "--value", "1")
    assert (code, "does not wait" in err) == (5, True)


@BOTH
def test_a_killed_run_is_seen_and_resumed_without_doing_work_again(lgtop):
    started, gate = held(lgtop, "doomed", "--detach")
    code, out, _ = started.ends()
    begun = json.loads(out)
    schemas.check(begun, schemas.RESULT)
    assert (code, begun["thread"]) == (0, None)
    assert begun["state"] in ("running", "starting")
    running = lgtop.thread("doomed")
    assert (running["status"], begun["run_id"] in running["running_by"]) == ("running", True)

    for words in (
        ("resume", "doomed"),
        ("resume", "doomed", "--dry-run"),
        (*FLOW, "--thread", "doomed", "--input", "{}"),
    ):
        code, _, err = lgtop.run(*words)
        assert code == 4, err
    assert begun["run_id"] in lgtop.run("resume", "doomed")[2]

    stopped = lgtop.json("stop", "doomed", "--kill")
    schemas.check(stopped, schemas.RUN)
    assert (stopped["run_id"], stopped["state"]) == (begun["run_id"], "crashed")
    assert lgtop.thread("doomed")["status"] == "crashed"
    code, _, err = lgtop.run("stop", "doomed")
    assert (code, "Nothing runs" in err) == (5, True)

    gate.touch()
    resumed = lgtop.json("resume", "doomed")
    assert (resumed["state"], resumed["graph"]) == ("done", "flow")
    assert lgtop.state("doomed")["done"] == ["first of the project", "second", "third"]
    assert [run["verb"] for run in lgtop.json("runs", "--thread", "doomed")] == ["resume", "start"]


@BOTH
def test_ctrl_c_drains_and_once_more_cancels(lgtop):
    started, gate = held(lgtop, "gentle")
    started.ctrl_c()
    started.hears("stop  before the next superstep")
    gate.touch()
    code, out, _ = started.ends()
    assert (code, json.loads(out)["state"]) == (130, "drained")
    assert lgtop.state("gentle")["done"] == ["first of the project", "second"]
    thread = lgtop.thread("gentle")
    assert (thread["status"], thread["next"]) == ("paused", ["third"])
    assert lgtop.json("resume", "gentle")["state"] == "done"

    started, gate = held(lgtop, "hasty")
    started.ctrl_c()
    started.hears("stop  before the next superstep")
    started.ctrl_c()
    code, out, _ = started.ends()
    assert (code, json.loads(out)["state"]) == (130, "cancelled")
    gate.touch()
    assert lgtop.json("resume", "hasty")["state"] == "done"
    assert lgtop.state("hasty")["done"] == ["first of the project", "second", "third"]


def test_a_run_outlives_the_command_that_started_it_and_is_stopped_by_another(lgtop):
    started, gate = held(lgtop, "alone")
    started.kill()
    started.ends()
    (run,) = lgtop.json("runs", "--live", "--thread", "alone")
    assert (run["thread_id"], run["state"], run["nodes"]) == ("alone", "running", {"second": 1})

    stopping = lgtop.start("stop", "alone", "--json")
    stopping.hears("stop  before the next superstep")
    gate.touch()
    code, out, _ = stopping.ends()
    assert (code, json.loads(out)["state"]) == (0, "drained")


def test_a_failure_is_told_and_the_step_tried_again(lgtop):
    mended = lgtop.project / "mended"
    given = json.dumps({"fail": str(mended)})
    code, out, err = lgtop.run(*FLOW, "--thread", "sick", "--input", given, "--json")
    failed = json.loads(out)
    assert (code, failed["state"], failed["thread"]["status"]) == (1, "failed", "failed")
    assert "ConnectionError" in failed["reason"]
    assert "✖ second  ConnectionError" in err
    mended.touch()
    retried = lgtop.json("resume", "sick", "--retry", "--durability", "async")
    assert (retried["state"], retried["durability"]) == ("done", "async")
    assert lgtop.state("sick")["done"] == ["first of the project", "second", "third"]


def test_single_steps(lgtop):
    result = lgtop.json(*FLOW, "--thread", "steps", "--input", '{"text": "x"}', "--step")
    for done, follows in enumerate(("first", "second", "third")):
        assert (result["state"], result["thread"]["next"]) == ("paused", [follows])
        assert len(lgtop.state("steps").get("done", [])) == done
        result = lgtop.json("resume", "steps", "--step")
    assert result["state"] == "done"


def test_forks_edits_and_copies(lgtop):
    lgtop.json(*FLOW, "--thread", "one", "--input", '{"text": "old"}')
    head = lgtop.json("show", "one")["checkpoint_id"]

    written = lgtop.json("edit", "one", "--values", '{"text": "new", "done": ["edited"]}', "--as-node", "second")
    assert (written["state"], written["thread"]["next"]) == ("done", ["third"])
    assert lgtop.state("one")["done"][-1] == "edited"
    replaced = ("edit", "one", "--values", '{"done": []}', "--replace", "done", "--as-node", "first")
    code, _, err = lgtop.run(*replaced, "--expect", head)
    assert code == 5, err
    lgtop.json(*replaced)
    assert lgtop.json("resume", "one")["state"] == "done"
    assert lgtop.state("one") == {"text": "new", "done": ["second", "third"]}
    code, _, err = lgtop.run("edit", "one", "--values", "{}", "--as-node", "nobody")
    assert (code, "first" in err and "third" in err) == (5, True), err

    before = lgtop.json("show", "one")
    lgtop.json("edit", "one", "--values", '{"text": "oops"}', "--as-node", "third")
    assert lgtop.state("one")["text"] == "oops"
    (last,) = lgtop.json("log", "--limit", "1")
    undone = lgtop.json("undo", last["action_id"][-8:])
    schemas.check(undone, schemas.ACTION)
    assert (undone["verb"], undone["undone"]) == ("edit", True)
    assert lgtop.json("show", "one") == before

    forked = lgtop.json("fork", "one", "--checkpoint", head[:23], "--values", '{"text": "fork"}', "--as-node", "second")
    assert forked["state"] == "done"
    assert lgtop.state("one")["text"] == "fork"
    parents = {row["id"]: row["parent"] for row in lgtop.json("history", "one")}
    assert list(parents.values()).count(head) == 2

    branched = lgtop.json("fork", "one", "--checkpoint", "@1", "--new-thread", "two")
    schemas.check(branched, schemas.COPIED)
    assert (branched["thread_id"], branched["copied_from"]) == ("two", "one")
    assert lgtop.json("resume", "two")["state"] == "done"

    copied = lgtop.json("copy", "one", "three")
    schemas.check(copied, schemas.COPIED)
    assert copied["checkpoints"] == lgtop.thread("one")["checkpoints"]
    assert lgtop.json("show", "three")["state"] == lgtop.json("show", "one")["state"]
    code, _, err = lgtop.run("copy", "one", "three")
    assert (code, "already" in err) == (5, True)


def test_a_project_with_an_interpreter_of_its_own(lgtop):
    home = lgtop.project / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    (packages,) = home.glob("lib/python*/site-packages")
    (packages / "langgraph.pth").write_text(f"{Path(langgraph.pregel.__file__).parents[2]}\n")
    (packages / "only_here.py").write_text("SAID = 'ours'\n")
    (lgtop.project / "src" / "app.py").write_text(f"import only_here\n{SOURCE}")
    config = json.loads((lgtop.project / "langgraph.json").read_text())
    config["graphs"]["app"] = "./src/app.py:graph"
    (lgtop.project / "langgraph.json").write_text(json.dumps(config))
    words = ("run", "--graph", "app", "--input", "{}", "--thread", "t")

    code, out, err = lgtop.run(*words)
    assert (code, out) == (5, "")
    assert "No module named 'only_here'" in err
    result = lgtop.json(*words, "--python", ".venv")
    assert (result["state"], result["thread"]["status"]) == ("done", "done")
    again = lgtop.json("fork", "t", "--checkpoint", "@1")
    assert (again["state"], again["graph"]) == ("done", result["graph"])
    code, _, err = lgtop.run(*words, "--python", "/nowhere/python")
    assert (code, "There is no Python interpreter" in err) == (5, True)


def test_graphs_are_listed_and_drawn_and_a_broken_one_says_why(lgtop):
    graphs = lgtop.json("graphs")
    schemas.check(graphs, schemas.GRAPHS)
    assert [graph["name"] for graph in graphs] == ["flow", "asking", "broken"]
    drawn = lgtop.json("graphs", "--draw", "flow")
    schemas.check(drawn, schemas.DRAWN)
    assert [node["name"] for node in drawn["drawing"]["nodes"]][1:4] == ["first", "second", "third"]
    assert "first -> second" in lgtop.run("graphs", "--draw", "src/flow.py:graph")[1]
    for words in (("graphs", "--draw", "broken"), ("run", "--graph", "broken", "--input", "{}")):
        code, out, err = lgtop.run(*words)
        assert (code, out) == (5, "")
        assert "RuntimeError: no ␛[2Jdatabase" in err
    assert lgtop.run("run", "--graph", "flw", "--input", "{}")[0] == 5
    assert lgtop.run("resume", "nobody")[0] in (3, 6)


def test_a_password_is_in_no_output_no_record_and_no_command_line(postgres_database, postgres_role, tmp_path):
    url = postgres_role(postgres_database(None), "GRANT ALL ON SCHEMA public TO {role}")
    secrets = (PASSWORD, quote(PASSWORD, safe=""), "hunter2")
    commands = Commands(make_project(tmp_path / "project"), url, tmp_path / "state")
    gate = tmp_path / "gate"
    given = json.dumps({"gate": str(gate)})
    started = commands.start(*FLOW, "--thread", "t", "--input", given, "--config", '{"key": "hunter2"}', "--json")
    commands.until(lambda: any(run["nodes"] for run in commands.json("runs", "--live")))
    listed = subprocess.run(["ps", "axww", "-o", "args"], capture_output=True, text=True, check=True).stdout
    workers = [line for line in listed.splitlines() if "worker/__main__.py" in line]
    assert workers
    assert not [secret for secret in secrets for line in workers if secret in line]
    gate.touch()
    code, out, err = started.ends()
    assert code == 0, err
    result = json.loads(out)
    assert result.pop("thread")["metadata"]["key"] == "hunter2"  # LangGraph keeps what is configured in the store
    told = [json.dumps(result), err, *commands.run("log", "--json"), *commands.run("runs", "--json")]
    told += commands.run("answer", "t", "--value", "1", "--dry-run")
    told += [path.read_text() for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert len(told) > 10
    assert not [secret for secret in secrets for text in map(str, told) if secret in text]


SHOP = """
from dataclasses import dataclass
from enum import Enum
from typing import TypedDict

from langgraph.graph import START, StateGraph
from langgraph.types import interrupt

from .prices import PRICES


class Size(Enum):
    LARGE = "large"


@dataclass
class Order:
    size: Size


class State(TypedDict, total=False):
    order: Order
    price: int


def take(state):
    return {"order": Order(Size.LARGE)}


def price(state):
    assert isinstance(state["order"], Order), type(state["order"]).__module__
    assert state["order"].size is Size.LARGE
    return {"price": interrupt("How many?") * PRICES[state["order"].size.value]}


graph = StateGraph(State).add_sequence([take, price]).add_edge(START, "take").compile()
"""
APPLICATION = """
import sys
from langgraph.checkpoint.sqlite import SqliteSaver
from shop.graph import graph, Order
with SqliteSaver.from_conn_string(sys.argv[1]) as saver:
    graph.checkpointer = saver
    config = {"configurable": {"thread_id": "t"}}
    if sys.argv[2:]:
        assert isinstance(graph.get_state(config).values["order"], Order)
    else:
        graph.invoke({}, config)
"""


def test_classes_of_the_application_are_the_same_classes_here(lgtop):
    shop = lgtop.project / "shop"
    shop.mkdir()
    (shop / "__init__.py").write_text("")
    (shop / "prices.py").write_text("PRICES = {'large': 3}\n")
    (shop / "graph.py").write_text(SHOP)
    (lgtop.project / "application.py").write_text(APPLICATION)
    application = [sys.executable, "application.py", lgtop.store]
    subprocess.run(application, cwd=lgtop.project, check=True)

    result = lgtop.json("answer", "t", "--value", "2", "--graph", "shop/graph.py:graph")
    assert (result["state"], lgtop.state("t")["price"]) == ("done", 6)
    assert lgtop.state("t")["order"]["$type"] == "shop.graph.Order"
    given = {"order": lgtop.state("t")["order"], "price": 7}
    lgtop.json("edit", "t", "--values", json.dumps(given), "--as-node", "price")
    assert lgtop.state("t") == given
    subprocess.run([*application, "look"], cwd=lgtop.project, check=True)
