"""The tour without a terminal: what happens as text, and whether each promise held."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .script import Beat


def tell(beats: Iterable[Beat], say: Callable[[str], None]) -> bool:
    """Play a tour and say what happens.

    Args:
        beats: The tour.
        say: Takes each line as soon as it is true.

    Returns:
        Whether every promise held.
    """
    broken = 0
    for number, beat in enumerate(beats, 1):
        told = beat.play()
        say(f"{number}  {told.text}")
        for promise in told.promises:
            say(f"   {'✓' if promise.held else '✖'} {promise.text}")
            broken += not promise.held
    say("Every promise held." if not broken else f"{broken} promise{'s' if broken > 1 else ''} did not hold.")
    return not broken
