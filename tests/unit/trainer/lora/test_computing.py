"""How a GPU is used, tried on a CPU: bf16 weights, activations computed again, encoders there only when used."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from transformers import CLIPTextModel, CLIPTextModelWithProjection

from headshots.diffusion.foundations.foundation import Foundation
from services.trainer.lora.adapted import AdaptedUNet
from services.trainer.lora.batches import Rows
from services.trainer.lora.computing import Computing, borrowed, images_at_once
from services.trainer.lora.frozen import (
    Conditions,
    decode_latents,
    encode_captions,
    encode_images,
    freeze_unet,
    load_unet,
    noise_levels,
)
from services.trainer.lora.objective import Objective
from services.trainer.lora.recipe import Recipe
from tests.support.foundations.engines import tiny_sdxl
from tests.support.trainer.device_memory import LiveBytes

pytestmark = pytest.mark.usefixtures("one_thread")

CPU, META = torch.device("cpu"), torch.device("meta")
# As on CUDA, but for the device.
AS_ON_CUDA = replace(Computing.on(torch.device("cuda")), device=CPU)
RECIPE = Recipe(rank=4, seed=1)


def adapted(computing: Computing) -> AdaptedUNet:
    """The tiny SDXL with an adapter that has an effect."""
    foundation = Foundation.read(tiny_sdxl())
    made = AdaptedUNet(load_unet(foundation, computing), foundation.adapted_layers, RECIPE, computing)
    torch.manual_seed(2)
    for parameter in made.parameters.values():
        parameter.data.normal_(std=0.1)
    return made


def a_step(made: AdaptedUNet, device: torch.device = CPU) -> Tensor:
    """The loss of two rows that are always the same."""
    foundation = Foundation.read(tiny_sdxl())
    torch.manual_seed(3)
    config = made.unet.config
    width = config["cross_attention_dim"]
    pooled = config["projection_class_embeddings_input_dim"] - 6 * config["addition_time_embed_dim"]
    conditions = Conditions(torch.randn(3, 77, width), torch.randn(3, pooled), torch.tensor([64.0, 64, 0, 0, 64, 64]))
    rows = Rows(
        torch.randn(2, 4, 8, 8),
        torch.tensor([300, 700]),
        torch.tensor([0, 2]),
        torch.randn(2, 4, 8, 8),
        torch.full((2,), 0.5),
        torch.ones(2, 8, 8),
        torch.tensor([[96.0, 80, 6, 0, 64, 64], [64, 64, 0, 0, 64, 64]]),
    )
    rows, conditions = (
        type(each)(
            *(part.to(device) for name in each.__dataclass_fields__ if (part := getattr(each, name)) is not None)
        )
        for each in (rows, conditions)
    )
    return made.loss(conditions, Objective(noise_levels(foundation), False, 5.0), rows)


def gradients(computing: Computing) -> dict[str, Tensor]:
    made = adapted(computing)
    a_step(made).backward()  # type: ignore[no-untyped-call]
    return {name: parameter.grad for name, parameter in made.parameters.items() if parameter.grad is not None}


def test_on_cuda_weights_are_bf16_and_blocks_are_computed_again() -> None:
    assert (AS_ON_CUDA.dtype, AS_ON_CUDA.checkpointing, AS_ON_CUDA.merged) == (torch.bfloat16, True, False)
    assert load_unet(Foundation.read(tiny_sdxl()), AS_ON_CUDA).is_gradient_checkpointing


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_gradients_are_the_same_whether_activations_are_kept_or_computed_again(dtype: torch.dtype) -> None:
    again, kept = (
        gradients(replace(AS_ON_CUDA, dtype=dtype, autocast=dtype != torch.float32, checkpointing=checkpointing))
        for checkpointing in (True, False)
    )
    assert len(again) == len(kept) > 20
    assert all(float(gradient.abs().max()) > 0 for gradient in kept.values())
    for name, gradient in kept.items():
        torch.testing.assert_close(again[name], gradient, rtol=0, atol=0, msg=name)


def test_an_adapter_in_fp32_learns_on_frozen_weights_in_bf16() -> None:
    made = adapted(AS_ON_CUDA)
    frozen = {name: weight.clone() for name, weight in made.unet.named_parameters() if not weight.requires_grad}
    assert {weight.dtype for weight in frozen.values()} == {torch.bfloat16}
    assert {weight.dtype for weight in made.parameters.values()} == {torch.float32}
    optimizer = torch.optim.AdamW(made.parameters.values(), lr=0.01)
    losses = []
    for _ in range(6):
        optimizer.zero_grad()
        loss = a_step(made)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]
    after = dict(made.unet.named_parameters())
    assert all(torch.equal(after[name], weight) for name, weight in frozen.items())


def test_what_is_counted_without_computing_is_what_computing_takes() -> None:
    peaks = {}
    for checkpointing in (True, False):
        computing = replace(AS_ON_CUDA, dtype=torch.float32, autocast=False, checkpointing=checkpointing)
        # One kernel on both: the meta device materialises attention.
        for device in (CPU, META):
            made = adapted(computing)
            made.unet.to(device)
            with sdpa_kernel(SDPBackend.MATH), LiveBytes(tolerance=0) as live:
                a_step(made, device).backward()  # type: ignore[no-untyped-call]
            peaks[device.type, checkpointing] = live.peak
    for checkpointing in (True, False):
        assert peaks["meta", checkpointing] == pytest.approx(peaks["cpu", checkpointing], rel=0.02)
    assert peaks["cpu", True] < 0.7 * peaks["cpu", False]


class Lent(nn.Module):
    """A VAE that only tells where it was when it was used."""

    def __init__(self) -> None:
        super().__init__()
        self.config = SimpleNamespace(shift_factor=None, scaling_factor=1.0)
        self.places: list[str] = []
        self.used: list[list[str]] = []
        self.rows: list[int] = []

    def to(self, *places: Any) -> Lent:  # type: ignore[override]
        self.places += map(str, places)
        return self

    def encode(self, pixels_BCHW: Tensor) -> Any:
        self.used.append(list(self.places))
        self.rows.append(len(pixels_BCHW))
        return SimpleNamespace(latent_dist=SimpleNamespace(mode=lambda: pixels_BCHW[:, :, ::8, ::8]))

    def decode(self, latents_BCHW: Tensor, **_: Any) -> tuple[Tensor]:
        self.used.append(list(self.places))
        return (latents_BCHW,)


def test_the_vae_is_on_the_device_only_while_it_is_used() -> None:
    vae = Lent()
    encode_images(vae, [np.zeros((64, 64, 3), np.uint8)], CPU)  # type: ignore[arg-type]
    decode_latents(vae, torch.zeros(1, 3, 8, 8))  # type: ignore[arg-type]
    assert vae.used == [["cpu"], ["cpu", "cpu", "cpu"]], "it was lent before each use"
    assert len(vae.places) == 4, "and given back after it"


def test_what_is_lent_is_given_back_after_an_error() -> None:
    lent = Lent()

    def fail() -> None:
        with borrowed(lent, META):
            assert lent.places == ["meta"]
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert lent.places == ["meta", "cpu"]


def test_large_images_go_through_networks_two_at_a_time() -> None:
    assert images_at_once(832, 1216, 8) == 2
    assert images_at_once(512, 768, 8) == 5
    assert images_at_once(128, 128, 8) == 8
    assert images_at_once(4096, 4096, 8) == 1
    vae = Lent()
    encode_images(vae, [np.zeros((1216, 832, 3), np.uint8)] * 3, CPU)  # type: ignore[arg-type]
    assert vae.rows == [2, 1]


@pytest.fixture
def text_encoders(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """References to those that were loaded, which keep none alive."""
    found: list[Any] = []
    for kind in (CLIPTextModel, CLIPTextModelWithProjection):
        init = kind.__init__

        def remembered(self: Any, *given: Any, _init: Any = init, **named: Any) -> None:
            _init(self, *given, **named)
            found.append(weakref.ref(self))

        monkeypatch.setattr(kind, "__init__", remembered)
    return found


def test_text_encoders_are_gone_once_captions_are_encoded(text_encoders: list[Any]) -> None:
    conditions = encode_captions(Foundation.read(tiny_sdxl()), ["photo of a sks man", ""], CPU)
    gc.collect()
    assert len(text_encoders) >= 2
    assert [each() for each in text_encoders] == [None] * len(text_encoders)
    assert not conditions.context_KND.requires_grad, "the text is cached, the encoders are not trained"


def test_an_unet_that_was_not_loaded_is_frozen_alike() -> None:
    unet = load_unet(Foundation.read(tiny_sdxl()), replace(AS_ON_CUDA, checkpointing=False))
    assert not freeze_unet(unet, replace(AS_ON_CUDA, checkpointing=False)).is_gradient_checkpointing
    assert not any(parameter.requires_grad for parameter in unet.parameters())
