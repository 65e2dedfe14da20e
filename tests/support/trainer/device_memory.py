"""Counts the bytes of a computation's tensors without doing it: on torch's meta device tensors have shapes alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

# The peak is known to so many bytes; to look after every operation would take minutes.
TOLERANCE = 8 << 20


class LiveBytes(TorchDispatchMode):
    """The most bytes of tensors that were made within the block and lived at once. What was made before is not counted.

    ``peak`` is at most ``tolerance`` too small.
    """

    def __init__(self, tolerance: int = TOLERANCE) -> None:
        super().__init__()
        self.peak, self._tolerance = 0, tolerance
        self._bound = 0
        self._live: dict[int, tuple[StorageWeakRef, int]] = {}

    def __torch_dispatch__(
        self, func: Any, types: Sequence[Any], args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = {tensor.untyped_storage()._cdata for tensor in _tensors((args, kwargs or {}))}
        result = func(*args, **(kwargs or {}))
        for tensor in _tensors(result):
            storage = tensor.untyped_storage()
            # Views and results in place are of storages that are there.
            if storage._cdata in given or self._is_known(storage._cdata):
                continue
            self._live[storage._cdata] = (StorageWeakRef(storage), storage.nbytes())
            self._bound += storage.nbytes()
        if self._bound > self.peak + self._tolerance:
            self._sweep()
            self.peak = max(self.peak, self._bound)
        return result

    def _is_known(self, key: int) -> bool:
        known = self._live.get(key)
        if known is None or not known[0].expired():
            return known is not None
        # Another storage lies where that one was.
        self._bound -= known[1]
        del self._live[key]
        return False

    def _sweep(self) -> None:
        self._live = {key: known for key, known in self._live.items() if not known[0].expired()}
        self._bound = sum(size for _, size in self._live.values())


def bytes_of(tensors: Iterable[torch.Tensor]) -> int:
    """Of all of them."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def _tensors(tree: Any) -> list[torch.Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, torch.Tensor)]
