"""Takes LoRA files apart: whatever layout a file has, one pair of matrices and a scale for each layer.

* PEFT/diffusers: ``unet.<module>.lora_A.weight`` [r, in] and ``.lora_B.weight`` [out, r]. The scale alpha/r stands in
  the metadata ``lora_adapter_metadata`` (with ``rank_pattern``, ``alpha_pattern``, ``use_rslora``); without it the
  scale is 1, as in diffusers.
* kohya: ``lora_unet_<module with underscores>.lora_down.weight``, ``.lora_up.weight`` and ``.alpha``.

R is a LoRA's rank, I the layer's inputs, O its outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headshots.diffusion.lora.layout import Layout
from headshots.diffusion.lora.scaling import PeftScaling
from headshots.diffusion.safetensors_io import Arrays
from headshots.errors import InvalidAdapterError

FloatArray = npt.NDArray[np.float32]

KOHYA_PREFIX = "lora_unet_"
_ENDINGS = {
    ".lora_A.weight": "a",
    ".lora_B.weight": "b",
    ".lora_down.weight": "a",
    ".lora_up.weight": "b",
    ".alpha": "alpha",
}
# Of names that the engine does not know; they may be of any length.
_NAMES_SHOWN, _NAME_SHOWN = 4, 120


@dataclass(frozen=True)
class LoraPair:
    """One layer's LoRA: y += scale * B (A x), with scale = alpha / rank unless the file says otherwise.

    ``convolution``: the layer is a 1 x 1 convolution, and files hold [R, I, 1, 1] and [O, R, 1, 1] for it.
    """

    a_RI: FloatArray
    b_OR: FloatArray
    scale: float = 1.0
    convolution: bool = False

    @classmethod
    def of_arrays(cls, a: FloatArray, b: FloatArray) -> LoraPair:
        """Of what PEFT trains, matrices or 1 x 1 convolutions; alpha is the rank, so the scale is 1."""
        if a.ndim == 4:
            return cls(a[:, :, 0, 0], b[:, :, 0, 0], convolution=True)
        return cls(a, b)

    @property
    def arrays(self) -> tuple[FloatArray, FloatArray]:
        """A and B in the shapes that files hold."""
        if self.convolution:
            return self.a_RI[:, :, None, None], self.b_OR[:, :, None, None]
        return self.a_RI, self.b_OR

    @property
    def rank(self) -> int:
        """R."""
        return int(self.a_RI.shape[0])


def pairs_of_peft(weights: Mapping[str, FloatArray]) -> dict[str, LoraPair]:
    """Pairs by layer, from PEFT's state: ``….lora_A.weight`` and ``….lora_B.weight``, alpha equal to rank."""
    a, b = ".lora_A.weight", ".lora_B.weight"
    names = sorted(name.removesuffix(a) for name in weights if name.endswith(a))
    return {name: LoraPair.of_arrays(weights[name + a], weights[name + b]) for name in names}


def pairs_from_arrays(arrays: Arrays, metadata: Mapping[str, str], layout: Layout) -> dict[str, LoraPair]:
    """LoRA pairs by site name, from a file in either layout.

    Raises:
        InvalidAdapterError: ADAPTER_EMPTY, ADAPTER_UNKNOWN_LAYERS, ADAPTER_INCOMPLETE, ADAPTER_CORRUPT,
            ADAPTER_SHAPE_MISMATCH, ADAPTER_NOT_FINITE, ADAPTER_PATTERN_REFUSED.
    """
    parts: dict[str, dict[str, FloatArray]] = {}
    unknown: set[str] = set()
    for key, array in arrays.items():
        site, part = _resolve(key, layout)
        if site is None:
            unknown.add(key)
        elif part in parts.setdefault(site, {}):
            raise InvalidAdapterError("ADAPTER_CORRUPT", f"{site} is there twice, under two names; keep one of them")
        else:
            parts[site][part] = array
    if unknown:
        shown = ", ".join(name[:_NAME_SHOWN] for name in sorted(unknown)[:_NAMES_SHOWN])
        adapted = ", ".join(layout.layers)
        raise InvalidAdapterError(
            "ADAPTER_UNKNOWN_LAYERS",
            f"{len(unknown)} of its tensors touch layers that this engine has no site for ({shown} …); train on "
            f"the UNet's {adapted}, or name more adapted_layers in the foundation's headshots.yaml and export again",
        )
    if not parts:
        raise InvalidAdapterError("ADAPTER_EMPTY", "the file holds no LoRA weights")
    scaling = PeftScaling.from_metadata(metadata)
    return {site: _pair(site, found, scaling) for site, found in parts.items()}


def _resolve(key: str, layout: Layout) -> tuple[str | None, str]:
    """The site's name and which part of its LoRA a key holds; no name for what the engine has no site for."""
    ending = next((ending for ending in _ENDINGS if key.endswith(ending)), None)
    if ending is None:
        return None, ""
    stem = key.removesuffix(ending)
    if stem.startswith(KOHYA_PREFIX):
        site = layout.by_kohya_name.get(stem.removeprefix(KOHYA_PREFIX))
    else:
        site = layout.by_name.get(stem.removeprefix("unet.").removeprefix("base_model.model."))
    return (site.name if site else None), _ENDINGS[ending]


def _pair(site: str, found: Mapping[str, FloatArray], scaling: PeftScaling) -> LoraPair:
    """Put a site's parts together."""
    if "a" not in found or "b" not in found:
        missing = "down (A)" if "a" not in found else "up (B)"
        raise InvalidAdapterError("ADAPTER_INCOMPLETE", f"{site} lacks its {missing} matrix; the file is cut")
    a_RI, b_OR = (_matrix(site, found[part]) for part in ("a", "b"))
    rank = int(a_RI.shape[0])
    if "alpha" not in found:
        return LoraPair(a_RI, b_OR, scaling.scale(site, max(rank, 1)))
    if found["alpha"].size != 1:
        raise InvalidAdapterError("ADAPTER_CORRUPT", f"{site} has an alpha of shape {found['alpha'].shape}")
    return LoraPair(a_RI, b_OR, float(found["alpha"].reshape(())) / max(rank, 1))


def _matrix(site: str, array: FloatArray) -> FloatArray:
    """A matrix, also from the 1x1 convolution that some tools store in its place."""
    if array.ndim == 4 and array.shape[2:] == (1, 1):
        return array[:, :, 0, 0]
    if array.ndim != 2:
        raise InvalidAdapterError(
            "ADAPTER_SHAPE_MISMATCH", f"{site} holds an array of shape {array.shape}; a matrix is needed"
        )
    return array
