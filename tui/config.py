"""``config.toml``: profiles of stores, saved filters, and how the screen looks; checked to the last key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from backends.text import one_line

from .config_path import config_path

COLOURS: Final = {
    "red": "failed",
    "orange": "stalled",
    "yellow": "waiting",
    "green": "done",
    "teal": "running",
    "blue": "accent",
    "purple": "paused",
    "pink": "cancelled",
}
"""Colours that can mark a store, and the variable of every theme that has each."""

SORTS: Final = ("attention", "active", "thread", "status", "next", "step", "checkpoints", "reason")
"""Orders of the list."""

COLUMNS: Final = ("status", "thread", "next", "step", "active", "checkpoints", "size", "reason")
"""Columns of the list, in the order in which they stand."""

THEMES: Final = ("lgtop-dark", "lgtop-light", "lgtop-16")


class ConfigError(ValueError):
    """The configuration cannot be used; the message names the file, the key, and what may have been meant."""


@dataclass(frozen=True, slots=True)
class Look:
    """How the screen looks and what it begins with; what is not set is ``None`` or empty.

    Attributes:
        filters: Saved filters by the name on their tab, in order.
        sort: See ``SORTS``.
        reverse: Whether the order is turned round.
        columns: See ``COLUMNS``; empty for those that lgtop chooses.
        theme: See ``THEMES``.
    """

    filters: Mapping[str, str] = field(default_factory=dict)
    sort: str | None = None
    reverse: bool | None = None
    columns: tuple[str, ...] = ()
    theme: str | None = None

    def over(self, other: Look) -> Look:
        """This look, and the other where this one leaves something open; the filters of both."""
        return Look(
            {**other.filters, **self.filters},
            self.sort or other.sort,
            other.reverse if self.reverse is None else self.reverse,
            self.columns or other.columns,
            self.theme or other.theme,
        )


@dataclass(frozen=True, slots=True)
class Profile:
    """A store and how it is worked with; what is not set is empty.

    Attributes:
        name: Its name.
        store: As after ``-s``; may hold a password, so never show it.
        python: As after ``--python``.
        graph: As after ``--graph``.
        readonly: Whether whatever would write is refused.
        colour: See ``COLOURS``; marks the store in the first line of every screen.
        look: What is different from the look of all.
    """

    name: str
    store: str = ""
    python: str = ""
    graph: str = ""
    readonly: bool = False
    colour: str = ""
    look: Look = Look()

    def __repr__(self) -> str:
        return f"Profile({self.name!r})"


@dataclass(frozen=True, slots=True)
class Config:
    """What the file says.

    Attributes:
        profiles: By name.
        look: Of every store.
        keys: Keys by the id of their action.
    """

    profiles: Mapping[str, Profile] = field(default_factory=dict)
    look: Look = Look()
    keys: Mapping[str, str] = field(default_factory=dict)

    def profile(self, name: str) -> Profile:
        """The profile of a name.

        Raises:
            ConfigError: There is none.
        """
        if name not in self.profiles:
            known = ", ".join(map(one_line, self.profiles))
            hint = _meant(name, self.profiles) or (f" There are: {known}." if known else " There is none at all.")
            raise ConfigError(f"There is no profile {_quoted(name)} in {config_path()}.{hint}")
        return self.profiles[name]


def load_config() -> Config:
    """Read the file; a missing one says nothing.

    Raises:
        ConfigError: It cannot be read, is not TOML, or says something that lgtop does not know.
    """
    path = config_path()
    try:
        with open(path, "rb") as file:
            text = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return Config()
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    import tomllib

    try:
        found = tomllib.loads(text.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {one_line(str(error), 200)}.") from error
    try:
        return _config(found)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def _config(found: Mapping[str, Any]) -> Config:
    _known(found, ("profiles", "keys", *_LOOK), "")
    profiles = {
        name: _profile(name, _table(table, f"profiles.{name}"))
        for name, table in _tables(found, "profiles", "").items()
    }
    keys = {name: _text(key, f"keys.{name}") for name, key in _tables(found, "keys", "").items()}
    return Config(profiles, _look(found, ""), keys)


def _profile(name: str, found: Mapping[str, Any]) -> Profile:
    where = f"profiles.{name}."
    _known(found, (*_PROFILE, *_LOOK), where)
    given = {key: check(found[key], where + key) for key, check in _PROFILE.items() if key in found}
    return Profile(name, look=_look(found, where), **given)


def _look(found: Mapping[str, Any], where: str) -> Look:
    return Look(**{key: check(found[key], where + key) for key, check in _LOOK.items() if key in found})


def _known(found: Iterable[str], keys: Iterable[str], where: str) -> None:
    """Refuse a key that nobody would look at.

    Raises:
        ConfigError: There is one.
    """
    known = tuple(keys)
    for key in found:
        if key not in known:
            raise ConfigError(f"there is no key {_quoted(where + key)}.{_meant(key, known)}")


def _tables(found: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any]:
    return _table(found.get(key, {}), where + key)


def _table(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ConfigError(f"{_quoted(where)} has to be a table: [{one_line(where, 80)}].")
    return value


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"{_quoted(where)} has to be a text.")
    return value


def _flag(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{_quoted(where)} has to be true or false.")
    return value


def _one_of(choices: Iterable[str]) -> Callable[[Any, str], str]:
    def check(value: Any, where: str) -> str:
        if value not in (known := tuple(choices)):
            hint = _meant(str(value), known) or f" It is one of: {', '.join(known)}."
            raise ConfigError(f"{_quoted(where)} cannot be {_quoted(str(value))}.{hint}")
        return str(value)

    return check


def _columns(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise ConfigError(f"{_quoted(where)} has to be a list of columns.")
    return tuple(_one_of(COLUMNS)(name, where) for name in value)


def _filters(value: Any, where: str) -> Mapping[str, str]:
    """Saved filters; each has to be one that can be understood."""
    from backends.errors import QueryError
    from backends.query import parse

    filters = {name: _text(text, f"{where}.{name}") for name, text in _table(value, where).items()}
    for name, text in filters.items():
        try:
            parse(text)
        except QueryError as error:
            raise ConfigError(f"{_quoted(f'{where}.{name}')} cannot be understood: {error.reason}") from error
    return filters


_PROFILE: Final[Mapping[str, Callable[[Any, str], Any]]] = {
    "store": _text,
    "python": _text,
    "graph": _text,
    "readonly": _flag,
    "colour": _one_of(COLOURS),
}
_LOOK: Final[Mapping[str, Callable[[Any, str], Any]]] = {
    "filters": _filters,
    "sort": _one_of(SORTS),
    "reverse": _flag,
    "columns": _columns,
    "theme": _one_of(THEMES),
}


def _meant(word: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f" Did you mean {_quoted(near[0])}?" if near else ""


def _quoted(text: str) -> str:
    return f'"{one_line(text, 100)}"'
