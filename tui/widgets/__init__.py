"""Widgets that draw data; none of them holds SQL."""
