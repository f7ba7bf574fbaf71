"""Keeping a store in order: what is in it, what can go, and how it travels. No graph is needed for any of it."""
