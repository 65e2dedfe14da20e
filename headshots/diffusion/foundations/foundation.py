"""Describes a foundation, a Stable Diffusion in diffusers folder format, without loading it.

Only JSON and YAML are read, and for its digest the small file of initial weights: so the trainer, the export and
the demo share these facts without importing torch.

``headshots.yaml``, optional, next to ``model_index.json``, says what the folder's own files cannot::

    width_px: 128               # native size; default: the UNet's sample_size times the VAE's factor
    height_px: 128
    sampler: dpmpp_2m           # ddim, euler, euler_ancestral, dpmpp_2m, dpmpp_2m_sde, lcm or tcd; default: what the
                                # folder's scheduler is, and where it has no table, the foundation is refused
    spacing: trailing           # of the steps: leading, trailing, linspace or karras; default: the scheduler's
    original_inference_steps: 4 # of lcm and tcd: at how many timesteps the model was taught; default: 50
    eta: 0.3                    # share of the noise drawn anew at each step, 0 to 1; default: ddim 0, tcd 0.3
    steps: 20                   # default 25
    guidance_scale: 4.0         # default 7.5
    adapter_guidance_scale: 5.0 # with a subject's adapter; default: guidance_scale
    guidance_interval: [0.2, 0.8]   # where there is guidance, of the noise schedule: 1 is noise alone; default [0, 1]
    adapter_strength: 0.8       # how strongly adapters show: more is likelier, less keeps words; default 1, as stock
    negative_adapter_share: 0.5 # of an adapter's strength, what the negative prompt's rows get; default 1, as stock
    trigger: sks                # word that stands for the subject
    prompt_template: "headshot portrait of {subject}, wearing {outfit}, {backdrop}, {lighting}, {framing}"
    negative_prompt: cartoon, blurry   # what galleries are led away from where a style says nothing; default: nothing
    class_nouns: [person, man, woman]
    head_height: 0.78           # of heads in its portraits, chin to crown, share of the height: trainings cut photos so
                                # near, and looks' frames follow; default: as large as they allow
    eye_line: 0.39              # of the eyes there, from the upper edge; default with head_height: looks take 0.45
    vocabulary: a beard bright …  # the only words that the model was taught; default: any may be known
    adapted_layers: [to_q, to_k, to_v, to_out.0, ff.net.0.proj, ff.net.2]   # default: the first four
    training: {steps: 400, rank: 8, learning_rate: 0.0005}   # the trainer's recommended recipe, free form

Unknown keys are refused, so that a typing error is not a silent default.

``adapter_start.safetensors``, optional: the initial weights of adapters, which else start from noise.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headshots.diffusion.foundations.files import (
    INITIAL_WEIGHTS,
    SETTINGS,
    adapted_layers,
    check_unet,
    check_weights,
    read_index,
    read_json,
    read_settings,
    read_vae,
    short,
)
from headshots.diffusion.foundations.fusions import FUSION, read_fusions
from headshots.diffusion.foundations.heads import read_heads
from headshots.diffusion.foundations.kinds import check_pipeline
from headshots.diffusion.foundations.samplers import SCHEDULER, read_sampling
from headshots.errors import InvalidArgumentError

FAMILIES = ("sd15", "sdxl")

DEFAULT_TEMPLATE = "headshot portrait of {subject}, wearing {outfit}, {backdrop}, {lighting}, {framing}"
# What requests may ask for; of a native size what an engine may take.
_MOST_GUIDANCE, _MOST_STRENGTH, _MOST_PX = 30, 2, 8192
_DIGESTED = {".safetensors", ".json", ".txt"}
_NOT_DIGESTED = {"scores.json", INITIAL_WEIGHTS, FUSION}


@dataclass(frozen=True)
class Foundation:
    """What is known of a foundation without its weights.

    Attributes:
        path: the diffusers folder.
        name: the folder's name.
        family: ``sd15`` or ``sdxl``; the bundled foundation is of family ``sd15``.
        latent_channels: channels of a latent.
        vae_scale_factor: pixels a latent cell spans in each direction.
        scaling_factor: latents are divided by it before decoding.
        native_width_px, native_height_px: size it was trained for.
        zero_empty_prompt: an empty negative prompt is all zeros (SDXL) instead of the encoded empty text.
        prediction_type: ``epsilon`` or ``v_prediction``.
        scheduler: the folder's ``scheduler_config.json`` with the settings' spacing, as its pipeline reads it.
        sampler, steps, guidance_scale: defaults of a request.
        eta: share of the noise that ddim and tcd draw anew at each step, 0 to 1; None: each sampler's default.
        guidance_interval: from where to where of the noise schedule a request has guidance: a step's timestep over the
            last one trained, 1 for noise alone, both ends included (arXiv 2404.07724).
        adapter_guidance_scale: default guidance of a request with an adapter.
        adapter_strength: how strongly an adapter shows by default, 0 to 2; 1 is as stock pipelines do.
        negative_adapter_share: the default share, 0 to 1, of an adapter's strength that the rows of the negative
            prompt get. Below 1 guidance leads away from everybody else too, as from a weaker self (arXiv 2406.02507).
        trigger, prompt_template, class_nouns: how prompts speak of a subject.
        negative_prompt: what images are led away from where a style names nothing; empty: nothing.
        head_height: of a head in its portraits, from the chin to the crown without hair, share of the height (see
            `headshots.looks.placing.HEAD_SPANS`); trainings cut photos so near. None: as large as photos allow.
        eye_line: from the upper edge to the eyes in its portraits, share of the height; None without `head_height`, and
            where that alone is told.
        vocabulary: the only words, in lower case, that it was taught, sorted; empty where its vocabulary is open.
        adapted_layers: what adapters change, as endings of the UNet's module paths.
        initial_weights: the LoRA file that adapters start from; None: they start from noise.
        initial_weights_sha256: its SHA-256, in hex; empty without one.
        training: the recommended training recipe, empty where none is given.
    """

    path: Path
    name: str
    family: str
    latent_channels: int
    vae_scale_factor: int
    scaling_factor: float
    native_width_px: int
    native_height_px: int
    zero_empty_prompt: bool
    prediction_type: str
    scheduler: Mapping[str, Any]
    sampler: str
    eta: float | None
    guidance_interval: tuple[float, float]
    steps: int
    guidance_scale: float
    adapter_guidance_scale: float
    adapter_strength: float
    negative_adapter_share: float
    trigger: str
    prompt_template: str
    negative_prompt: str
    class_nouns: tuple[str, ...]
    head_height: float | None
    eye_line: float | None
    vocabulary: tuple[str, ...]
    adapted_layers: tuple[str, ...]
    initial_weights: Path | None
    initial_weights_sha256: str
    training: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> Foundation:
        """Describe the diffusers folder ``path``.

        Raises:
            InvalidArgumentError: FOUNDATION_NOT_FOUND, FOUNDATION_UNSUPPORTED (the pipeline is of a kind that is not
                supported), FOUNDATION_INVALID (a file is missing or not JSON, or a network is of a kind that is not
                supported), FOUNDATION_SETTINGS_INVALID (headshots.yaml), SCHEDULER_UNSUPPORTED (it has no table).
        """
        index = read_index(path)
        check_pipeline(path, index)
        unet = read_json(path / "unet" / "config.json", "sample_size")
        vae = read_vae(path / "vae" / "config.json")
        scheduler = read_json(path / SCHEDULER)
        sdxl = unet.get("addition_embed_type") == "text_time"
        check_weights(path, ("unet", "vae", "text_encoder", *(("text_encoder_2",) if sdxl else ())))
        check_unet(path / "unet" / "config.json", unet, vae["latent_channels"])
        settings = read_settings(path / SETTINGS)
        initial = path / INITIAL_WEIGHTS if (path / INITIAL_WEIGHTS).is_file() else None
        factor = 2 ** (len(vae["block_out_channels"]) - 1)
        native = unet["sample_size"] * factor
        return cls(
            path=path,
            name=path.resolve().name,
            family="sdxl" if sdxl else "sd15",
            latent_channels=int(vae["latent_channels"]),
            vae_scale_factor=factor,
            scaling_factor=float(vae.get("scaling_factor", 0.18215)),
            native_width_px=_size(path, settings, "width_px", native),
            native_height_px=_size(path, settings, "height_px", native),
            zero_empty_prompt=sdxl and bool(index.get("force_zeros_for_empty_prompt", True)),
            initial_weights=initial,
            initial_weights_sha256=file_digest(initial) if initial else "",
            **read_sampling(path, "sdxl" if sdxl else "sd15", settings, scheduler),
            **_defaults(path, settings),
        )


def foundation_digest(path: Path) -> str:
    """SHA-256, in hex, over the sorted (relative path, SHA-256 of the bytes) of every weight and config file.

    Counted are ``*.safetensors``, ``*.json`` and ``*.txt``; not the model card, its scores, ``headshots.yaml``, nor
    the initial weights of adapters, so that an adapter stays valid when only those change. Weights that a LoRA was
    fused into count as what :mod:`headshots.diffusion.foundations.fusions` tells.

    Raises:
        InvalidArgumentError: FOUNDATION_INVALID.
    """
    total, fusions = hashlib.sha256(), read_fusions(path)
    for relative in sorted(p.relative_to(path).as_posix() for p in path.rglob("*") if _is_digested(p)):
        total.update(f"{relative}\0{fusions.identity(relative, file_digest(path / relative))}\n".encode())
    return total.hexdigest()


def _is_digested(path: Path) -> bool:
    return path.is_file() and path.suffix in _DIGESTED and path.name not in _NOT_DIGESTED


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _defaults(path: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What ``headshots.yaml`` says of requests, prompts and training, with what is left out filled in."""
    guidance = _within(path, settings, "guidance_scale", 7.5, _MOST_GUIDANCE)
    return {
        "guidance_scale": guidance,
        "adapter_guidance_scale": _within(path, settings, "adapter_guidance_scale", guidance, _MOST_GUIDANCE),
        "adapter_strength": _within(path, settings, "adapter_strength", 1.0, _MOST_STRENGTH),
        "negative_adapter_share": _within(path, settings, "negative_adapter_share", 1.0, 1),
        "trigger": str(settings.get("trigger", "sks")),
        "prompt_template": str(settings.get("prompt_template", DEFAULT_TEMPLATE)),
        "negative_prompt": str(settings.get("negative_prompt", "")),
        "class_nouns": _class_nouns(path, settings),
        **read_heads(path, settings),
        "vocabulary": tuple(sorted(set(str(settings.get("vocabulary", "")).lower().split()))),
        "adapted_layers": adapted_layers(path / SETTINGS, settings),
        "training": dict(settings.get("training", {})),
    }


def _class_nouns(path: Path, settings: Mapping[str, Any]) -> tuple[str, ...]:
    nouns = settings.get("class_nouns", ["person", "man", "woman"])
    if not nouns or not all(isinstance(noun, str) and noun.strip() for noun in nouns):
        raise _wrong(path, f"class_nouns is {short(nouns)}; one word or more are needed")
    return tuple(nouns)


def _size(path: Path, settings: Mapping[str, Any], key: str, native: int) -> int:
    size = settings.get(key, native)
    if not 1 <= size <= _MOST_PX:
        raise _wrong(path, f"{key} is {size}; 1 to {_MOST_PX} is possible")
    return int(size)


def _within(path: Path, settings: Mapping[str, Any], key: str, default: float, most: int) -> float:
    value = float(settings.get(key, default))
    if not 0 <= value <= most:
        raise _wrong(path, f"{key} is {value:g}; 0 to {most} is possible")
    return value


def _wrong(path: Path, why: str) -> InvalidArgumentError:
    return InvalidArgumentError("FOUNDATION_SETTINGS_INVALID", f"{path / SETTINGS}: {why}")
