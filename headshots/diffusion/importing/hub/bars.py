"""Hears of a download's progress where ``huggingface_hub`` would draw a bar."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from huggingface_hub.utils.tqdm import tqdm


def bar_of(tell: Callable[[int], None]) -> type[tqdm]:
    """A class of bars that draw nothing and call ``tell`` with the bytes that are there so far.

    A download may have two bars, one of the bytes that come and one of those written: the further one is told.
    """
    most = 0

    class Bar(tqdm):
        def __init__(self, *arguments: Any, **given: Any) -> None:
            super().__init__(*arguments, **{**given, "disable": True})  # type: ignore[no-untyped-call]
            self._count = int(given.get("initial") or 0)

        def update(self, n: float | None = 1) -> None:
            nonlocal most
            self._count += int(n or 0)
            most = max(most, self._count)
            tell(most)

    return Bar
