"""Reads from a file's PEFT metadata by what each layer's LoRA is scaled."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from headshots.diffusion.lora.patterns import NamePatterns
from headshots.errors import InvalidAdapterError

PEFT_METADATA_KEY = "lora_adapter_metadata"
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class PeftScaling:
    """The scale of each layer by PEFT's rules (``LoraConfig``).

    ``alpha``: of layers that no pattern matches; None where the file has no metadata. ``rank_pattern`` is not read: the
    matrices show their ranks.
    """

    alpha: float | None
    alpha_pattern: NamePatterns
    rslora: bool

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], part: str = "unet") -> PeftScaling:
        """From the metadata of a safetensors file; ``part``: the network, as ``text_encoder``.

        Raises:
            InvalidAdapterError: ADAPTER_CORRUPT, ADAPTER_NOT_FINITE, ADAPTER_PATTERN_REFUSED.
        """
        raw = metadata.get(PEFT_METADATA_KEY)
        if raw is None:
            return cls(None, NamePatterns({}), False)
        try:
            found: dict[str, Any] = json.loads(raw)
            config = {key.removeprefix(f"{part}."): value for key, value in found.items()}
            alpha, patterns = config.get("lora_alpha"), config.get("alpha_pattern") or {}
            alphas = {pattern: _alpha("alpha_pattern", value) for pattern, value in patterns.items()}
            return cls(
                None if alpha is None else _alpha("lora_alpha", alpha),
                _patterns(alphas),
                bool(config.get("use_rslora", False)),
            )
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise InvalidAdapterError(
                "ADAPTER_CORRUPT", f"the adapter's {PEFT_METADATA_KEY} cannot be read: {error}"
            ) from error

    def scale(self, name: str, rank: int) -> float:
        """alpha / rank, or alpha / sqrt(rank) for rank-stabilised LoRA (arXiv 2312.03732)."""
        found = self.alpha_pattern.find(name)
        alpha = self.alpha if found is None else found
        if alpha is None:
            return 1.0
        return alpha / (math.sqrt(rank) if self.rslora else rank)


def _alpha(key: str, value: object) -> float:
    """A number that float32 holds."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{key} has no number")
    # Compared before it is converted: an integer may be beyond what a float is.
    if not -_LARGEST <= value <= _LARGEST:
        raise InvalidAdapterError("ADAPTER_NOT_FINITE", f"{key} holds NaN, infinity or more than float32 can")
    return float(value)


def _patterns(alphas: Mapping[str, float]) -> NamePatterns:
    try:
        return NamePatterns(alphas)
    except ValueError as error:
        raise InvalidAdapterError(
            "ADAPTER_PATTERN_REFUSED",
            f"alpha_pattern is not read: {error}; name the layers themselves, or write a simpler expression",
        ) from error
