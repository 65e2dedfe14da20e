"""LoRA files: read from and written to the two layouts that tools use, checked, and packed into adapter rows.

* PEFT/diffusers: ``unet.<module>.lora_A.weight`` [r, in] and ``.lora_B.weight`` [out, r]. The scale alpha/r stands in
  the metadata ``lora_adapter_metadata`` (with ``rank_pattern``, ``alpha_pattern``, ``use_rslora``); without it the
  scale is 1, as in diffusers.
* kohya: ``lora_unet_<module with underscores>.lora_down.weight``, ``.lora_up.weight`` and ``.alpha``.

R is a LoRA's rank, I the layer's inputs, O its outputs.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from headshots.diffusion.layout import Layout
from headshots.diffusion.safetensors_io import Arrays, read_arrays, write_arrays
from headshots.errors import InvalidAdapterError

FloatArray = npt.NDArray[np.float32]

DIGEST_KEY = "foundation_digest"
"""Metadata key of the foundation's digest in files that we write."""
_PEFT_METADATA_KEY = "lora_adapter_metadata"
_KOHYA_PREFIX = "lora_unet_"
_ENDINGS = {
    ".lora_A.weight": "a",
    ".lora_B.weight": "b",
    ".lora_down.weight": "a",
    ".lora_up.weight": "b",
    ".alpha": "alpha",
}
_NAMES_SHOWN = 4


@dataclass(frozen=True)
class LoraPair:
    """One layer's LoRA: y += scale * B (A x), with scale = alpha / rank unless the file says otherwise."""

    a_RI: FloatArray
    b_OR: FloatArray
    scale: float = 1.0

    @property
    def rank(self) -> int:
        """R."""
        return int(self.a_RI.shape[0])


def load_row(data: bytes, layout: Layout, foundation_digest: str) -> FloatArray:
    """Read, check and pack a LoRA file: everything between an object's bytes and a slot of the bank.

    Raises:
        InvalidAdapterError: ADAPTER_CORRUPT, ADAPTER_FOREIGN_FOUNDATION, ADAPTER_EMPTY, ADAPTER_INCOMPLETE,
            ADAPTER_UNKNOWN_LAYERS, ADAPTER_SHAPE_MISMATCH, ADAPTER_RANK_TOO_HIGH, ADAPTER_NOT_FINITE.
    """
    arrays, metadata = read_arrays(data)
    made_for = metadata.get(DIGEST_KEY)
    if made_for is not None and made_for != foundation_digest:
        raise foreign_foundation(made_for, foundation_digest)
    return pack(pairs_from_arrays(arrays, metadata, layout), layout)


def foreign_foundation(made_for: str, serves: str) -> InvalidAdapterError:
    """The adapter belongs to another foundation than the one that this engine was exported from."""
    return InvalidAdapterError(
        "ADAPTER_FOREIGN_FOUNDATION",
        f"the adapter was trained on foundation {made_for[:12]}…, this engine serves {serves[:12]}…; train it again "
        "on this foundation, or send it to an engine that serves the other",
        metadata={"adapter_foundation_digest": made_for, "engine_foundation_digest": serves},
    )


def pairs_from_arrays(arrays: Arrays, metadata: Mapping[str, str], layout: Layout) -> dict[str, LoraPair]:
    """LoRA pairs by site name, from a file in either layout.

    Raises:
        InvalidAdapterError: ADAPTER_EMPTY, ADAPTER_UNKNOWN_LAYERS, ADAPTER_INCOMPLETE, ADAPTER_CORRUPT.
    """
    parts: dict[str, dict[str, FloatArray]] = {}
    unknown: set[str] = set()
    for key, array in arrays.items():
        site, part = _resolve(key, layout)
        if site is None:
            unknown.add(key)
        else:
            parts.setdefault(site, {})[part] = array
    if unknown:
        shown = ", ".join(sorted(unknown)[:_NAMES_SHOWN])
        raise InvalidAdapterError(
            "ADAPTER_UNKNOWN_LAYERS",
            f"{len(unknown)} of its tensors touch layers that this engine has no site for ({shown} …); train on "
            "the UNet's attention projections to_q, to_k, to_v and to_out.0",
        )
    if not parts:
        raise InvalidAdapterError("ADAPTER_EMPTY", "the file holds no LoRA weights")
    scaling = _PeftScaling.from_metadata(metadata)
    return {site: _pair(site, found, scaling) for site, found in parts.items()}


