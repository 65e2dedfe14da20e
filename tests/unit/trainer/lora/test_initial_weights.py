"""Initial weights of adapters, from a foundation's own LoRA, for any rank."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft.utils import get_peft_model_state_dict

from headshots.diffusion.banked.unet import layout_of
from headshots.diffusion.foundations.foundation import Foundation, foundation_digest
from headshots.diffusion.lora.files import DIGEST_KEY, LoraPair, diffusers_lora_bytes, kohya_lora_bytes
from headshots.errors import InvalidArgumentError
from services.trainer.lora.adapted import AdaptedUNet
from services.trainer.lora.computing import Computing
from services.trainer.lora.frozen import load_unet
from services.trainer.lora.recipe import Recipe
from tests.support.foundations.engines import tiny_foundation, tiny_sdxl

CPU = torch.device("cpu")
COMPUTING = Computing.on(CPU)
RANK = 4

Pairs = dict[str, LoraPair]


@pytest.fixture(params=["sd15", "sdxl"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    source = tiny_foundation() if request.param == "sd15" else tiny_sdxl()
    return Path(shutil.copytree(source, tmp_path / "foundation"))


def fresh_weights(folder: Path, rank: int = RANK) -> dict[str, np.ndarray[Any, Any]]:
    """An adapter's weights before its first step, by PEFT's names."""
    foundation = Foundation.read(folder)
    recipe = replace(Recipe.resolve(foundation), rank=rank)
    adapted = AdaptedUNet(load_unet(foundation, COMPUTING), foundation.adapted_layers, recipe, COMPUTING)
    if foundation.initial_weights is not None:
        adapted.load_initial_weights(foundation.initial_weights, foundation_digest(folder))
    return {name: tensor.float().numpy() for name, tensor in get_peft_model_state_dict(adapted.unet).items()}


def some_pairs(folder: Path, scale: float = 1.0) -> Pairs:
    """Random LoRA of every layer."""
    foundation = Foundation.read(folder)
    random = np.random.default_rng(1)
    return {
        site.name: LoraPair(
            random.standard_normal((RANK, site.in_features), dtype=np.float32),
            random.standard_normal((site.out_features, RANK), dtype=np.float32),
            scale,
            site.convolution,
        )
        for site in layout_of(load_unet(foundation, COMPUTING), RANK, foundation.adapted_layers).sites
    }


def write_initial_weights(folder: Path, data: bytes) -> None:
    (folder / "adapter_start.safetensors").write_bytes(data)


def product(weights: dict[str, np.ndarray[Any, Any]], name: str) -> np.ndarray[Any, Any]:
    a, b = (weights[f"{name}.{part}.weight"] for part in ("lora_A", "lora_B"))
    found: np.ndarray[Any, Any] = b.reshape(len(b), -1) @ a.reshape(len(a), -1)
    return found


def test_without_initial_weights_adapters_add_nothing_at_first(folder: Path) -> None:
    weights = fresh_weights(folder)
    assert not any(weights[name].any() for name in weights if name.endswith("lora_B.weight"))


@pytest.mark.parametrize("write", [diffusers_lora_bytes, kohya_lora_bytes])
@pytest.mark.parametrize("rank", [RANK, RANK + 3])
def test_adapters_start_from_the_foundations_initial_weights(folder: Path, write: Any, rank: int) -> None:
    pairs = some_pairs(folder, scale=0.5)
    write_initial_weights(folder, write(pairs, {}))
    weights = fresh_weights(folder, rank)
    assert weights.keys() == fresh_weights(folder).keys()
    for name, pair in pairs.items():
        np.testing.assert_allclose(product(weights, name), 0.5 * pair.b_OR @ pair.a_RI, rtol=1e-4, atol=1e-5)
        if rank > RANK:
            a, b = (weights[f"{name}.{part}.weight"] for part in ("lora_A", "lora_B"))
            assert a[RANK:].any(), "the rest of the rank can still learn"
            assert not b.reshape(len(b), rank)[:, RANK:].any()


def test_a_lower_rank_starts_from_the_nearest_product(folder: Path) -> None:
    pairs = some_pairs(folder)
    write_initial_weights(folder, diffusers_lora_bytes(pairs, {}))
    weights = fresh_weights(folder, 2)
    for name, pair in pairs.items():
        whole = pair.b_OR @ pair.a_RI
        lost = np.linalg.norm(product(weights, name) - whole)
        best = np.sqrt((np.linalg.svd(whole, compute_uv=False)[2:] ** 2).sum())
        assert lost == pytest.approx(best, rel=1e-3), name


def test_layers_without_initial_weights_add_nothing_at_first(folder: Path) -> None:
    pairs = some_pairs(folder)
    name, pair = next(iter(pairs.items()))
    write_initial_weights(folder, diffusers_lora_bytes({name: pair}, {}))
    weights = fresh_weights(folder)
    assert product(weights, name).any()
    assert not any(product(weights, other).any() for other in pairs if other != name)


def without_a_layer(pairs: Pairs) -> bytes:
    name, pair = next(iter(pairs.items()))
    return diffusers_lora_bytes({f"{name}.gone": pair}, {})


def of_other_shape(pairs: Pairs) -> bytes:
    name, pair = next(iter(pairs.items()))
    return diffusers_lora_bytes({name: replace(pair, a_RI=pair.a_RI[:, 1:])}, {})


def not_finite(pairs: Pairs) -> bytes:
    name, pair = next(iter(pairs.items()))
    return diffusers_lora_bytes({name: replace(pair, a_RI=pair.a_RI / 0)}, {})


@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.parametrize(
    ("damaged", "said"),
    [
        (without_a_layer, "no site for"),
        (of_other_shape, "the layer needs"),
        (not_finite, "NaN or infinity"),
        (lambda pairs: diffusers_lora_bytes(pairs, {})[:-8], "safetensors"),
        (lambda pairs: diffusers_lora_bytes(pairs, {DIGEST_KEY: "f" * 64}), "foundation ffffffffffff"),
    ],
)
def test_initial_weights_that_do_not_fit_are_refused_with_the_remedy(
    folder: Path, damaged: Callable[[Pairs], bytes], said: str
) -> None:
    write_initial_weights(folder, damaged(some_pairs(folder)))
    with pytest.raises(InvalidArgumentError, match=said) as caught:
        fresh_weights(folder)
    assert caught.value.reason == "FOUNDATION_START_INVALID"
    assert "remove it" in str(caught.value)
