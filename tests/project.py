"""A user's project: graphs, ``langgraph.json``, and packages of its own that have the names of ours."""

from __future__ import annotations

import json
from pathlib import Path

FLOW = '''
"""Three steps in a row; the middle one can be kept waiting, and made to fail."""

import operator
import os
import sys
import time
from pathlib import Path
from typing import Annotated, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.types import interrupt

import backends
import tui
from demo_graphs import NAME


class State(TypedDict, total=False):
    gate: str
    fail: str
    text: str
    done: Annotated[list, operator.add]


def first(state):
    print("stdout of \\x1b[31mfirst\\x1b[0m")
    return {"done": [f"first of {NAME}"]}


def second(state):
    print("stderr of second", file=sys.stderr)
    while state.get("gate") and not Path(state["gate"]).exists():
        time.sleep(0.005)
    if state.get("fail") and not Path(state["fail"]).exists():
        raise ConnectionError("\\x1b]0;owned\\x07 refused")
    return {"done": ["second"]}


def third(state):
    return {"done": ["third"]}


builder = StateGraph(State)
builder.add_sequence([first, second, third])
builder.add_edge(START, "first")
builder.add_edge("third", END)
graph = builder.compile(name="flow")


class Asked(TypedDict, total=False):
    amount: int
    said: Annotated[dict, operator.or_]


YES_OR_NO = {"type": "object", "properties": {"approved": {"type": "boolean"}}, "required": ["approved"]}


def ask(who):
    def node(state):
        answer = interrupt({"question": f"May {who} spend {state['amount']}?"}, response_schema=YES_OR_NO)
        return {"said": {who: answer}}

    return node


asking = StateGraph(Asked)
for who in ("finance", "legal"):
    asking.add_node(who, ask(who))
    asking.add_edge(START, who)
asking.add_node("decide", lambda state: {"said": {"outcome": all(a["approved"] for a in state["said"].values())}})
asking.add_edge(["finance", "legal"], "decide")
asking = asking.compile(name="asking")
'''

BROKEN = 'raise RuntimeError("no \\x1b[2Jdatabase")\n'
CONFIG = {
    "dependencies": ["."],
    "env": {"PROJECT_NAME": "the project"},
    "graphs": {"flow": "./src/flow.py:graph", "asking": "./src/flow.py:asking", "broken": "./src/broken.py:graph"},
}


def make_project(folder: Path) -> Path:
    """Write the project; its packages ``backends``, ``tui`` and ``demo_graphs`` stand in front of nobody else's."""
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "flow.py").write_text(FLOW)
    (folder / "src" / "broken.py").write_text(BROKEN)
    for name in ("tui", "backends", "tests", "demo_graphs"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text("")
    (folder / "demo_graphs" / "__init__.py").write_text('import os\n\nNAME = os.environ["PROJECT_NAME"]\n')
    (folder / "langgraph.json").write_text(json.dumps(CONFIG))
    return folder
