"""Builds the headers of an adapter's two files: our own keys, ModelSpec's, and kohya's ``ss_*`` keys.

ModelSpec (https://github.com/Stability-AI/ModelSpec) is what tools show. The ``ss_*`` keys are those of kohya's
sd-scripts. Neither has dates: equal runs give equal bytes.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

from headshots.diffusion.lora.files import DIGEST_KEY
from services.trainer.output.provenance import Provenance, fingerprint
from services.trainer.queue.job import JobRequest
from services.trainer.selection.scores import TrainingScores

_ARCHITECTURE = {"sd15": "stable-diffusion-v1/lora", "sdxl": "stable-diffusion-xl-v1-base/lora"}
_KOHYA_VERSION = {"sd15": "sd_v1", "sdxl": "sdxl_base_v1-0"}


def common_header(request: JobRequest, provenance: Provenance, scores: TrainingScores) -> dict[str, str]:
    """The keys of both files: our own and ModelSpec's."""
    width, height = provenance.size_px
    return {
        DIGEST_KEY: provenance.foundation_digest,
        "foundation": provenance.foundation_name,
        "rank": str(provenance.recipe.rank),
        "alpha": str(provenance.recipe.rank),
        "trigger": provenance.trigger,
        "class_noun": request.class_noun,
        "recipe": json.dumps(dataclasses.asdict(provenance.recipe), sort_keys=True),
        "fingerprint": fingerprint(request, provenance),
        "start_sha256": provenance.start_sha256,
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


def kohya_header(
    request: JobRequest, provenance: Provenance, curve: Sequence[tuple[int, float]], scores: TrainingScores
) -> dict[str, str]:
    """The additional keys of kohya's file; those of the network come with its weights (:mod:`.lora.files`)."""
    recipe, (width, height) = provenance.recipe, provenance.size_px
    facts: dict[str, Any] = {
        "ss_base_model_version": _KOHYA_VERSION[provenance.family],
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