def pack(pairs: Mapping[str, LoraPair], layout: Layout) -> FloatArray:
    """One flat adapter row, [layout.row_size] float32, alpha/rank folded into B.

    Raises:
        InvalidAdapterError: ADAPTER_SHAPE_MISMATCH, ADAPTER_RANK_TOO_HIGH, ADAPTER_NOT_FINITE.
    """
    row = np.zeros(layout.row_size, np.float32)
    for name, pair in pairs.items():
        site = layout.by_name[name]
        _check_shapes(name, pair, site.in_features, site.out_features)
        if pair.rank > layout.max_rank:
            raise InvalidAdapterError(
                "ADAPTER_RANK_TOO_HIGH",
                f"{name} has rank {pair.rank}, the engine holds ranks up to {layout.max_rank}; train with a lower "
                f"rank or export the engine with --max-rank {pair.rank}",
            )
        b_OR = pair.b_OR * np.float32(pair.scale)
        if not (np.isfinite(pair.a_RI).all() and np.isfinite(b_OR).all()):
            raise InvalidAdapterError("ADAPTER_NOT_FINITE", f"{name} holds NaN or infinity; train it again")
        a_IR = np.zeros((site.in_features, layout.max_rank), np.float32)
        b_RO = np.zeros((layout.max_rank, site.out_features), np.float32)
        a_IR[:, : pair.rank] = pair.a_RI.T
        b_RO[: pair.rank] = b_OR.T
        row[site.a_offset : site.a_offset + a_IR.size] = a_IR.ravel()
        row[site.b_offset : site.b_offset + b_RO.size] = b_RO.ravel()
    return row


def diffusers_lora_bytes(pairs: Mapping[str, LoraPair], metadata: Mapping[str, str]) -> bytes:
    """A file that stock ``pipeline.load_lora_weights`` takes. It has no ``.alpha`` keys, which would confuse it."""
    arrays: dict[str, FloatArray] = {}
    for name, pair in pairs.items():
        arrays[f"unet.{name}.lora_A.weight"] = pair.a_RI
        arrays[f"unet.{name}.lora_B.weight"] = pair.b_OR
    config = json.dumps(_peft_config(pairs), sort_keys=True)
    return write_arrays(arrays, {"format": "pt", _PEFT_METADATA_KEY: config, **metadata})


def kohya_lora_bytes(pairs: Mapping[str, LoraPair], metadata: Mapping[str, str]) -> bytes:
    """The same weights for kohya's tools and their heirs (ComfyUI, A1111). It has no PEFT metadata."""
    arrays: dict[str, FloatArray] = {}
    for name, pair in pairs.items():
        stem = _KOHYA_PREFIX + name.replace(".", "_")
        arrays[f"{stem}.lora_down.weight"] = pair.a_RI
        arrays[f"{stem}.lora_up.weight"] = pair.b_OR
        arrays[f"{stem}.alpha"] = np.asarray(pair.scale * pair.rank, np.float32)
    ranks = {pair.rank for pair in pairs.values()}
    alphas = {pair.scale * pair.rank for pair in pairs.values()}
    facts = {
        "ss_network_module": "networks.lora",
        "ss_network_dim": str(max(ranks)),
        "ss_network_alpha": str(max(alphas)),
    }
    return write_arrays(arrays, {"format": "pt", **facts, **metadata})


def write_diffusers_lora(path: Path, pairs: Mapping[str, LoraPair], metadata: Mapping[str, str]) -> None:
    """Write :func:`diffusers_lora_bytes` to ``path``, whole or not at all."""
    _write_atomically(path, diffusers_lora_bytes(pairs, metadata))


