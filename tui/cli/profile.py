"""The profile that ``--profile`` or ``LGTOP_PROFILE`` names: what it says, where the command line says nothing."""

from __future__ import annotations

import os
from argparse import Namespace
from typing import TYPE_CHECKING

from .arguments import UsageError

if TYPE_CHECKING:
    from tui.config import Config, Profile

VARIABLE = "LGTOP_PROFILE"


def apply_profile(options: Namespace) -> None:
    """Fill in what the command line leaves open; ``options.profile`` becomes the ``Profile``, or ``None``.

    A store that is named on the command line is not the profile's: it is not marked with the profile's colour, but
    ``readonly`` holds all the same. Commands that make a store of their own (``demo``, ``audit``) never get the
    profile's.

    Raises:
        UsageError: There is no such profile, or the configuration cannot be used.
    """
    name = options.profile or os.environ.get(VARIABLE, "")
    options.profile = None
    if not name:
        return
    from dataclasses import replace

    from tui.config import ConfigError

    try:
        profile = configuration().profile(name)
    except ConfigError as error:
        raise UsageError(str(error), options.prog) from None
    named = getattr(options, "store", None) or getattr(options, "named", None)
    options.profile = replace(profile, colour="") if named else profile
    if getattr(options, "works_on_store", False) and not named and profile.store:
        options.store = profile.store
    for option in ("graph", "python"):
        if hasattr(options, option) and not getattr(options, option):
            setattr(options, option, getattr(profile, option) or getattr(options, option))
    options.readonly = getattr(options, "readonly", False) or profile.readonly


def configuration() -> Config:
    """What ``config.toml`` says.

    Raises:
        ConfigError: It cannot be used.
    """
    from tui.config import load_config

    return load_config()


def is_readonly(options: Namespace) -> bool:
    """Whether the option or the profile refuses whatever would write."""
    return bool(getattr(options, "readonly", False))


def chosen(options: Namespace) -> Profile | None:
    """The profile that the command was given."""
    profile: Profile | None = options.profile
    return profile
