"""Reads the files of a foundation's folder and checks that they are supported. Imports no torch."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import UnionType
from typing import Any

import yaml

from headshots.diffusion.lora.layout import ATTENTION_LAYERS, MORE_LAYERS
from headshots.errors import InvalidArgumentError
from headshots.styles.prompts import check_template

SETTINGS = "headshots.yaml"
INITIAL_WEIGHTS = "adapter_start.safetensors"
PICKLES = (".bin", ".ckpt", ".pt", ".pth", ".pkl")
"""Files of these kinds can run code when they are opened, and never are."""
MOST_TEXT_BYTES = 64 << 20
"""Of a configuration or a vocabulary; CLIP's largest have some 4 MB. More is not read into memory, nor fetched."""
_MOST_CELLS = 1024
# Keys of headshots.yaml, and what their values are.
_YAML_KEYS: Mapping[str, type | UnionType] = {
    "width_px": int,
    "height_px": int,
    "sampler": str,
    "spacing": str,
    "original_inference_steps": int,
    "eta": int | float,
    "steps": int,
    "guidance_scale": int | float,
    "adapter_guidance_scale": int | float,
    "guidance_interval": list,
    "adapter_strength": int | float,
    "negative_adapter_share": int | float,
    "trigger": str,
    "prompt_template": str,
    "negative_prompt": str,
    "class_nouns": list,
    "head_height": int | float,
    "eye_line": int | float,
    "vocabulary": str,
    "adapted_layers": list,
    "training": dict,
    "name": str,
    "description": str,
    "version": int | float | str,
}
# How files of weights begin, and how they end without a variant in their names.
_BASES = ("diffusion_pytorch_model", "model")
_NETWORKS = ("unet", "vae", "text_encoder", "text_encoder_2")
_PLAIN_ENDS = (".safetensors", ".safetensors.index.json")
# Settings of a UNet that ask for inputs which nothing here could give.
_UNET_WITHOUT = ("class_embed_type", "num_class_embeds", "encoder_hid_dim_type", "time_cond_proj_dim")


def adapted_layers(path: Path, settings: Mapping[str, Any]) -> tuple[str, ...]:
    """The endings of module paths that the settings read from ``path`` name, the attention projections first."""
    named = [str(layer) for layer in settings.get("adapted_layers", ATTENTION_LAYERS)]
    missing = [layer for layer in ATTENTION_LAYERS if layer not in named]
    unknown = [layer for layer in named if layer not in (*ATTENTION_LAYERS, *MORE_LAYERS)]
    if missing or unknown:
        wrong = f"unknown {', '.join(unknown)}" if unknown else f"{', '.join(missing)} missing"
        raise InvalidArgumentError(
            "FOUNDATION_SETTINGS_INVALID",
            f"{path}: adapted_layers: {wrong}; name {', '.join(ATTENTION_LAYERS)}, and what is wanted of "
            f"{', '.join(MORE_LAYERS)}",
        )
    return tuple(layer for layer in (*ATTENTION_LAYERS, *MORE_LAYERS) if layer in named)


def invalid_foundation(path: Path, why: str) -> InvalidArgumentError:
    """FOUNDATION_INVALID."""
    return InvalidArgumentError("FOUNDATION_INVALID", f"{path}: {why}")


def read_index(path: Path) -> dict[str, Any]:
    """``model_index.json``, which makes a folder a pipeline."""
    file = path / "model_index.json"
    if not file.is_file():
        raise InvalidArgumentError(
            "FOUNDATION_NOT_FOUND",
            f"{path} is not a diffusers folder: it has no {file.name}; "
            "save a pipeline there with save_pretrained(), or name another folder",
        )
    return read_json(file)


def read_json(path: Path, *needed: str) -> dict[str, Any]:
    """A JSON object from ``path`` that has the ``needed`` keys."""
    try:
        size = path.stat().st_size
        value = json.loads(path.read_text("utf-8")) if size <= MOST_TEXT_BYTES else None
    except FileNotFoundError as error:
        raise invalid_foundation(path, "missing; the folder is not a whole diffusers pipeline") from error
    except (ValueError, RecursionError) as error:
        raise invalid_foundation(path, f"not JSON: {error}") from error
    if size > MOST_TEXT_BYTES:
        raise invalid_foundation(path, too_large(size))
    if not isinstance(value, dict):
        raise invalid_foundation(path, "not a JSON object")
    if missing := [key for key in needed if key not in value]:
        raise invalid_foundation(path, f"it lacks {', '.join(missing)}; save the pipeline again with save_pretrained()")
    return value


def too_large(size: int) -> str:
    """Why a configuration or a vocabulary is none."""
    return f"{size >> 20} MB, and texts of a model have {MOST_TEXT_BYTES >> 20} MB at most"


