"""A training's result in the object store: adapter files, sheet, card; last the manifest, which makes them count."""

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
from services.trainer.queue.job import AdapterFiles, JobRequest
from services.trainer.run.checkpoint import checkpoint_folder
from services.trainer.selection.scores import TrainingScores

_ADAPTER, _KOHYA, _MANIFEST = "adapter.safetensors", "adapter.kohya.safetensors", "manifest.json"
_SHEET, _CARD = "sheet.jpg", "README.md"
# The manifest first, as all are removed in this order: no half of an adapter ever counts.
_FILES = (_MANIFEST, _ADAPTER, _KOHYA, _SHEET, _CARD)


@dataclasses.dataclass(frozen=True)
class Extras:
    """What people look at: the contact sheet (JPEG), and the card of scores and the sheet's name (Markdown)."""

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

    An earlier attempt may have been killed between the files. So the kohya file and the manifest are made from what
    the store holds, never from what this run would have written: they always belong together.

    Raises:
        UnavailableError: OBJECT_STORE_UNAVAILABLE, OBJECT_STORE_FULL.
    """
    manifest_key, key, kohya_key, sheet_key, card_key = (f"{request.output_prefix}/{name}" for name in _FILES)
    scores = dataclasses.replace(scores, sheet_key=sheet_key, card_key=card_key)
    header = common_header(request, provenance, scores)
    data = _put_adapter(store, request, weights, header)
    stored = {name.removeprefix("unet."): array for name, array in read_arrays(data)[0].items()}
    kohya_bytes = kohya_lora_bytes(
        pairs_of_peft(stored), {**header, **kohya_header(request, provenance, curve, scores)}
    )
    sums = {
        "kohya_sha256": _digest(_kept(store, kohya_key, kohya_bytes)),
        "sheet_sha256": _digest(_kept(store, sheet_key, extras.sheet)),
        "card_sha256": _digest(_kept(store, card_key, extras.card(scores, _SHEET).encode())),
    }
    files = AdapterFiles(
        sha256=_digest(data),
        key=key,
        foundation_digest=provenance.foundation_digest,
        rank=provenance.recipe.rank,
        trigger=provenance.trigger,
        size_bytes=len(data),
        kohya_key=kohya_key,
        manifest_key=manifest_key,
    )
    manifest = {**_manifest(request, provenance, files, curve, scores), **sums}
    store.put_sync(manifest_key, json.dumps(manifest, indent=1, sort_keys=True).encode())
    return files, scores


def _put_adapter(
    store: ArtifactStore,
    request: JobRequest,
    weights: Mapping[str, npt.NDArray[np.float32]],
    header: Mapping[str, str],
) -> bytes:
    """The adapter's file as the store has it: this result's, written now or by an attempt before.

    What calls itself another result (of a trainer before an upgrade, of a device that does not repeat itself) is
    replaced with all that came with it: without a manifest it counts for nobody.
    """
    key, ours = f"{request.output_prefix}/{_ADAPTER}", diffusers_lora_bytes(pairs_of_peft(weights), header)
    data = _kept(store, key, ours)
    if header.items() <= read_arrays(data)[1].items():
        return data
    _remove_files(store, request)
    return _kept(store, key, ours)


def _kept(store: ArtifactStore, key: str, data: bytes) -> bytes:
    """What ``key`` holds once ``data`` was offered: an earlier attempt's, where one came so far."""
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
    """What the manifest says beside the digests of what is stored with the adapter."""
    return {
        "format": 1,
        "adapter": dataclasses.asdict(files),
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
    """What an earlier attempt finished without living to tell: its files, curve and scores.

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
    return AdapterFiles(**manifest["adapter"]), curve, TrainingScores.from_json(manifest["scores"])


def remove_artefacts(store: ArtifactStore, request: JobRequest, provenance: Provenance) -> None:
    """Remove all that a run of this job may have left.

    Only names that a run writes, and never another training's adapter.

    Raises:
        UnavailableError: OBJECT_STORE_UNAVAILABLE.
    """
    manifest = _stored_manifest(store, request.output_prefix)
    if manifest is None or manifest["fingerprint"] == fingerprint(request, provenance):
        _remove_files(store, request)
    store.delete_prefix_sync(checkpoint_folder(request.output_prefix))


def _remove_files(store: ArtifactStore, request: JobRequest) -> None:
    for name in _FILES:
        store.delete_sync(f"{request.output_prefix}/{name}")


def _stored_manifest(store: ArtifactStore, output_prefix: str) -> dict[str, Any] | None:
    try:
        manifest: dict[str, Any] = json.loads(store.get_sync(f"{output_prefix}/{_MANIFEST}"))
    except NotFoundError:
        return None
    return manifest
