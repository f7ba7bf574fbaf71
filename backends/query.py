"""The filter language over the thread list: ``status:waiting node:review tenant:t3 age<1h "plain text"``.

A space means AND, ``,`` any of, ``!`` not, ``*`` any characters; quotes take everything literally. A name that is no
field (``query_terms.FIELDS``) is a key of the application's metadata; ``meta.status:x`` reaches one named like a field.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .model import ThreadRow

if TYPE_CHECKING:
    from .query_terms import Term, Test


@dataclass(frozen=True, slots=True)
class Query:
    """A filter over thread rows.

    Attributes:
        terms: All of them must fit; none means that every row does.
    """

    terms: tuple[Term, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.terms)

    def describe(self) -> str:
        """The filter as canonical text; parsing it gives an equal query."""
        return " ".join(map(str, self.terms))

    def test(self, now: float) -> Test:
        """The filter as one function of a row, for many rows at the Unix time ``now``."""
        tests = [term.test(now) for term in self.terms]
        if not tests:
            return lambda row: True
        if len(tests) == 1:
            return tests[0]

        def all_fit(row: ThreadRow) -> bool:
            return all(test(row) for test in tests)

        return all_fit

    def matches(self, row: ThreadRow, now: float) -> bool:
        """Whether a row fits; one whose status or count is asked for but not known yet does not."""
        return self.test(now)(row)

    @property
    def needs_status(self) -> bool:
        """Whether the answer may change when a thread is analysed."""
        if not self.terms:
            return False
        from .query_terms import OF_SUMMARY

        return any(not term.field or term.field in OF_SUMMARY for term in self.terms)

    @property
    def needs_counts(self) -> bool:
        """Whether the answer may change when a thread's checkpoints are counted."""
        return any(term.field == "checkpoints" for term in self.terms)

    @property
    def needs_metadata(self) -> bool:
        """Whether metadata is looked at."""
        if not self.terms:
            return False
        from .query_terms import META

        return any(not term.field or term.field.startswith(META) for term in self.terms)

    @property
    def needs_now(self) -> bool:
        """Whether the answer changes with time alone."""
        return any(term.field == "age" for term in self.terms)


EVERYTHING: Final = Query()


def parse(text: str) -> Query:
    """Read a filter as a person types it.

    Raises:
        QueryError: It cannot be understood; says why, where, and what may have been meant.
    """
    # The language takes a while to import, and the first rows are shown without a filter.
    from .query_parse import parse_terms

    return Query(parse_terms(text))
