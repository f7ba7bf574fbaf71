"""Which deed an action is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..control.gate import Gate
from ..errors import Refused
from .deed import Deed
from .graphs import Chooser
from .request import RUNNING, Action, BulkRequest

if TYPE_CHECKING:
    from ..runs.nursery import Nurseries


def deed_for(
    request: BulkRequest,
    gate: Gate,
    graphs: Chooser | None = None,
    operator: str | None = None,
    *,
    made_by: str = "",
    nurseries: Nurseries | None = None,
) -> Deed:
    """Make what a job does to each thread.

    Args:
        request: What is asked for.
        gate: The store.
        graphs: Chooses the graph of a thread; for actions that run one.
        operator: Who asks; ``None`` is the user of this process.
        made_by: EXPORT: program and version, for the file's header.
        nurseries: Where runs are forked, for several jobs in a row; by default each job has its own.

    Raises:
        Refused: A graph is to be run, and nobody knows of any; or there is a file of the name to export to.
        OSError: EXPORT: the file cannot be made.
    """
    if request.action in RUNNING:
        if graphs is None:
            raise Refused("No graph is known.", "Name one with --graph.")
        from .running import Running

        return Running(request, gate, graphs, operator, nurseries)
    if request.action is Action.STOP:
        from .stopping import Stopping

        return Stopping(request, gate)
    if request.action is Action.EXPORT:
        from .exporting import Exporting

        return Exporting(request, gate, made_by)
    from .rows import Rows

    return Rows(request, gate, operator)
