"""Snapshots of a run in the object store, so that whoever takes the training up next goes on from there.

One object a snapshot, ``{output_prefix}/checkpoints/{step}.safetensors``: the store writes it whole or not at all, and
the newest readable one counts. The header carries the run's fingerprint, so that a snapshot of other photos, another
foundation or another recipe is never taken up.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from headshots.artifacts import ArtifactStore
from headshots.diffusion.safetensors_io import read_arrays, write_arrays
from headshots.errors import InvalidAdapterError, UnavailableError
from services.trainer.run.retrying_store import patiently
from services.trainer.selection.scores import CheckpointScores

log = logging.getLogger(__name__)

_LORA, _MOMENTS, _BEST = "lora/", "moments/", "best/"

Array = npt.NDArray[np.float32]


@dataclass
class Judged:
    """What a run's selection has seen (:mod:`.selection.selection`): scores by step, and the best's LoRA."""

    scores: list[CheckpointScores]
    best: dict[str, Array]


@dataclass
class Snapshot:
    """A run between two steps. With the material and the recipe it determines everything that follows."""

    step: int
    lora: dict[str, Array]
    moments: dict[str, Array]
    curve: list[tuple[int, float]]
    # Losses since the curve's last point.
    open_losses: list[float]
    judged: Judged | None = None


class Checkpoints:
    """The snapshots of one training."""

    def __init__(self, store: ArtifactStore, output_prefix: str, fingerprint: str) -> None:
        self._store = store
        self._folder = checkpoint_folder(output_prefix)
        self._fingerprint = fingerprint

    def save(self, snapshot: Snapshot) -> None:
        """Write ``snapshot``, then remove the ones before it. While the store fails, the older ones have to do."""
        key = f"{self._folder}/{snapshot.step:08d}.safetensors"
        try:
            older = self._store.list_sync(self._folder)
            self._store.put_sync(key, pack(snapshot, self._fingerprint))
            for stale in older:
                if stale < key:
                    self._store.delete_sync(stale)
        except UnavailableError as error:
            log.warning("no checkpoint of step %d: %s", snapshot.step, error.message)

    def load(self) -> Snapshot | None:
        """The newest usable snapshot. A store that is away is waited for: without it all steps would be done again.

        Raises:
            UnavailableError: OBJECT_STORE_UNAVAILABLE.
        """
        for key in reversed(patiently(lambda: self._store.list_sync(self._folder))):
            try:
                snapshot = unpack(patiently(functools.partial(self._store.get_sync, key)), self._fingerprint)
            except InvalidAdapterError as error:
                log.warning("%s cannot be read and is left out: %s", key, error.message)
                continue
            if snapshot is not None:
                return snapshot
            log.warning("%s belongs to another run and is left out", key)
        return None

    def clear(self) -> None:
        """Remove them all, once the result is there.

        What a failing store keeps goes with the subject's other objects, and is no reason to lose a result.
        """
        try:
            patiently(lambda: self._store.delete_prefix_sync(self._folder))
        except UnavailableError as error:
            log.warning("checkpoints stay under %s: %s", self._folder, error.message)


def checkpoint_folder(output_prefix: str) -> str:
    """Where a training's snapshots lie."""
    return f"{output_prefix}/checkpoints"


def pack(snapshot: Snapshot, fingerprint: str) -> bytes:
    """A snapshot as one safetensors file."""
    arrays = {_LORA + name: array for name, array in snapshot.lora.items()}
    arrays |= {_MOMENTS + name: array for name, array in snapshot.moments.items()}
    facts: dict[str, Any] = {"step": snapshot.step, "curve": snapshot.curve, "open_losses": snapshot.open_losses}
    if snapshot.judged is not None:
        arrays |= {_BEST + name: array for name, array in snapshot.judged.best.items()}
        facts["judged"] = [dataclasses.asdict(scores) for scores in snapshot.judged.scores]
    return write_arrays(arrays, {"fingerprint": fingerprint, "run": json.dumps(facts)})


def unpack(data: bytes, fingerprint: str) -> Snapshot | None:
    """Inverse of :func:`pack`; ``None`` for another run's.

    Raises:
        InvalidAdapterError: ADAPTER_CORRUPT.
    """
    arrays, metadata = read_arrays(data)
    if metadata.get("fingerprint") != fingerprint:
        return None
    facts = json.loads(metadata["run"])
    judged = None
    if "judged" in facts:
        best = {name.removeprefix(_BEST): array for name, array in arrays.items() if name.startswith(_BEST)}
        judged = Judged([CheckpointScores(**scores) for scores in facts["judged"]], best)
    return Snapshot(
        step=facts["step"],
        lora={name.removeprefix(_LORA): array for name, array in arrays.items() if name.startswith(_LORA)},
        moments={name.removeprefix(_MOMENTS): array for name, array in arrays.items() if name.startswith(_MOMENTS)},
        curve=[(int(step), float(loss)) for step, loss in facts["curve"]],
        open_losses=facts["open_losses"],
        judged=judged,
    )
