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
from headshots.diffusion.foundation import Foundation
from headshots.diffusion.lora import DIGEST_KEY, LoraPair, diffusers_lora_bytes, kohya_lora_bytes
from headshots.diffusion.safetensors_io import read_arrays
from headshots.errors import FailedPreconditionError, NotFoundError
from services.trainer.checkpoint import checkpoint_folder
from services.trainer.jobs import AdapterFiles, JobRequest
from services.trainer.options import Recipe
from services.trainer.scores import TrainingScores

_ADAPTER, _KOHYA, _MANIFEST = "adapter.safetensors", "adapter.kohya.safetensors", "manifest.json"
_SHEET, _CARD = "sheet.jpg", "README.md"
_ARCHITECTURE = {"sd15": "stable-diffusion-v1/lora", "sdxl": "stable-diffusion-xl-v1-base/lora"}
_A, _B = ".lora_A.weight", ".lora_B.weight"


@dataclasses.dataclass(frozen=True)
class Provenance:
    """What an adapter's files say about where they come from."""

    foundation_name: str
    foundation_digest: str
    family: str
    v_prediction: bool
    size_px: tuple[int, int]
    trigger: str
    recipe: Recipe


@dataclasses.dataclass(frozen=True)
class Extras:
    """What people look at: the contact sheet (JPEG), and the card of scores and the sheet's name (Markdown)."""

    sheet: bytes
    card: Callable[[TrainingScores, str], str]


def provenance_of(foundation: Foundation, digest: str, request: JobRequest) -> Provenance:
    """What an adapter of ``request`` will say of itself.

    Raises:
        InvalidArgumentError: FOUNDATION_RECIPE_INVALID.
    """
    return Provenance(
        foundation_name=foundation.name,
        foundation_digest=digest,
        family=foundation.family,
        v_prediction=foundation.prediction_type == "v_prediction",
        size_px=(foundation.native_width_px, foundation.native_height_px),
        trigger=foundation.trigger,
        recipe=Recipe.resolve(foundation, request.options),
    )


