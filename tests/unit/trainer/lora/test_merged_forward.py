"""Merged LoRA layers compute what PEFT computes, forwards and backwards, with adapters and without."""

from __future__ import annotations

import copy

import pytest
import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor

from services.trainer.lora.adapted import AdaptedUNet, adapter_at
from services.trainer.lora.batches import Rows
from services.trainer.lora.computing import Computing
from services.trainer.lora.frozen import Conditions
from services.trainer.lora.merged_forward import MergedForward
from services.trainer.lora.objective import Objective
from services.trainer.lora.recipe import Recipe
from tests.support.foundations.engines import peft_unet, tiny_sdxl
from tests.support.foundations.tiny import smallest_unet

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
    MergedForward(merged, ADAPTER)
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


def test_a_layer_that_is_called_by_itself_has_its_own_part_of_the_product() -> None:
    stock = peft_unet(4, 4.0, seed=1)
    merged = copy.deepcopy(stock)
    MergedForward(merged, ADAPTER)
    merged.set_attn_processor(AttnProcessor())
    given = inputs(stock)
    with torch.no_grad():
        torch.testing.assert_close(merged(**given).sample, stock(**given).sample, rtol=1e-4, atol=1e-5)


def test_a_scaled_adapter_gives_pefts_output() -> None:
    stock = peft_unet(4, 4.0, seed=1)
    merged = copy.deepcopy(stock)
    MergedForward(merged, ADAPTER)
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
    MergedForward(unet, ADAPTER)
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


def adapted(unet: UNet2DConditionModel) -> AdaptedUNet:
    """The UNet with an adapter that changes it."""
    computing = Computing(torch.device("cpu"), torch.float32, checkpointing=False, autocast=False, merged=True)
    made = AdaptedUNet(unet, ("to_q", "to_k", "to_v", "to_out.0"), Recipe(rank=4), computing)
    for parameter in made.parameters.values():
        parameter.data.normal_(std=0.3)
    return made


def rows(noisy_BCHW: Tensor, memory: dict[int, object] | None) -> Rows:
    count = len(noisy_BCHW)
    captions, zeros = torch.arange(count), torch.zeros_like(noisy_BCHW)
    return Rows(noisy_BCHW, torch.tensor([5, 700]), captions, zeros, torch.ones(count), zeros[:, 0], None, memory)


def frozen_first_block() -> UNet2DConditionModel:
    torch.manual_seed(3)
    made = smallest_unet(cross_attention_dim=12)
    made.requires_grad_(False)
    return made


def test_what_lies_before_the_adapter_is_computed_once_for_rows_that_come_again() -> None:
    made = adapted(frozen_first_block())
    conditions = Conditions(torch.randn(2, 5, 12), None, None)
    noisy_BCHW, memory = torch.randn(2, 4, 8, 8), dict[int, object]()
    expected = made.predict_bare(conditions, rows(noisy_BCHW, None))
    bare = made.predict_bare(conditions, rows(noisy_BCHW, memory))
    assert torch.equal(bare, expected)
    assert len(memory) == 2, "the first convolution and the one block without attention"
    objective = Objective(torch.linspace(0.99, 0.01, 1000), v_prediction=False, snr_gamma=0.0)

    def gradients(given: Rows) -> list[Tensor]:
        for parameter in made.parameters.values():
            parameter.grad = None
        made.loss(conditions, objective, given).backward()  # type: ignore[no-untyped-call]
        return [parameter.grad for parameter in made.parameters.values() if parameter.grad is not None]

    computed, remembered = gradients(rows(noisy_BCHW, None)), gradients(rows(noisy_BCHW, memory))
    assert all(torch.equal(one, other) for one, other in zip(computed, remembered, strict=True))
    # It is the memory that is taken: with another's, the result is of the other latents.
    other = made.predict_bare(conditions, rows(torch.randn(2, 4, 8, 8), memory))
    assert torch.equal(other, expected)
    assert not torch.equal(made.predict_bare(conditions, rows(torch.randn(2, 4, 8, 8), None)), expected)


def test_the_bare_prediction_is_the_foundations_own() -> None:
    unet = frozen_first_block()
    stock = copy.deepcopy(unet)
    made = adapted(unet)
    conditions, given = Conditions(torch.randn(2, 5, 12), None, None), rows(torch.randn(2, 4, 8, 8), None)
    with torch.no_grad():
        expected = stock(given.noisy_BCHW, given.timestep_B, conditions.context_KND).sample
    torch.testing.assert_close(made.predict_bare(conditions, given), expected, rtol=1e-4, atol=1e-5)
