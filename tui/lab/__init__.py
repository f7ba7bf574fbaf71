"""The crash lab without its screen: what is crashed and how, what the runs did, and what became of each node."""
