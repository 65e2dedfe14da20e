"""A foundation: a Stable Diffusion in diffusers folder format, described without loading it.

Only JSON and YAML are read, so the trainer, the export and the demo share these facts without importing torch.

``headshots.yaml``, optional, next to ``model_index.json``, says what the folder's own files cannot::

    width_px: 128               # native size; default: the UNet's sample_size times the VAE's factor
    height_px: 128
    sampler: dpmpp_2m           # ddim, euler or dpmpp_2m; default: the nearest to the folder's scheduler
    steps: 20                   # default 25
    guidance_scale: 4.0         # default 7.5
    trigger: sks                # word that stands for the subject
    prompt_template: "headshot portrait of {subject}, wearing {outfit}, {backdrop}, {lighting}, {framing}"
    class_nouns: [person, man, woman]
    training: {steps: 400, rank: 8, learning_rate: 0.0005}   # the trainer's recommended recipe, free form

Unknown keys are refused, so that a typing error is not a silent default.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from headshots.errors import InvalidArgumentError

SAMPLERS = ("ddim", "euler", "dpmpp_2m")
FAMILIES = ("sd15", "sdxl")

DEFAULT_TEMPLATE = "headshot portrait of {subject}, wearing {outfit}, {backdrop}, {lighting}, {framing}"
# Which of our samplers a folder's scheduler means. PNDM, SD 1.5's own, has no table here: DPM-Solver++ is its heir.
_SAMPLER_OF_SCHEDULER = {
    "DDIMScheduler": "ddim",
    "EulerDiscreteScheduler": "euler",
    "EulerAncestralDiscreteScheduler": "euler",
    "DPMSolverMultistepScheduler": "dpmpp_2m",
    "PNDMScheduler": "dpmpp_2m",
}
_YAML_KEYS = {
    "width_px", "height_px", "sampler", "steps", "guidance_scale", "trigger", "prompt_template", "class_nouns",
    "training", "name", "description", "version",
}  # fmt: skip
_DIGESTED = {".safetensors", ".json", ".txt"}
_NOT_DIGESTED = {"scores.json"}
_HASH_BLOCK = 1 << 20


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
        scheduler: the folder's ``scheduler_config.json`` as it is.
        sampler, steps, guidance_scale: defaults of a request.
        trigger, prompt_template, class_nouns: how prompts speak of a subject.
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
    steps: int
    guidance_scale: float
    trigger: str
    prompt_template: str
    class_nouns: tuple[str, ...]
    training: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> Foundation:
        """Describe the diffusers folder ``path``.

        Raises:
            InvalidArgumentError: FOUNDATION_NOT_FOUND, FOUNDATION_INVALID (a file is missing or not JSON, or the
                model is of a kind that is not supported), FOUNDATION_SETTINGS_INVALID (headshots.yaml).
        """
        if not (path / "model_index.json").is_file():
            raise InvalidArgumentError(
                "FOUNDATION_NOT_FOUND",
                f"{path} is not a diffusers folder: it has no model_index.json; "
                "save a pipeline there with save_pretrained(), or name another folder",
            )
        index = _read_json(path / "model_index.json")
        unet = _read_json(path / "unet" / "config.json")
        vae = _read_json(path / "vae" / "config.json")
        scheduler = _read_json(path / "scheduler" / "scheduler_config.json")
        sdxl = unet.get("addition_embed_type") == "text_time"
        for part in ("unet", "vae", "text_encoder", *(("text_encoder_2",) if sdxl else ())):
            if not any((path / part).glob("*.safetensors")):
                raise _invalid(path / part, "it holds no .safetensors weights (pickled weights are refused)")
        settings = _read_settings(path / "headshots.yaml")
        factor = 2 ** (len(vae["block_out_channels"]) - 1)
        native = _native_cells(path, unet) * factor
        return cls(
            path=path,
            name=path.resolve().name,
            family="sdxl" if sdxl else "sd15",
            latent_channels=int(vae["latent_channels"]),
            vae_scale_factor=factor,
            scaling_factor=float(vae.get("scaling_factor", 0.18215)),
            native_width_px=int(settings.get("width_px", native)),
            native_height_px=int(settings.get("height_px", native)),
            zero_empty_prompt=sdxl and bool(index.get("force_zeros_for_empty_prompt", True)),
            prediction_type=_prediction_type(path, scheduler),
            scheduler=scheduler,
            sampler=_sampler(path, settings, scheduler),
            steps=int(settings.get("steps", 25)),
            guidance_scale=float(settings.get("guidance_scale", 7.5)),
            trigger=str(settings.get("trigger", "sks")),
            prompt_template=str(settings.get("prompt_template", DEFAULT_TEMPLATE)),
            class_nouns=tuple(settings.get("class_nouns", ("person", "man", "woman"))),
            training=dict(settings.get("training", {})),
        )


def foundation_digest(path: Path) -> str:
    """SHA-256, in hex, over the sorted (relative path, SHA-256 of the bytes) of every weight and config file.

    Counted are ``*.safetensors``, ``*.json`` and ``*.txt``; not the model card, its scores, nor ``headshots.yaml``, so
    that an adapter stays valid when only those change.
    """
    total = hashlib.sha256()
    for relative in sorted(p.relative_to(path).as_posix() for p in path.rglob("*") if _is_digested(p)):
        total.update(f"{relative}\0{_file_digest(path / relative)}\n".encode())
    return total.hexdigest()


def _is_digested(path: Path) -> bool:
    return path.is_file() and path.suffix in _DIGESTED and path.name not in _NOT_DIGESTED


def _file_digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_HASH_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _invalid(path: Path, why: str) -> InvalidArgumentError:
    return InvalidArgumentError("FOUNDATION_INVALID", f"{path}: {why}")


def _read_json(path: Path) -> dict[str, Any]:
    """A JSON object from ``path``."""
    try:
        value = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise _invalid(path, "missing; the folder is not a whole diffusers pipeline") from error
    except ValueError as error:
        raise _invalid(path, f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise _invalid(path, "not a JSON object")
    return value


def _read_settings(path: Path) -> dict[str, Any]:
    """headshots.yaml, or nothing."""
    if not path.exists():
        return {}
    try:
        value = yaml.safe_load(path.read_text("utf-8")) or {}
    except yaml.YAMLError as error:
        raise InvalidArgumentError("FOUNDATION_SETTINGS_INVALID", f"{path}: not YAML: {error}") from error
    unknown = sorted(set(value) - _YAML_KEYS) if isinstance(value, dict) else ["(not a mapping)"]
    if unknown:
        raise InvalidArgumentError(
            "FOUNDATION_SETTINGS_INVALID",
            f"{path}: unknown {', '.join(map(str, unknown))}; known are {', '.join(sorted(_YAML_KEYS))}",
        )
    return dict(value)


def _native_cells(path: Path, unet: Mapping[str, Any]) -> int:
    size = unet.get("sample_size")
    if not isinstance(size, int):
        raise _invalid(path / "unet" / "config.json", f"sample_size is {size!r}; a number is needed")
    return size


def _prediction_type(path: Path, scheduler: Mapping[str, Any]) -> str:
    kind = scheduler.get("prediction_type", "epsilon")
    if kind not in ("epsilon", "v_prediction"):
        raise _invalid(path / "scheduler", f"prediction_type {kind!r}; epsilon and v_prediction are supported")
    return str(kind)


def _sampler(path: Path, settings: Mapping[str, Any], scheduler: Mapping[str, Any]) -> str:
    if "sampler" not in settings:
        return _SAMPLER_OF_SCHEDULER.get(str(scheduler.get("_class_name")), "dpmpp_2m")
    if settings["sampler"] not in SAMPLERS:
        raise InvalidArgumentError(
            "FOUNDATION_SETTINGS_INVALID",
            f"{path / 'headshots.yaml'}: sampler {settings['sampler']!r}; known are {', '.join(SAMPLERS)}",
        )
    return str(settings["sampler"])
