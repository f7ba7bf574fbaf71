"""The durability audit: what of a graph's work survives a crash, found out by crashing it."""
