"""Durable workflows for applications: savers, locks, status and resuming, for SQLite and PostgreSQL alike.

Everything public here is imported from ``lgtop``::

    from lgtop import CheckpointerManager, find_failed_workflows, resume_workflow

    saver = CheckpointerManager.get_or_create(STORE).get_checkpointer()
    graph = builder.compile(checkpointer=saver)

    for failed in find_failed_workflows(STORE):
        resume_workflow(
            failed.thread_id,
            STORE,
            lambda thread_id: graph.invoke(None, {"configurable": {"thread_id": thread_id}}, durability="sync"),
        )

What a process saves is what survives it. LangGraph's default durability writes a step's checkpoint while the next step
runs already, so that a kill may cost the step before; ``durability="sync"`` waits for it.
"""
