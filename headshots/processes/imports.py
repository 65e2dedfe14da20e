"""Imports large libraries without the collector of garbage."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """For imports of torch and its like: no garbage is collected in this block, and what it leaves is never looked at.

    They make a million objects that stay. Every few thousand the collector would look through all of them, and again
    for the rest of the process and at its end: a third of the time that the start of a training takes.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        if was_enabled:
            gc.enable()
