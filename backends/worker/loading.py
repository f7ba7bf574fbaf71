"""The user's graph: imported as ``langgraph dev`` imports it, in any of the forms that it takes.

The forms (``langgraph_api/graph.py``): a compiled graph, a ``StateGraph``, or a callable with no, one or two
parameters (the configuration, the server's runtime) that gives one, a coroutine for one, or a context manager, sync or
async, around one.
"""

from __future__ import annotations

import asyncio
import copy
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from pathlib import Path
from types import ModuleType
from typing import Any

from ..errors import Refused
from ..runs.spec import GraphRef
from .ending import one_sentence
from .loop import Loop

_JAVASCRIPT = (".ts", ".mts", ".cts", ".tsx", ".js", ".mjs", ".cjs", ".jsx")
_OUR_NAMES = frozenset(("backends", "tui", "demo_graphs", "tests", "lgtop"))
"""Top-level names that lgtop's own installation may bring into a project's environment."""


class _ProjectFirst(importlib.abc.MetaPathFinder):
    """Finds a project's own package where lgtop, installed beside it, has one of the same name."""

    def __init__(self, directories: Sequence[str]) -> None:
        self._directories = list(directories)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if path is not None or fullname not in _OUR_NAMES:
            return None
        found = importlib.machinery.PathFinder.find_spec(fullname, self._directories)
        return found if found is not None and found.loader is not None else None


def prepare_path(ref: GraphRef) -> None:
    """Put the project's directories at the end of ``sys.path`` (``langgraph_cli/cli.py:828-834``)."""
    directories = [ref.root, *ref.dependencies]
    sys.path += [directory for directory in directories if directory not in sys.path]
    sys.meta_path.insert(0, _ProjectFirst(directories))


def load_target(ref: GraphRef) -> Any:
    """Import what a reference names; this runs the user's module.

    Returns:
        The object, of any form.

    Raises:
        Refused: It is JavaScript, or there is no such file, module or name.
        Exception: Whatever the module raises.
    """
    module_name, _, name = ref.target.rpartition(":")
    if module_name.endswith(_JAVASCRIPT):
        raise Refused(f"{ref.name} is a JavaScript graph.", "lgtop runs Python graphs only.")
    if not module_name or not name:
        raise Refused(f"{ref.target!r} names no graph.", "Write path/file.py:name or package.module:name.")
    module = _from_file(ref, module_name) if "/" in module_name else _from_name(module_name)
    try:
        return getattr(module, name)
    except AttributeError:
        known = ", ".join(_graphs_in(module)) or "none"
        raise Refused(f"There is no {name!r} in {module_name}.", f"Graphs in it: {known}.") from None


def _from_file(ref: GraphRef, path_text: str) -> ModuleType:
    """Import a file: as the module that it is to the rest of the project, where it is one.

    Under another name it would be a second module with classes of its own: those that the application has stored would
    be instances of strangers to the graph's code, and those stored here could not be found by the application. Only a
    file that nothing can import gets the name that LangGraph's server gives it (``langgraph_api/graph.py:880``).
    """
    path = (Path(ref.root) / path_text).resolve()
    if not path.is_file():
        raise Refused(f"There is no file {path}.", "Paths in langgraph.json are relative to its directory.")
    if (known := _importable_name(path)) is not None:
        return importlib.import_module(known)
    name = str(path).replace("/", "__").replace(".py", "").replace(" ", "_").lstrip(".")
    found = importlib.util.spec_from_file_location(name, path)
    if found is None or found.loader is None:
        raise Refused(f"{path} is not a Python file.")
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module
    found.loader.exec_module(module)
    return module


def _importable_name(path: Path) -> str | None:
    """The name by which an ``import`` statement finds a file, from the nearest directory of ``sys.path`` around it."""
    around = {Path(entry).resolve() for entry in sys.path if entry}
    for directory in sorted(around.intersection(path.parents), key=lambda entry: len(entry.parts), reverse=True):
        parts = path.relative_to(directory).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if parts and all(part.isidentifier() for part in parts) and _is_found_in(directory, parts[0], path):
            return ".".join(parts)
    return None


def _is_found_in(directory: Path, top: str, path: Path) -> bool:
    """Whether importing a top-level name leads into this directory, and not to a module that stands before it."""
    try:
        found = importlib.util.find_spec(top)
    except ValueError:  # ``__main__`` and the like
        return False
    if found is None:
        return False
    folders = [Path(folder).resolve() for folder in found.submodule_search_locations or ()]
    return directory / top in folders or (found.origin is not None and Path(found.origin).resolve() == path)


