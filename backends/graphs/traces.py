"""What a thread's rows show of the graph that wrote them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ..reader import Reader


class Traces(NamedTuple):
    """What ``known.Known.of_thread`` compares graphs with.

    Attributes:
        names: Names of the nodes that have written, or are due.
        stamp: The newest run of ours in the thread; empty where there is none. Untrusted.
    """

    names: frozenset[str]
    stamp: str


def traces(reader: Reader, thread_id: str) -> Traces:
    """Read what shows which graph a thread belongs to, in all its namespaces.

    Raises:
        NotFound: There is no such thread.
    """
    head = reader.head(thread_id)
    names = {name for nodes in reader.task_nodes(thread_id).values() for name in nodes}
    names |= {task.name for task in reader.analysis(head.key).tasks}
    stamps = (row.metadata.get("lgtop_run") for row in reader.store.history(thread_id, head.ns))
    return Traces(frozenset(names - {"?"}), next((stamp for stamp in stamps if stamp and isinstance(stamp, str)), ""))
