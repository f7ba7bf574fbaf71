"""What may be imported when: import-linter reads the static graph, this test reads `sys.modules`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("langgraph", "langchain_core", "pydantic", "psycopg", "watchfiles", "numpy", "Crypto")
SCREEN = ("textual", "rich")


def modules_after(statement: str) -> set[str]:
    """Top-level modules in a fresh interpreter after `statement`."""
    code = f"import sys, json\n{statement}\nprint(json.dumps(sorted({{m.split('.')[0] for m in sys.modules}})))"
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(out.stdout))


def every_backend_module() -> list[str]:
    return sorted(
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in (ROOT / "backends").rglob("*.py")
        if path.name != "__init__.py" and "worker" not in path.parts
    )


def test_backends_import_nothing_heavy_and_no_screen():
    loaded = modules_after("; ".join(f"import {name}" for name in every_backend_module()))
    assert loaded.isdisjoint(HEAVY + SCREEN)


@pytest.mark.parametrize("module", ["lgtop", "tui.cli.main"])
def test_the_command_line_starts_without_screen_and_graphs(module):
    loaded = modules_after(f"import {module}")
    assert loaded.isdisjoint((*HEAVY, *SCREEN, "asyncio"))


def test_the_app_starts_without_langgraph():
    loaded = modules_after("import tui.app")
    assert loaded.isdisjoint(("langgraph", "langchain_core", "pydantic", "psycopg", "watchfiles", "numpy"))


def test_backends_use_relative_imports_only():
    absolute = [
        f"{path.name}: {line}"
        for path in (ROOT / "backends").rglob("*.py")
        for line in path.read_text().splitlines()
        if line.lstrip().startswith(("import backends", "from backends"))
    ]
    assert absolute == []
