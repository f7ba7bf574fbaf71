"""Threads on the move: exported to a file, redacted, imported into either kind of store, reported on."""
