"""Merged LoRA layers compute what PEFT computes, forwards and backwards, with adapters and without."""

from __future__ import annotations

import copy

import pytest
import torch
from diffusers import UNet2DConditionModel
from torch import Tensor

from services.trainer.lora.adapted import adapter_at
from services.trainer.lora.merged_forward import merge_in_forward
from tests.support.foundations.engines import peft_unet, tiny_sdxl

ADAPTER = "default"


def inputs(unet: UNet2DConditionModel) -> dict[str, object]:
    torch.manual_seed(7)
    given: dict[str, object] = {
        "sample": torch.randn(3, unet.config.in_channels, 8, 8),
        "timestep": torch.tensor([1, 400, 999]),
        "encoder_hidden_states": torch.randn(3, 5, unet.config.cross_attention_dim),
    }
    if unet.config.addition_embed_type:
        given["added_cond_kwargs"] = {"text_embeds": torch.randn(3, 24), "time_ids": torch.rand(3, 6)}
    return given


def learned(unet: UNet2DConditionModel) -> dict[str, Tensor]:
    return {name: parameter for name, parameter in unet.named_parameters() if "lora_" in name}


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_outputs_and_gradients_are_pefts(family: str) -> None:
    stock = peft_unet(4, 4.0, seed=1, foundation=tiny_sdxl() if family == "sdxl" else None)
    merged = copy.deepcopy(stock)
    merge_in_forward(merged, ADAPTER)
    given = inputs(stock)
    expected, found = stock(**given).sample, merged(**given).sample
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    for output in (expected, found):
        output.square().mean().backward()
    wanted = learned(stock)
    assert wanted.keys() == learned(merged).keys()
    for name, parameter in learned(merged).items():
        assert parameter.grad is not None
        scale = float(wanted[name].grad.abs().max())
        torch.testing.assert_close(parameter.grad, wanted[name].grad, rtol=1e-3, atol=1e-4 * scale, msg=name)


def test_a_scaled_adapter_gives_pefts_output() -> None:
    stock = peft_unet(4, 4.0, seed=1)
    merged = copy.deepcopy(stock)
    merge_in_forward(merged, ADAPTER)
    given = inputs(stock)
    with torch.no_grad():
        whole, bare = merged(**given).sample, unadapted(stock, given)
        stock.set_adapters([ADAPTER], [0.3])
        with adapter_at(merged, 0.3):
            weak = merged(**given).sample
        torch.testing.assert_close(weak, stock(**given).sample, rtol=1e-4, atol=1e-5)
        with adapter_at(merged, 0.0):
            torch.testing.assert_close(merged(**given).sample, bare)
        assert torch.equal(merged(**given).sample, whole), "the scale is restored"
    assert not torch.allclose(weak, whole)
    assert not torch.allclose(weak, bare)


def unadapted(unet: UNet2DConditionModel, given: dict[str, object]) -> Tensor:
    unet.disable_adapters()
    sample: Tensor = unet(**given).sample
    unet.enable_adapters()
    return sample


def test_changed_weights_are_merged_in_the_next_call_and_disabled_adapters_are_not() -> None:
    unet = peft_unet(4, 4.0, seed=1)
    merge_in_forward(unet, ADAPTER)
    given = inputs(unet)
    with torch.no_grad():
        before = unet(**given).sample
        for parameter in learned(unet).values():
            parameter.mul_(0.5)
        after = unet(**given).sample
        unet.disable_adapters()
        bare = unet(**given).sample
        unet.enable_adapters()
        again = unet(**given).sample
    assert not torch.allclose(before, after)
    assert torch.equal(after, again)
    for parameter in learned(unet).values():
        parameter.data.zero_()
    with torch.no_grad():
        torch.testing.assert_close(unet(**given).sample, bare, rtol=1e-5, atol=1e-6)
