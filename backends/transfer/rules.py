"""What is to be redacted: values under a name, or text that fits a pattern."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ..errors import QueryError

MASK: Final = "[redacted]"


@dataclass(frozen=True, slots=True)
class Rules:
    """What to look for.

    Attributes:
        names: Keys, fields and channels; lower case, ``*`` stands for any characters.
        patterns: Regular expressions; what fits is replaced, the text around it stays.
    """

    names: tuple[re.Pattern[str], ...] = ()
    patterns: tuple[re.Pattern[str], ...] = ()

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Rules:
        """Read ``KEY`` and ``/PATTERN/``.

        Raises:
            QueryError: A pattern is no regular expression, or there is nothing in it.
        """
        names, patterns = [], []
        for text in texts:
            if len(text) > 2 and text[0] == text[-1] == "/":
                try:
                    patterns.append(re.compile(text[1:-1]))
                except (re.error, RecursionError) as error:
                    raise QueryError(f"{text} is no regular expression: {error}.") from error
            elif text and not text.startswith("/"):
                pieces = map(re.escape, text.split("*"))
                names.append(re.compile(".*".join(pieces), re.IGNORECASE | re.DOTALL))
            else:
                raise QueryError(f"{text!r} is neither a name nor a /pattern/.")
        return cls(tuple(names), tuple(patterns))

    def names_it(self, name: object) -> bool:
        """Whether values under this name are to be replaced."""
        return isinstance(name, str) and any(rule.fullmatch(name) for rule in self.names)

    def text(self, text: str) -> str:
        """A text with what fits a pattern replaced."""
        for pattern in self.patterns:
            text = pattern.sub(MASK, text)
        return text

    def raw(self, data: bytes) -> bytes:
        """Bytes that may hold text, with what fits a pattern replaced."""
        text = data.decode("utf-8", "surrogateescape")
        replaced = self.text(text)
        return data if replaced == text else replaced.encode("utf-8", "surrogateescape")
