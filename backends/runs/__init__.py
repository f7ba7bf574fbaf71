"""Runs: child processes that drive a graph, and their records on disk."""
