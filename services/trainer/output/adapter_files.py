"""Writes a training's result to the object store: adapter files, contact sheet and card, then the manifest.

Without a manifest the other files do not count as a result.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from headshots.artifacts import ArtifactStore
from headshots.diffusion.lora.files import diffusers_lora_bytes, kohya_lora_bytes, pairs_of_peft
from headshots.diffusion.safetensors_io import read_arrays
from headshots.errors import FailedPreconditionError, NotFoundError
from services.trainer.output.headers import common_header, kohya_header
from services.trainer.output.provenance import Provenance, fingerprint
from services.trainer.queue.job import AdapterFiles, JobRequest, StoredFile
from services.trainer.selection.scores import TrainingScores

_ADAPTER, _KOHYA, _MANIFEST = "adapter.safetensors", "adapter.kohya.safetensors", "manifest.json"
_OWNER = "job-id"
_SHEET, _CARD = "sheet.jpg", "README.md"
# Files are removed in this order: the manifest first, so that half of a result never counts.
_FILES = (_MANIFEST, _ADAPTER, _KOHYA, _SHEET, _CARD)


@dataclasses.dataclass(frozen=True)
class Extras:
    """The files for people: the contact sheet (JPEG), and the card (Markdown) of given scores and sheet name."""

    sheet: bytes
    card: Callable[[TrainingScores, str], str]


def write_adapter(
    store: ArtifactStore,
    request: JobRequest,
    provenance: Provenance,
    weights: Mapping[str, npt.NDArray[np.float32]],
    curve: Sequence[tuple[int, float]],
    scores: TrainingScores,
    extras: Extras,
) -> tuple[AdapterFiles, TrainingScores]:
    """Write all files under the job's prefix, the manifest last; objects that exist already are kept.

    Returns what was written, and ``scores`` with the keys of sheet and card.

    An earlier attempt may have been killed between two files. So the kohya file and the manifest are made from what the
    store holds, never from what this run would have written: the files always belong together.

    Raises:
        UnavailableError: OBJECT_STORE_UNAVAILABLE, OBJECT_STORE_FULL.
    """
    manifest_key, _, kohya_key, sheet_key, card_key = (f"{request.output_prefix}/{name}" for name in _FILES)
    scores = dataclasses.replace(scores, sheet_key=sheet_key, card_key=card_key)
    header = common_header(request, provenance, scores)
    data = _put_adapter(store, request, weights, header)
    stored = {name.removeprefix("unet."): array for name, array in read_arrays(data)[0].items()}
    kohya_bytes = kohya_lora_bytes(
        pairs_of_peft(stored), {**header, **kohya_header(request, provenance, curve, scores)}
    )
    digests = {
        "kohya_sha256": _digest(_put(store, kohya_key, kohya_bytes)),
        "sheet_sha256": _digest(_put(store, sheet_key, extras.sheet)),
        "card_sha256": _digest(_put(store, card_key, extras.card(scores, _SHEET).encode())),
    }
    files = _adapter_files(request, provenance, data)
    manifest = {**_manifest(request, provenance, files, curve, scores), **digests}
    store.put_sync(manifest_key, json.dumps(manifest, indent=1, sort_keys=True).encode())
    return _with_others(store, request, files), scores


def _adapter_files(request: JobRequest, provenance: Provenance, data: bytes) -> AdapterFiles:
    return AdapterFiles(
        sha256=_digest(data),
        key=f"{request.output_prefix}/{_ADAPTER}",
        foundation_digest=provenance.foundation_digest,
        rank=provenance.recipe.rank,
        trigger=provenance.trigger,
        size_bytes=len(data),
        kohya_key=f"{request.output_prefix}/{_KOHYA}",
        manifest_key=f"{request.output_prefix}/{_MANIFEST}",
    )


def _with_others(store: ArtifactStore, request: JobRequest, files: AdapterFiles) -> AdapterFiles:
    """With the files beside the adapter, as the store holds them."""
    keys = [f"{request.output_prefix}/{name}" for name in (_KOHYA, _SHEET, _CARD, _MANIFEST)]
    stored = ((key, store.get_sync(key)) for key in keys)
    return dataclasses.replace(files, others=tuple(StoredFile(key, _digest(data), len(data)) for key, data in stored))


def _put_adapter(
    store: ArtifactStore,
    request: JobRequest,
    weights: Mapping[str, npt.NDArray[np.float32]],
    header: Mapping[str, str],
) -> bytes:
    """Store the adapter file, unless an earlier attempt did; returns the stored bytes.

    A stored file of another result (of a trainer before an upgrade, of a device that is not deterministic) is replaced,
    and its other files are removed: without a manifest it does not count.
    """
    key, ours = f"{request.output_prefix}/{_ADAPTER}", diffusers_lora_bytes(pairs_of_peft(weights), header)
    data = _put(store, key, ours)
    if header.items() <= read_arrays(data)[1].items():
        return data
    _remove_files(store, request)
    return _put(store, key, ours)


def _put(store: ArtifactStore, key: str, data: bytes) -> bytes:
    """Store ``data`` unless ``key`` exists; returns what ``key`` then holds."""
    store.put_sync(key, data)
    return store.get_sync(key)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _manifest(
    request: JobRequest,
    provenance: Provenance,
    files: AdapterFiles,
    curve: Sequence[tuple[int, float]],
    scores: TrainingScores,
) -> dict[str, object]:
    """The manifest without the digests of the files beside the adapter."""
    return {
        "format": 1,
        # Not those beside it: the manifest is one of them.
        "adapter": {name: value for name, value in dataclasses.asdict(files).items() if name != "others"},
        "foundation": provenance.foundation_name,
        "alpha": provenance.recipe.rank,
        "class_noun": request.class_noun,
        "recipe": dataclasses.asdict(provenance.recipe),
        "photos": [photo.sha256 for photo in request.photos],
        "curve": [[step, loss] for step, loss in curve],
        "scores": scores.to_json(),
        "fingerprint": fingerprint(request, provenance),
    }


def finished_adapter(
    store: ArtifactStore, request: JobRequest, provenance: Provenance
) -> tuple[AdapterFiles, list[tuple[int, float]], TrainingScores] | None:
    """The result of an earlier attempt that was lost before it could report it: files, curve and scores.

    Raises:
        FailedPreconditionError: OUTPUT_TAKEN, when the prefix holds another training's adapter.
        UnavailableError: OBJECT_STORE_UNAVAILABLE.
    """
    manifest = _stored_manifest(store, request.output_prefix)
    if manifest is None:
        return None
    if manifest["fingerprint"] != fingerprint(request, provenance):
        raise FailedPreconditionError(
            "OUTPUT_TAKEN", f"{request.output_prefix} holds the adapter of another training; give a prefix of its own"
        )
    curve = [(int(step), float(loss)) for step, loss in manifest["curve"]]
    files = _with_others(store, request, AdapterFiles.from_json(manifest["adapter"]))
    return files, curve, TrainingScores.from_json(manifest["scores"])


def take_prefix(store: ArtifactStore, output_prefix: str, job_id: str) -> None:
    """Make a prefix the job's own, which it stays; before the job writes anything there.

    Raises:
        FailedPreconditionError: OUTPUT_TAKEN, when it is another job's.
        UnavailableError: OBJECT_STORE_UNAVAILABLE, OBJECT_STORE_FULL.
    """
    owner = _owner(store, output_prefix)
    # Versions before this one left results without an owner.
    if owner is None and _stored_manifest(store, output_prefix) is None:
        owner = _put(store, f"{output_prefix}/{_OWNER}", job_id.encode()).decode()
    if owner != job_id:
        raise FailedPreconditionError(
            "OUTPUT_TAKEN", f"{output_prefix} is of another training; give a prefix of its own"
        )


def remove_artefacts(store: ArtifactStore, request: JobRequest, job_id: str) -> None:
    """Remove all files that runs of this job may have written; nothing where the prefix is another job's.

    Raises:
        UnavailableError: OBJECT_STORE_UNAVAILABLE.
    """
    if _owner(store, request.output_prefix) != job_id:
        return
    _remove_files(store, request)
    store.delete_prefix_sync(request.checkpoint_folder)
    # Last: until then another try finds out what is left to remove.
    store.delete_sync(f"{request.output_prefix}/{_OWNER}")


def remove_late(store: ArtifactStore, request: JobRequest, job_id: str) -> None:
    """Remove everything below an erased job's prefix, unless that is another job's.

    Raises:
        UnavailableError: OBJECT_STORE_UNAVAILABLE.
    """
    # The erasure has removed the owner with the rest.
    if _owner(store, request.output_prefix) in (None, job_id):
        store.delete_prefix_sync(request.output_prefix)


def _owner(store: ArtifactStore, output_prefix: str) -> str | None:
    """The job that the prefix belongs to."""
    try:
        return store.get_sync(f"{output_prefix}/{_OWNER}").decode()
    except NotFoundError:
        return None


def _remove_files(store: ArtifactStore, request: JobRequest) -> None:
    for name in _FILES:
        store.delete_sync(f"{request.output_prefix}/{name}")


def _stored_manifest(store: ArtifactStore, output_prefix: str) -> dict[str, Any] | None:
    try:
        manifest: dict[str, Any] = json.loads(store.get_sync(f"{output_prefix}/{_MANIFEST}"))
    except NotFoundError:
        return None
    return manifest