def _from_name(module_name: str) -> ModuleType:
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and (module_name == error.name or module_name.startswith(f"{error.name}.")):
            advice = "Add its directory to the dependencies of langgraph.json, or name the project's --python."
            raise Refused(f"There is no module {error.name!r} in {sys.executable}.", advice) from error
        raise


def _graphs_in(module: ModuleType) -> list[str]:
    from langgraph.graph import StateGraph
    from langgraph.pregel import Pregel

    return [name for name, value in vars(module).items() if isinstance(value, Pregel | StateGraph)]


@contextmanager
def open_graph(target: Any, ref: GraphRef, config: Mapping[str, Any], loop: Loop) -> Iterator[tuple[Any, bool]]:
    """Make a graph from what ``load_target`` found.

    Args:
        target: Of any of the forms.
        ref: For messages.
        config: Configuration of the run, for factories that take one.
        loop: Where a factory is called, as LangGraph's server does it.

    Yields:
        The ``Pregel``, as its project made it; and whether that was in a context manager or a coroutine, so that what
        it holds may belong to the event loop.

    Raises:
        Refused: It is not a graph.
        Exception: Whatever the factory raises.
    """
    from langgraph.graph import StateGraph
    from langgraph.pregel import Pregel

    made = target
    if not isinstance(target, Pregel | StateGraph):
        if not callable(target):
            raise Refused(f"{ref.target} is {_kind(target)}, not a graph.", "Name a graph or a function that makes it.")
        made = loop.run(_called(target, config))
    held = _is_held(made)
    with loop.held(_entered(made)) if held else nullcontext(made) as found:
        graph = found.compile() if isinstance(found, StateGraph) else found
        if not isinstance(graph, Pregel):
            raise Refused(f"{ref.target} gave {_kind(graph)}, not a graph.", "It must return a graph.")
        yield graph, held


def attach(graph: Any, saver: Any) -> Any:
    """Return the graph with our saver in place of its own.

    A plain copy keeps the mappers and the allowlist that ``graph.copy(update=…)`` loses (``langgraph/pregel/main.py``).
    """
    attached = copy.copy(graph)
    attached.checkpointer = saver
    return attached


def _kind(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


async def _called(factory: Callable[..., Any], config: Mapping[str, Any]) -> Any:
    return factory(**_arguments(factory, config))


def _is_held(made: Any) -> bool:
    return hasattr(made, "__aenter__") or hasattr(made, "__enter__") or asyncio.iscoroutine(made)


@asynccontextmanager
async def _entered(made: Any) -> AsyncIterator[Any]:
    if hasattr(made, "__aenter__"):
        async with made as graph:
            yield graph
    elif hasattr(made, "__enter__"):
        with made as graph:
            yield graph
    else:
        yield await made


def _arguments(factory: Callable[..., Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """What a factory is called with: the server's runtime where it is annotated so, else the configuration.

    Raises:
        Refused: It takes more than those two.
    """
    wanted = [
        p for p in inspect.signature(factory).parameters.values() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    needed = [p for p in wanted if p.default is p.empty]
    if len(needed) > 2 or any(p.kind is p.POSITIONAL_ONLY for p in needed):
        raise Refused(
            f"{one_name(factory)} wants {len(needed)} arguments.", "A graph factory takes a config, a runtime."
        )
    takes = wanted if len(wanted) <= 2 else needed
    return {p.name: _runtime() if _is_runtime(p) else {**config} for p in takes if p in needed or _expected(p)}


def one_name(factory: Callable[..., Any]) -> str:
    """Name of a callable for a message."""
    return str(getattr(factory, "__qualname__", type(factory).__name__))


def _expected(parameter: inspect.Parameter) -> bool:
    """Whether a parameter with a default is one that the server fills."""
    return _is_runtime(parameter) or parameter.name == "config" or "RunnableConfig" in str(parameter.annotation)


def _is_runtime(parameter: inspect.Parameter) -> bool:
    return "Runtime" in str(parameter.annotation) or parameter.name == "runtime"


def _runtime() -> Any:
    """What stands for the server's runtime: nobody is logged in, the store is in memory.

    Raises:
        Refused: The project's LangGraph has none.
    """
    from langgraph.store.memory import InMemoryStore

    try:
        from langgraph_sdk.runtime import _ExecutionRuntime
    except ImportError as error:
        raise Refused(f"The graph's factory wants a server runtime: {one_sentence(error)}.") from error
    return _ExecutionRuntime(access_context="threads.create_run", store=InMemoryStore())