def check_weights(path: Path, parts: Iterable[str]) -> None:
    """Each of the sub-folders ``parts`` must hold safetensors, under the names that every library looks for."""
    for part in parts:
        found = sorted(file.name for file in (path / part).glob("*.safetensors"))
        if not found:
            raise invalid_foundation(
                path / part,
                "it holds no .safetensors weights (pickled weights are refused); save the pipeline again with "
                "save_pretrained(safe_serialization=True)",
            )
        if not _is_plain(path / part):
            raise invalid_foundation(
                path / part,
                f"its weights have the names of a variant ({', '.join(found)}): `headshots foundation import {path} "
                "--out DIR` makes a folder with plain ones",
            )


def has_plain_weights(path: Path) -> bool:
    """Whether ``path`` is a folder with a network whose weights have the names that every library looks for."""
    return any(_is_plain(path / part) for part in _NETWORKS) and all(
        _is_plain(path / part) for part in _NETWORKS if any((path / part).glob("*.safetensors"))
    )


def _is_plain(part: Path) -> bool:
    return any((part / f"{base}{end}").is_file() for base in _BASES for end in _PLAIN_ENDS)


def is_count(value: Any) -> bool:
    """Whether it is a whole number from 1 on."""
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def short(value: object) -> str:
    """A value as errors show it: what somebody else wrote may have any length."""
    return reprlib.repr(value)


def read_vae(path: Path) -> dict[str, Any]:
    """The VAE's configuration, whose sizes are numbers."""
    vae = read_json(path, "block_out_channels", "latent_channels")
    channels = vae["block_out_channels"]
    if not is_count(vae["latent_channels"]) or not isinstance(channels, list) or not all(map(is_count, channels)):
        raise invalid_foundation(
            path,
            f"latent_channels is {short(vae['latent_channels'])} and block_out_channels {short(channels)}; a number "
            "and a list of numbers are needed",
        )
    return vae


def check_unet(path: Path, unet: Mapping[str, Any], latent_channels: int) -> None:
    """Latents, a timestep and a context are what a UNet is given here, and SDXL's added conditions."""
    if not is_count(unet["sample_size"]) or unet["sample_size"] > _MOST_CELLS:
        raise invalid_foundation(
            path, f"sample_size is {short(unet['sample_size'])}; a number from 1 to {_MOST_CELLS} is needed"
        )
    channels = unet.get("in_channels", latent_channels)
    if channels != latent_channels:
        raise invalid_foundation(
            path,
            f"the UNet takes {channels} channels and the VAE makes {latent_channels}: UNets for inpainting, depth or "
            "editing are not supported; name the text-to-image model that they were made from",
        )
    if not isinstance(unet.get("cross_attention_dim", 0), int):
        raise invalid_foundation(
            path, f"cross_attention_dim is {unet['cross_attention_dim']!r}; one number is supported"
        )
    unknown = [key for key in _UNET_WITHOUT if unet.get(key) is not None]
    if unet.get("addition_embed_type") not in (None, "text_time"):
        unknown.append("addition_embed_type")
    if unknown:
        values = ", ".join(f"{key}={unet[key]!r}" for key in unknown)
        raise invalid_foundation(path, f"{values}: models of the Stable Diffusion 1.5 and SDXL families are supported")


def read_settings(path: Path) -> dict[str, Any]:
    """headshots.yaml, or nothing."""
    if not path.exists():
        return {}
    try:
        value = yaml.safe_load(path.read_text("utf-8")) or {}
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidArgumentError("FOUNDATION_SETTINGS_INVALID", f"{path}: not YAML: {error}") from error
    unknown = sorted({*map(str, value)} - {*_YAML_KEYS}) if isinstance(value, dict) else ["(not a mapping)"]
    if unknown:
        raise InvalidArgumentError(
            "FOUNDATION_SETTINGS_INVALID",
            f"{path}: unknown {', '.join(unknown)}; known are {', '.join(sorted(_YAML_KEYS))}",
        )
    for key, found in value.items():
        if not isinstance(found, kind := _YAML_KEYS[key]) or isinstance(found, bool):
            wanted = getattr(kind, "__name__", str(kind))
            raise InvalidArgumentError(
                "FOUNDATION_SETTINGS_INVALID", f"{path}: {key} is {short(found)}; {wanted} is needed"
            )
    if (template := value.get("prompt_template")) is not None:
        try:
            check_template(template)
        except InvalidArgumentError as error:
            raise InvalidArgumentError(
                "FOUNDATION_SETTINGS_INVALID", f"{path}: prompt_template: {error.message}"
            ) from error
    return dict(value)
