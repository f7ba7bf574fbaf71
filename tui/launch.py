"""From the command line to the first frame, as fast as Python can."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backends.address import Address
    from backends.decode import Decoder


def launch(address: Address, decoder: Decoder | None = None, **options: Any) -> int:
    """Run the app until the person leaves it.

    Args:
        address: Where the store is.
        decoder: Decodes values; made from the environment unless given.
        options: Further arguments of ``LgtopApp``.

    Returns:
        The exit code: 0, or 1 after an error of our own.
    """
    # Importing makes a hundred thousand objects that live as long as the process; collecting among them takes a tenth
    # of the start. The app turns the collector on again after its first frame.
    gc.disable()
    from .app import LgtopApp

    app = LgtopApp(address, decoder, **options)
    app.run()
    return app.return_code or 0
