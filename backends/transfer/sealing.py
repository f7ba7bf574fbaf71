"""Values that an application encrypted: opened and sealed again when they move between layouts, or are redacted."""

from __future__ import annotations

import os
from dataclasses import dataclass

from ..crypt import Locked, decrypt, encrypt
from ..model import Blob


@dataclass(frozen=True, slots=True)
class Seal:
    """The application's key, if we have it.

    Attributes:
        key: ``LANGGRAPH_AES_KEY`` as bytes.
    """

    key: bytes | None = None

    @classmethod
    def from_environment(cls) -> Seal:
        """Take the key from ``LANGGRAPH_AES_KEY``, if it is there."""
        text = os.environ.get("LANGGRAPH_AES_KEY")
        return cls(text.encode("utf-8", "surrogateescape") if text else None)

    def opened(self, blob: Blob) -> Blob:
        """The plain value; one that is not encrypted comes back as it is.

        Raises:
            Locked: It stays encrypted; the reason says why.
        """
        if blob.data is None or not is_sealed(blob):
            return blob
        return Blob(*decrypt(blob.type or "", blob.data, self.key))

    def sealed(self, blob: Blob) -> Blob:
        """A plain value, encrypted with the same key.

        Raises:
            Locked: There is no key.
        """
        if self.key is None:
            raise Locked("no key: set LANGGRAPH_AES_KEY")
        return Blob(*encrypt(blob.type or "", blob.data or b"", self.key))


def is_sealed(blob: Blob) -> bool:
    """Whether a value is encrypted."""
    return "+" in (blob.type or "")
