"""Graphs as references and data; nothing here imports a user's code."""
