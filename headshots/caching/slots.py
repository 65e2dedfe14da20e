"""Assigns adapters to the bank's slots: least recently used goes first, pinned ones stay. Plain Python."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator


class SlotTable:
    """Slots 1 to ``slots`` - 1; slot 0 is the bare foundation and always there. Not thread-safe."""

    def __init__(self, slots: int) -> None:
        self._free = list(range(slots - 1, 0, -1))
        self._slot_of: OrderedDict[str, int] = OrderedDict()
        self._pins: Counter[str] = Counter()

    def __len__(self) -> int:
        """Slots that hold an adapter."""
        return len(self._slot_of)

    def __contains__(self, adapter: str) -> bool:
        return adapter in self._slot_of

    def __iter__(self) -> Iterator[str]:
        """The adapters, the least recently used first."""
        return iter(list(self._slot_of))

    def pin(self, adapter: str) -> tuple[int, bool] | None:
        """The slot for ``adapter``, and whether its row must be written there first; None when all are pinned.

        Every pin needs an ``unpin``.
        """
        fresh = adapter not in self._slot_of
        if fresh:
            slot = self._take()
            if slot is None:
                return None
            self._slot_of[adapter] = slot
        self._slot_of.move_to_end(adapter)
        self._pins[adapter] += 1
        return self._slot_of[adapter], fresh

    def unpin(self, adapter: str) -> None:
        """One row less uses ``adapter``."""
        assert self._pins[adapter] > 0
        self._pins[adapter] -= 1
        if not self._pins[adapter]:
            del self._pins[adapter]

    def slot(self, adapter: str) -> int:
        """The slot of an adapter that is there."""
        return self._slot_of[adapter]

    def pinned(self, adapter: str) -> bool:
        """Whether a row uses ``adapter``."""
        return self._pins[adapter] > 0

    def evict(self, adapter: str) -> int | None:
        """Forget an unpinned adapter; its slot, to be cleared, if it had one."""
        assert not self.pinned(adapter)
        slot = self._slot_of.pop(adapter, None)
        if slot is not None:
            self._free.append(slot)
        return slot

    def _take(self) -> int | None:
        """A free slot, or that of the least recently used adapter that nobody uses."""
        if self._free:
            return self._free.pop()
        victim = next((adapter for adapter in self._slot_of if not self.pinned(adapter)), None)
        return None if victim is None else self._slot_of.pop(victim)
