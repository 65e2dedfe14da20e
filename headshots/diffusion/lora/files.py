"""Reads, checks and packs LoRA files into adapter rows; and writes them in the two layouts that tools use.

R is a LoRA's rank, I the layer's inputs, O its outputs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from headshots.diffusion.lora.layout import Layout, Site
from headshots.diffusion.lora.pairs import (
    KOHYA_PREFIX,
    FloatArray,
    LoraPair,
    pairs_from_arrays,
    pairs_of_peft,
)
from headshots.diffusion.lora.scaling import PEFT_METADATA_KEY
from headshots.diffusion.safetensors_io import read_arrays, write_arrays
from headshots.errors import InvalidAdapterError

__all__ = [
    "DIGEST_KEY",
    "LoraPair",
    "diffusers_lora_bytes",
    "foreign_foundation",
    "foundation_of",
    "kohya_lora_bytes",
    "load_row",
    "pack",
    "pairs_of_peft",
    "read_pairs",
    "write_diffusers_lora",
    "write_kohya_lora",
]

DIGEST_KEY = "foundation_digest"
"""Metadata key of the foundation's digest in files that we write."""
# Kohya's files for SDXL with text encoders and convolutions have some 8,000.
_MOST_TENSORS = 20_000


def load_row(data: bytes, layout: Layout, foundation_digest: str) -> FloatArray:
    """Read, check and pack a LoRA file: everything between an object's bytes and a slot of the bank.

    Raises:
        InvalidAdapterError: ADAPTER_CORRUPT, ADAPTER_FOREIGN_FOUNDATION, ADAPTER_EMPTY, ADAPTER_INCOMPLETE,
            ADAPTER_UNKNOWN_LAYERS, ADAPTER_SHAPE_MISMATCH, ADAPTER_RANK_TOO_HIGH, ADAPTER_NOT_FINITE,
            ADAPTER_PATTERN_REFUSED, ADAPTER_TOO_MANY_TENSORS.
    """
    return pack(read_pairs(data, layout, foundation_digest), layout)


def read_pairs(data: bytes, layout: Layout, foundation_digest: str) -> dict[str, LoraPair]:
    """Read and check a LoRA file, of any rank: its pairs by site.

    Raises:
        InvalidAdapterError: as :func:`load_row`, but for ADAPTER_RANK_TOO_HIGH.
    """
    arrays, metadata = read_arrays(data, most_tensors=_MOST_TENSORS)
    made_for = metadata.get(DIGEST_KEY)
    if made_for is not None and made_for != foundation_digest:
        raise foreign_foundation(made_for, foundation_digest)
    pairs = pairs_from_arrays(arrays, metadata, layout)
    for name, pair in pairs.items():
        _check(name, pair, layout.by_name[name])
    return pairs


def foundation_of(path: Path) -> str:
    """Digest of the foundation that a LoRA file says it was made for; empty where it says none. Reads its header alone.

    Raises:
        InvalidAdapterError: ADAPTER_CORRUPT.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            metadata: Mapping[str, str] = file.metadata() or {}
    except SafetensorError as error:
        raise InvalidAdapterError("ADAPTER_CORRUPT", f"{path} is no safetensors file: {error}") from error
    return metadata.get(DIGEST_KEY, "")


def foreign_foundation(made_for: str, serves: str) -> InvalidAdapterError:
    """The adapter belongs to another foundation than the one that this engine was exported from."""
    return InvalidAdapterError(
        "ADAPTER_FOREIGN_FOUNDATION",
        f"the adapter was trained on foundation {made_for[:12]}…, this engine serves {serves[:12]}…; train it again "
        "on this foundation, or send it to an engine that serves the other",
        metadata={"adapter_foundation_digest": made_for, "engine_foundation_digest": serves},
    )


def pack(pairs: Mapping[str, LoraPair], layout: Layout) -> FloatArray:
    """One flat adapter row, [layout.row_size] float32, alpha/rank folded into B.

    Raises:
        InvalidAdapterError: ADAPTER_SHAPE_MISMATCH, ADAPTER_NOT_FINITE, ADAPTER_RANK_TOO_HIGH.
    """
    row = np.zeros(layout.row_size, np.float32)
    for name, pair in pairs.items():
        site = layout.by_name[name]
        _check(name, pair, site)
        if pair.rank > layout.max_rank:
            raise InvalidAdapterError(
                "ADAPTER_RANK_TOO_HIGH",
                f"{name} has rank {pair.rank}, the engine holds ranks up to {layout.max_rank}; train with a lower "
                f"rank or export the engine with --max-rank {pair.rank}",
            )
        layout.put(row, site, pair.a_RI, pair.b_OR * np.float32(pair.scale))
    return row


def diffusers_lora_bytes(pairs: Mapping[str, LoraPair], metadata: Mapping[str, str]) -> bytes:
    """A file that stock ``pipeline.load_lora_weights`` takes. It has no ``.alpha`` keys, which would confuse it."""
    arrays: dict[str, FloatArray] = {}
    for name, pair in pairs.items():
        arrays[f"unet.{name}.lora_A.weight"], arrays[f"unet.{name}.lora_B.weight"] = pair.arrays
    config = json.dumps(_peft_config(pairs), sort_keys=True)
    return write_arrays(arrays, {"format": "pt", PEFT_METADATA_KEY: config, **metadata})


def kohya_lora_bytes(pairs: Mapping[str, LoraPair], metadata: Mapping[str, str]) -> bytes:
    """The same weights for kohya's tools and those that read their files (ComfyUI, A1111). It has no PEFT metadata."""
    arrays: dict[str, FloatArray] = {}
    for name, pair in pairs.items():
        stem = KOHYA_PREFIX + name.replace(".", "_")
        arrays[f"{stem}.lora_down.weight"], arrays[f"{stem}.lora_up.weight"] = pair.arrays
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


def _check(name: str, pair: LoraPair, site: Site) -> None:
    rank, inputs, outputs = pair.rank, site.in_features, site.out_features
    if rank == 0 or pair.a_RI.shape != (rank, inputs) or pair.b_OR.shape != (outputs, rank):
        raise InvalidAdapterError(
            "ADAPTER_SHAPE_MISMATCH",
            f"{name} has A {pair.a_RI.shape} and B {pair.b_OR.shape}; the layer needs [r, {inputs}] and [{outputs}, r]",
        )
    # What overflows is infinite after it, and told.
    with np.errstate(over="ignore", invalid="ignore"):
        is_finite = np.isfinite(pair.a_RI).all() and np.isfinite(pair.b_OR * np.float32(pair.scale)).all()
    if not is_finite:
        raise InvalidAdapterError("ADAPTER_NOT_FINITE", f"{name} holds NaN or infinity; train it again")


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
