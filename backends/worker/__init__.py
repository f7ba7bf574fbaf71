"""The child process of a run: the only code that imports a user's graph."""
