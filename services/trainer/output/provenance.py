"""Describes what an adapter was trained from, and tells whether two runs are the same."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

from headshots.diffusion.foundations.foundation import Foundation
from services.trainer.lora.recipe import Recipe
from services.trainer.queue.job import JobRequest


@dataclasses.dataclass(frozen=True)
class Provenance:
    """What an adapter's files say about where they come from.

    ``start_sha256``: digest of the initial weights' file, empty where they were random. ``guidance``: guidance scale,
    the negative prompt's share of the adapter and both ends of the interval, for the portraits that checkpoints are
    judged by. ``painting``: what else these portraits and the scenes of captions are painted by, as JSON: sampler, its
    scheduler with the settings' spacing, eta, the bare foundation's guidance scale, prompt template, negative prompt.
    ``adapter_strength``: with which they are painted. ``head_height``: to which photos were cut nearer, as `Foundation`
    has it.
    """

    foundation_name: str
    foundation_digest: str
    family: str
    v_prediction: bool
    size_px: tuple[int, int]
    trigger: str
    adapted_layers: tuple[str, ...]
    start_sha256: str
    guidance: tuple[float, ...]
    recipe: Recipe
    painting: str
    head_height: float | None = None
    adapter_strength: float = 1.0


def provenance_of(foundation: Foundation, digest: str, request: JobRequest) -> Provenance:
    """The provenance of an adapter for ``request``.

    Raises:
        InvalidArgumentError: FOUNDATION_RECIPE_INVALID.
    """
    scale = foundation.adapter_guidance_scale
    return Provenance(
        foundation_name=foundation.name,
        foundation_digest=digest,
        family=foundation.family,
        v_prediction=foundation.prediction_type == "v_prediction",
        size_px=(foundation.native_width_px, foundation.native_height_px),
        trigger=foundation.trigger,
        adapted_layers=foundation.adapted_layers,
        start_sha256=foundation.initial_weights_sha256,
        guidance=(scale, foundation.negative_adapter_share, *foundation.guidance_interval),
        adapter_strength=foundation.adapter_strength,
        recipe=Recipe.resolve(foundation, request.options),
        painting=_painting(foundation),
        head_height=foundation.head_height,
    )


def _painting(foundation: Foundation) -> str:
    facts = {
        "sampler": foundation.sampler,
        "scheduler": dict(foundation.scheduler),
        "eta": foundation.eta,
        "bare_guidance": foundation.guidance_scale,
        "prompt_template": foundation.prompt_template,
        "negative_prompt": foundation.negative_prompt,
    }
    return json.dumps(facts, sort_keys=True)


def fingerprint(request: JobRequest, provenance: Provenance) -> str:
    """SHA-256 over everything that decides the result; runs with the same fingerprint are the same run."""
    facts: dict[str, Any] = {
        "photos": [photo.sha256 for photo in request.photos],
        "class_noun": request.class_noun,
        "foundation": provenance.foundation_digest,
        "trigger": provenance.trigger,
        "adapted_layers": provenance.adapted_layers,
        "start": provenance.start_sha256,
        "guidance": provenance.guidance,
        "size": provenance.size_px,
        "recipe": dataclasses.asdict(provenance.recipe),
        "painting": provenance.painting,
    }
    if provenance.head_height is not None:
        facts["head_height"] = provenance.head_height
    if provenance.adapter_strength != 1:
        facts["adapter_strength"] = provenance.adapter_strength
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
