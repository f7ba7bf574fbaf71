"""Files of environment variables, as python-dotenv reads them for ``langgraph dev`` (langgraph_api/cli.py:220-226)."""

from __future__ import annotations

import re
from collections.abc import Mapping

_LINE = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?(?P<name>'[^']+'|[^\s=\#]+)[ \t]*=[ \t]*
        (?:(?:'(?P<raw>(?:\\'|[^'])*)'|"(?P<quoted>(?:\\"|[^"])*)")[ \t]*(?:\#.*)?$|(?P<plain>(?!['"]).*))""",
    re.MULTILINE | re.VERBOSE,
)
_COMMENT = re.compile(r"\s+\#.*")
_SLASHED = re.compile(r"\\([\\'])")
_ESCAPE = re.compile(r"\\[\\'\"abfnrtv]")
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_VARIABLE = re.compile(r"\$\{(?P<name>[^}:]*)(?::-(?P<default>[^}]*))?\}")


def parse_env(text: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a ``.env`` file.

    Args:
        text: Its content: ``NAME=value`` lines, ``export``, comments, quotes over several lines and
            ``${OTHER:-default}``. What is no such line says nothing.
        environ: Where variables that the file does not set are looked up.
    """
    found: dict[str, str] = {}
    for match in _LINE.finditer(text):
        if match["raw"] is not None:
            value = _SLASHED.sub(r"\1", match["raw"])
        elif match["quoted"] is not None:
            value = _ESCAPE.sub(lambda escape: _ESCAPES.get(escape[0][1], escape[0][1]), match["quoted"])
        else:
            value = _COMMENT.sub("", match["plain"]).rstrip()
        found[match["name"].strip("'")] = _expand(value, found, environ)
    return found


def _expand(value: str, found: Mapping[str, str], environ: Mapping[str, str]) -> str:
    def one(match: re.Match[str]) -> str:
        name = match["name"]
        return found.get(name, environ.get(name, match["default"] or ""))

    return _VARIABLE.sub(one, value)
