"""One writer per thread: who holds a thread, and taking it."""