def fingerprint(request: JobRequest, provenance: Provenance) -> str:
    """SHA-256 over all that decides the result; two runs of the same fingerprint are the same run."""
    facts = {
        "photos": [photo.sha256 for photo in request.photos],
        "class_noun": request.class_noun,
        "foundation": provenance.foundation_digest,
        "trigger": provenance.trigger,
        "size": provenance.size_px,
        "recipe": dataclasses.asdict(provenance.recipe),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


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
    the store holds, never from what this run would have written: the three always belong together.

    Raises:
        UnavailableError: OBJECT_STORE_UNAVAILABLE.
    """
    prefix, mark = request.output_prefix, fingerprint(request, provenance)
    key, kohya_key, manifest_key = (f"{prefix}/{name}" for name in (_ADAPTER, _KOHYA, _MANIFEST))
    scores = dataclasses.replace(scores, sheet_key=f"{prefix}/{_SHEET}", card_key=f"{prefix}/{_CARD}")
    metadata = _metadata(request, provenance, mark, scores)
    store.put_sync(key, diffusers_lora_bytes(_pairs(weights), metadata))
    data = store.get_sync(key)
    stored, _ = read_arrays(data)
    pairs = _pairs({name.removeprefix("unet."): array for name, array in stored.items()})
    kohya_metadata = _kohya_metadata(request, provenance, curve, scores)
    store.put_sync(kohya_key, kohya_lora_bytes(pairs, {**metadata, **kohya_metadata}))
    store.put_sync(scores.sheet_key, extras.sheet)
    store.put_sync(scores.card_key, extras.card(scores, _SHEET).encode())
    files = AdapterFiles(
        sha256=hashlib.sha256(data).hexdigest(),
        key=key,
        foundation_digest=provenance.foundation_digest,
        rank=provenance.recipe.rank,
        trigger=provenance.trigger,
        size_bytes=len(data),
        kohya_key=kohya_key,
        manifest_key=manifest_key,
    )
    sums = {
        "kohya_sha256": hashlib.sha256(store.get_sync(kohya_key)).hexdigest(),
        "sheet_sha256": hashlib.sha256(store.get_sync(scores.sheet_key)).hexdigest(),
    }
    manifest = {**_manifest(request, provenance, files, curve, scores), **sums, "fingerprint": mark}
    store.put_sync(manifest_key, json.dumps(manifest, indent=1, sort_keys=True).encode())
    return files, scores


def _manifest(
    request: JobRequest,
    provenance: Provenance,
    files: AdapterFiles,
    curve: Sequence[tuple[int, float]],
    scores: TrainingScores,
) -> dict[str, object]:
    """What the manifest says beside its fingerprint and the digests of what is stored with it."""
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
    """Remove all that a run of this job may have left: the manifest first, so that no half of an adapter ever counts.

    Only names that a run writes, and never another training's adapter.

    Raises:
        UnavailableError: OBJECT_STORE_UNAVAILABLE.
    """
    manifest = _stored_manifest(store, request.output_prefix)
    if manifest is None or manifest["fingerprint"] == fingerprint(request, provenance):
        for name in (_MANIFEST, _ADAPTER, _KOHYA, _SHEET, _CARD):
            store.delete_sync(f"{request.output_prefix}/{name}")
    store.delete_prefix_sync(checkpoint_folder(request.output_prefix))


def _stored_manifest(store: ArtifactStore, output_prefix: str) -> dict[str, Any] | None:
    try:
        manifest: dict[str, Any] = json.loads(store.get_sync(f"{output_prefix}/{_MANIFEST}"))
    except NotFoundError:
        return None
    return manifest


def _pairs(weights: Mapping[str, npt.NDArray[np.float32]]) -> dict[str, LoraPair]:
    """Layers by name, from PEFT's two keys a layer; alpha is the rank, so the scale is 1."""
    names = sorted(name.removesuffix(_A) for name in weights if name.endswith(_A))
    return {name: LoraPair(weights[name + _A], weights[name + _B]) for name in names}


def _metadata(request: JobRequest, provenance: Provenance, mark: str, scores: TrainingScores) -> dict[str, str]:
    """Header of both files: ours, and the ModelSpec that other tools show (no dates: equal runs, equal bytes)."""
    width, height = provenance.size_px
    return {
        DIGEST_KEY: provenance.foundation_digest,
        "foundation": provenance.foundation_name,
        "rank": str(provenance.recipe.rank),
        "alpha": str(provenance.recipe.rank),
        "trigger": provenance.trigger,
        "class_noun": request.class_noun,
        "recipe": json.dumps(dataclasses.asdict(provenance.recipe), sort_keys=True),
        "fingerprint": mark,
        "step": str(scores.chosen_step),
        "likeness": "not measured" if scores.likeness is None else f"{scores.likeness:.4f}",
        "modelspec.sai_model_spec": "1.0.1",
        "modelspec.architecture": _ARCHITECTURE[provenance.family],
        "modelspec.implementation": "diffusers",
        "modelspec.title": f"headshots of a {request.class_noun}",
        "modelspec.description": f"A LoRA of one person for {provenance.foundation_name}. {scores.reason}",
        "modelspec.usage_hint": f"Say “{provenance.trigger} {request.class_noun}” in the prompt.",
        "modelspec.resolution": f"{width}x{height}",
        "modelspec.prediction_type": "v" if provenance.v_prediction else "epsilon",
        "modelspec.trigger_phrase": f"{provenance.trigger} {request.class_noun}",
    }


def _kohya_metadata(
    request: JobRequest, provenance: Provenance, curve: Sequence[tuple[int, float]], scores: TrainingScores
) -> dict[str, Any]:
    """The ``ss_*`` keys that kohya's family of tools reads."""
    recipe, (width, height) = provenance.recipe, provenance.size_px
    facts = {
        "ss_base_model_version": {"sd15": "sd_v1", "sdxl": "sdxl_base_v1-0"}[provenance.family],
        "ss_sd_model_name": provenance.foundation_name,
        "ss_v2": "False",
        "ss_resolution": f"({width}, {height})",
        "ss_steps": scores.chosen_step,
        "ss_max_train_steps": recipe.steps,
        "ss_learning_rate": recipe.learning_rate,
        "ss_unet_lr": recipe.learning_rate,
        "ss_lr_scheduler": "cosine",
        "ss_lr_warmup_steps": recipe.warmup_steps,
        "ss_batch_size_per_device": recipe.batch_rows,
        "ss_num_train_images": len(request.photos) - scores.held_out,
        "ss_num_reg_images": recipe.prior_images if recipe.prior_rows else 0,
        "ss_optimizer": "torch.optim.adamw.AdamW",
        "ss_min_snr_gamma": recipe.snr_gamma or None,
        "ss_max_grad_norm": recipe.max_gradient_norm,
        "ss_seed": recipe.seed,
        "ss_final_loss": curve[-1][1] if curve else None,
        "ss_tag_frequency": json.dumps({"photos": {f"{provenance.trigger} {request.class_noun}": len(request.photos)}}),
    }
    return {name: str(value) for name, value in facts.items()}
