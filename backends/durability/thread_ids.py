"""Ids for the threads of an application."""

from __future__ import annotations

import time
from uuid import uuid4


def generate_thread_id(workflow_name: str, user_id: str | None = None) -> str:
    """Make an id that tells a person which workflow it is, whose, and since when.

    Args:
        workflow_name: Name of the workflow.
        user_id: For whom it runs.

    Returns:
        E.g. ``data_pipeline_user123_20250113120000_a1b2c3d4``: the time is in UTC, so that ids from all hosts sort by
        it, and the tail is random.
    """
    stamp = time.strftime("%Y%m%d%H%M%S", time.gmtime())
    return "_".join(filter(None, (workflow_name, user_id, stamp, uuid4().hex[:8])))
