"""Decides what a size-bounded cache drops: what was used least recently goes first. Plain Python."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator


class ByteLru:
    """Names and their sizes, at most ``capacity`` bytes in all; the newest entry always stays."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._sizes: OrderedDict[str, int] = OrderedDict()
        self.total = 0

    def __contains__(self, name: str) -> bool:
        return name in self._sizes

    def __iter__(self) -> Iterator[str]:
        """The names, the least recently used first."""
        return iter(list(self._sizes))

    def touch(self, name: str) -> None:
        """``name`` was used."""
        self._sizes.move_to_end(name)

    def add(self, name: str, size: int) -> list[str]:
        """Note ``name``; returns what must go to make room."""
        self.remove(name)
        self._sizes[name] = size
        self.total += size
        gone = []
        while self.total > self._capacity and len(self._sizes) > 1:
            oldest, freed = self._sizes.popitem(last=False)
            self.total -= freed
            gone.append(oldest)
        return gone

    def remove(self, name: str) -> bool:
        """Forget ``name``; whether it was noted."""
        size = self._sizes.pop(name, None)
        self.total -= size or 0
        return size is not None
