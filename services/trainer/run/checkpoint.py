"""Writes checkpoints of a run to the object store, so that the next attempt continues where this one ended.

One object a checkpoint, ``{output_prefix}/checkpoints/{step}.safetensors``: the store writes it whole or not at all,
and the newest readable one counts. The header carries the run's fingerprint, so that a checkpoint of other photos,
another foundation or another recipe is never resumed from.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import logging
from dataclasses import dataclass
from typing import Any

from headshots.artifacts import ArtifactStore
from headshots.diffusion.safetensors_io import read_arrays, write_arrays
from headshots.errors import InvalidAdapterError, UnavailableError
from headshots.telemetry import spans
from services.trainer.lora.loop import Array, LoopState
from services.trainer.run.retrying_store import with_retries
from services.trainer.selection.scores import CheckpointScores
from services.trainer.selection.selection import SelectionState

log = logging.getLogger(__name__)

_LORA, _MOMENTS, _BEST = "lora/", "moments/", "best/"


@dataclass(frozen=True)
class Checkpoint:
    """What a resumed run needs: the training loop between two steps, and what the selection has judged so far."""

    loop: LoopState
    selection: SelectionState | None = None


class Checkpoints:
    """The checkpoints of one run, in ``folder`` of the object store."""

    def __init__(self, store: ArtifactStore, folder: str, fingerprint: str) -> None:
        self._store, self._folder, self._fingerprint = store, folder, fingerprint

    @spans.traced("checkpoint")
    def save(self, checkpoint: Checkpoint) -> None:
        """Write ``checkpoint``, then remove the older ones. While the store fails, the older ones stay."""
        key = f"{self._folder}/{checkpoint.loop.step:08d}.safetensors"
        try:
            older = self._store.list_sync(self._folder)
            self._store.put_sync(key, pack(checkpoint, self._fingerprint))
            for stale in older:
                if stale < key:
                    self._store.delete_sync(stale)
        except UnavailableError as error:
            log.warning("no checkpoint of step %d: %s", checkpoint.loop.step, error.message)

    def load(self) -> Checkpoint | None:
        """The newest usable checkpoint. Retries while the store is away: without it all steps would be done again.

        Raises:
            UnavailableError: OBJECT_STORE_UNAVAILABLE.
        """
        for key in reversed(with_retries(lambda: self._store.list_sync(self._folder))):
            try:
                checkpoint = unpack(with_retries(functools.partial(self._store.get_sync, key)), self._fingerprint)
            except InvalidAdapterError as error:
                log.warning("%s cannot be read and is skipped: %s", key, error.message)
                continue
            if checkpoint is not None:
                return checkpoint
            log.warning("%s belongs to another run and is skipped", key)
        return None

    def clear(self) -> None:
        """Remove all checkpoints, once the result is stored.

        A store that fails here does not fail the training: what stays is removed with the subject's other objects.
        """
        try:
            with_retries(lambda: self._store.delete_prefix_sync(self._folder))
        except UnavailableError as error:
            log.warning("checkpoints stay under %s: %s", self._folder, error.message)


def pack(checkpoint: Checkpoint, fingerprint: str) -> bytes:
    """A checkpoint as one safetensors file."""
    loop, selection = checkpoint.loop, checkpoint.selection
    arrays = _with_prefix(_LORA, loop.lora) | _with_prefix(_MOMENTS, loop.moments)
    facts: dict[str, Any] = {"step": loop.step, "curve": loop.curve, "open_losses": loop.open_losses}
    if selection is not None:
        arrays |= _with_prefix(_BEST, selection.best)
        facts["judged"] = [dataclasses.asdict(scores) for scores in selection.judged]
    return write_arrays(arrays, {"fingerprint": fingerprint, "run": json.dumps(facts)})


def unpack(data: bytes, fingerprint: str) -> Checkpoint | None:
    """Inverse of :func:`pack`; ``None`` where the file is another run's.

    Raises:
        InvalidAdapterError: ADAPTER_CORRUPT.
    """
    arrays, metadata = read_arrays(data)
    if metadata.get("fingerprint") != fingerprint:
        return None
    facts = json.loads(metadata["run"])
    selection = None
    if "judged" in facts:
        selection = SelectionState(
            [CheckpointScores(**scores) for scores in facts["judged"]], _of_prefix(_BEST, arrays)
        )
    loop = LoopState(
        step=facts["step"],
        lora=_of_prefix(_LORA, arrays),
        moments=_of_prefix(_MOMENTS, arrays),
        curve=[(int(step), float(loss)) for step, loss in facts["curve"]],
        open_losses=facts["open_losses"],
    )
    return Checkpoint(loop, selection)


def _with_prefix(prefix: str, arrays: dict[str, Array]) -> dict[str, Array]:
    return {prefix + name: array for name, array in arrays.items()}


def _of_prefix(prefix: str, arrays: dict[str, Array]) -> dict[str, Array]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
