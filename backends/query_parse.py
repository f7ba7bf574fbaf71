"""Text -> terms of a filter.

filter     = { term }                                 terms are joined by AND
term       = "!"* ( pattern | name sign "!"* list )
sign       = ":" | "=" | "<" | "<=" | ">" | ">="
list       = item { "," item }                        any of them
pattern    = { plain characters | "*" | quoted }      a quoted "*" is a star
"""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import dataclass
from typing import Final

from .errors import QueryError
from .model import StatusName
from .query_pattern import Pattern
from .query_terms import FIELDS, META, NUMBERS, UNITS, Compare, Match, Term

_NAME: Final = re.compile(r"([^\W\d][\w.\-/@]*)(<=|>=|[:=<>])")
_NUMBER: Final = re.compile(r"-?\d{1,18}(?:\.\d{1,18})?(?:e[+-]?\d{1,3})?", re.ASCII)
_DURATION: Final = re.compile(rf"(?P<number>{_NUMBER.pattern})(?P<unit>[smhdw])", re.ASCII)
_STOPS: Final = frozenset(" \t\n\r\f\v,")


def parse_terms(text: str) -> tuple[Term, ...]:
    """Read a filter.

    Raises:
        QueryError: It cannot be understood; carries the position of the offending character.
    """
    scanner = _Scanner(text)
    terms = []
    while scanner.skip_space():
        terms.append(_term(scanner))
    return tuple(terms)


@dataclass(slots=True)
class _Scanner:
    """A text and how far it has been read."""

    text: str
    at: int = 0

    def skip_space(self) -> bool:
        """Step over white space; whether anything is left."""
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
        return self.at < len(self.text)

    def take(self, char: str) -> bool:
        """Step over ``char`` if it stands here."""
        if not self.text.startswith(char, self.at):
            return False
        self.at += 1
        return True

    def take_bangs(self) -> bool:
        """Step over exclamation marks; whether they negate."""
        negated = False
        while self.take("!"):
            negated = not negated
        return negated

    def take_name(self) -> tuple[str, str] | None:
        """Step over ``name`` and the sign after it, if both stand here."""
        found = _NAME.match(self.text, self.at)
        if found is None:
            return None
        self.at = found.end()
        return found[1], found[2]

    def take_pattern(self, stops: frozenset[str]) -> Pattern | None:
        """Step over one pattern; ``None`` if there is none here."""
        start, pieces = self.at, [""]
        while self.at < len(self.text):
            char = self.text[self.at]
            if char in stops or char.isspace():
                break
            if char == '"':
                pieces[-1] += self._quoted()
                continue
            self.at += 1
            if char == "*":
                pieces.append("")
            else:
                pieces[-1] += char
        return Pattern(tuple(pieces)) if self.at > start else None

    def _quoted(self) -> str:
        start = self.at
        self.at += 1
        piece = ""
        while self.at < len(self.text):
            char = self.text[self.at]
            self.at += 1
            if char == '"':
                return piece
            if char == "\\" and self.text[self.at : self.at + 1] in ('"', "\\"):
                char = self.text[self.at]
                self.at += 1
            piece += char
        raise QueryError("this quote is not closed", start)


def _term(scanner: _Scanner) -> Term:
    start = scanner.at
    negated = scanner.take_bangs()
    at = scanner.at
    named = scanner.take_name()
    if named is None:
        word = scanner.take_pattern(frozenset())
        if word is None:
            raise QueryError("'!' needs something to negate", start)
        if not any(word.pieces) and len(word.pieces) == 1:
            raise QueryError("nothing to look for between the quotes", at)
        return Match("", (word,), negated)
    name, sign = named
    field = _field(name)
    negated ^= scanner.take_bangs()
    if field in NUMBERS or sign not in (":", "="):
        return _compare(scanner, field, name, sign, negated, at)
    return _match(scanner, field, name, sign, negated)


def _field(name: str) -> str:
    for prefix in (META, "metadata."):
        if name.startswith(prefix) and len(name) > len(prefix):
            return META + name[len(prefix) :]
    return FIELDS.get(name.lower()) or META + name


def _match(scanner: _Scanner, field: str, name: str, sign: str, negated: bool) -> Match:
    patterns: list[Pattern] = []
    while not patterns or scanner.take(","):
        at = scanner.at
        pattern = scanner.take_pattern(_STOPS)
        if pattern is None:
            raise QueryError(f"'{name}{sign}' needs a value", at)
        if field == "status":
            _check_status(pattern, at)
        patterns.append(pattern)
    return Match(field, tuple(patterns), negated)


def _check_status(pattern: Pattern, at: int) -> None:
    fits = pattern.whole()
    if any(fits(status) for status in StatusName):
        return
    wanted = "*".join(pattern.pieces)
    near = difflib.get_close_matches(wanted.lower(), [status.value for status in StatusName], n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(StatusName)}"
    raise QueryError(f"no status is called '{wanted}'; {hint}", at)


def _compare(scanner: _Scanner, field: str, name: str, sign: str, negated: bool, start: int) -> Compare:
    op = "=" if sign == ":" else sign
    if field == "age" and op == "=":
        raise QueryError("an age is compared with < or >, for example age<1h", start)
    read = seconds if field == "age" else _plain_number
    numbers: list[float] = []
    while not numbers or (op == "=" and scanner.take(",")):
        at = scanner.at
        pattern = scanner.take_pattern(_STOPS)
        if pattern is None:
            raise QueryError(f"'{name}{sign}' needs a {'time' if field == 'age' else 'number'}", at)
        numbers.append(read("*".join(pattern.pieces), at))
    if scanner.text[scanner.at : scanner.at + 1] == ",":
        raise QueryError(f"'{name}{sign}' takes one value", scanner.at)
    return Compare(field, op, tuple(numbers), negated)


def _plain_number(text: str, at: int) -> float:
    number = float(text) if _NUMBER.fullmatch(text) else math.inf
    if math.isinf(number):
        raise QueryError(f"'{text}' is not a number; put quotes round text that contains < or >", at)
    return number


def seconds(text: str, at: int) -> float:
    """``90s``, ``5m``, ``1h30m``, ``2d``, ``1w`` in seconds."""
    total, end = 0.0, 0
    for part in _DURATION.finditer(text):
        if part.start() != end:
            break
        total += float(part["number"]) * UNITS[part["unit"]]
        end = part.end()
    if not end or end != len(text) or math.isinf(total):
        raise QueryError(f"'{text}' is not a time; write 90s, 5m, 1h30m, 2d or 1w", at)
    return total
