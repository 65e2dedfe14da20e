"""Keeps the pictures of a run, so that measures can be taken anew without another training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.training.people import Pixels
from benchmarks.training.plan import Plan


def keep(plan: Plan, kind: str, of: int | str, pictures: Sequence[Pixels] | Pixels) -> None:
    """Pictures of one size, uint8; ``of``: a person's number or a class noun."""
    path = _path(plan, kind, of)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial.npy")
    np.save(partial, np.stack(list(pictures)))
    partial.replace(path)


def kept(plan: Plan, kind: str, of: int | str) -> Pixels:
    """[N, H, W, 3]

    Raises:
        FileNotFoundError: the journal knows of them, and somebody took the file away.
    """
    path = _path(plan, kind, of)
    if not path.exists():
        raise FileNotFoundError(f"{path} is gone, though the journal beside it knows of it: remove {plan.folder}")
    pictures: Pixels = np.load(path)
    return pictures


def _path(plan: Plan, kind: str, of: int | str) -> Path:
    return plan.folder / "pictures" / plan.key / f"{kind}-{of}.npy"