def write_kohya_lora(path: Path, pairs: Mapping[str, LoraPair], metadata: Mapping[str, str]) -> None:
    """Write :func:`kohya_lora_bytes` to ``path``, whole or not at all."""
    _write_atomically(path, kohya_lora_bytes(pairs, metadata))


@dataclass(frozen=True)
class _PeftScaling:
    """The scale of each module by PEFT's rules (``LoraConfig``)."""

    alpha: float | None
    alpha_pattern: Mapping[str, float]
    rslora: bool

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> _PeftScaling:
        raw = metadata.get(_PEFT_METADATA_KEY)
        if raw is None:
            return cls(None, {}, False)
        try:
            found: dict[str, Any] = json.loads(raw)
            config = {key.removeprefix("unet."): value for key, value in found.items()}
            alpha = config.get("lora_alpha")
            return cls(
                None if alpha is None else float(alpha),
                {str(key): float(value) for key, value in (config.get("alpha_pattern") or {}).items()},
                bool(config.get("use_rslora", False)),
            )
        except (ValueError, TypeError, AttributeError) as error:
            raise InvalidAdapterError(
                "ADAPTER_CORRUPT", f"the adapter's {_PEFT_METADATA_KEY} cannot be read: {error}"
            ) from error

    def scale(self, name: str, rank: int) -> float:
        """alpha / rank, or alpha / sqrt(rank) for rank-stabilised LoRA (arXiv 2312.03732)."""
        alpha = next(
            (value for key, value in self.alpha_pattern.items() if re.match(rf"(.*\.)?({key})$", name)),
            self.alpha,
        )
        if alpha is None:
            return 1.0
        return alpha / (math.sqrt(rank) if self.rslora else rank)


def _resolve(key: str, layout: Layout) -> tuple[str | None, str]:
    """The site's name and which part of its LoRA a key holds; no name for what the engine has no site for."""
    ending = next((ending for ending in _ENDINGS if key.endswith(ending)), None)
    if ending is None:
        return None, ""
    stem = key.removesuffix(ending)
    if stem.startswith(_KOHYA_PREFIX):
        site = layout.by_kohya_name.get(stem.removeprefix(_KOHYA_PREFIX))
    else:
        site = layout.by_name.get(stem.removeprefix("unet.").removeprefix("base_model.model."))
    return (site.name if site else None), _ENDINGS[ending]


def _pair(site: str, found: Mapping[str, FloatArray], scaling: _PeftScaling) -> LoraPair:
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


def _check_shapes(name: str, pair: LoraPair, inputs: int, outputs: int) -> None:
    rank = pair.rank
    if rank == 0 or pair.a_RI.shape != (rank, inputs) or pair.b_OR.shape != (outputs, rank):
        raise InvalidAdapterError(
            "ADAPTER_SHAPE_MISMATCH",
            f"{name} has A {pair.a_RI.shape} and B {pair.b_OR.shape}; the layer needs [r, {inputs}] and [{outputs}, r]",
        )


def _peft_config(pairs: Mapping[str, LoraPair]) -> dict[str, Any]:
    """The LoraConfig fields that rebuild these ranks and scales, for ``lora_adapter_metadata``."""
    first = next(iter(pairs.values()))
    rank, alpha = first.rank, first.scale * first.rank
    return {
        "unet.r": rank,
        "unet.lora_alpha": alpha,
        "unet.rank_pattern": {n: p.rank for n, p in sorted(pairs.items()) if p.rank != rank},
        "unet.alpha_pattern": {n: p.scale * p.rank for n, p in sorted(pairs.items()) if p.scale * p.rank != alpha},
        "unet.target_modules": sorted(pairs),
    }


def _write_atomically(path: Path, data: bytes) -> None:
    temporary = path.with_name(path.name + ".partial")
    temporary.write_bytes(data)
    temporary.replace(path)
