"""Styles straight from the theme's variables.

Textual's component classes do the same through CSS, at the price of a hidden node each, styled anew with every change
of focus or size; rows and bars need two dozen of them before the first frame.
"""

from __future__ import annotations

from functools import lru_cache

from rich.style import Style
from textual.color import Color
from textual.dom import DOMNode


def ink(node: DOMNode, spec: str) -> Style:
    """The style that a few words mean in the present theme.

    Args:
        node: Any node of the app.
        spec: A variable of the theme (``dim``), perhaps after ``bold``, perhaps with a background (``on glow``).
    """
    variables = node.app.theme_variables
    return _style(spec, tuple(variables.get(word, "") for word in spec.split()))


@lru_cache(1024)
def _style(spec: str, values: tuple[str, ...]) -> Style:
    """Put a style together; the values are those of the words of the spec."""
    foreground = background = None
    bold, behind = False, False
    for word, value in zip(spec.split(), values, strict=True):
        if word == "bold":
            bold = True
        elif word == "on":
            behind = True
        elif value and behind:
            background = Color.parse(value).rich_color
        elif value:
            foreground = Color.parse(value).rich_color
    return Style(color=foreground, bgcolor=background, bold=bold or None)
