"""Where the configuration is; apart from what reads it, since most people have none."""

from __future__ import annotations

import os
import sys


def config_path() -> str:
    """Path of the file, which need not exist: ``$XDG_CONFIG_HOME/lgtop/config.toml`` or what stands for it."""
    home = os.environ.get("XDG_CONFIG_HOME", "").strip()
    if not home and sys.platform != "darwin":
        home = os.path.expanduser("~/.config")
    if home:
        return os.path.join(os.path.abspath(home), "lgtop", "config.toml")
    from platformdirs import user_config_dir

    return os.path.join(user_config_dir("lgtop", appauthor=False), "config.toml")
