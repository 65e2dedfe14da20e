"""The UNet with its adapters as an input, in torch: every kind of attention, fused or not, row by row against PEFT."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from diffusers import UNet2DConditionModel
from peft import LoraConfig

from headshots.diffusion.banked.attention import FusedAttention
from headshots.diffusion.banked.unet import BankedUNet, without_bank
from headshots.diffusion.lora import layout
from headshots.diffusion.lora.layout import ATTENTION_LAYERS, MORE_LAYERS

RANK = 3
SMALL: dict[str, Any] = {
    "sample_size": 8,
    "block_out_channels": (16, 32),
    "layers_per_block": 1,
    "down_block_types": ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
    "cross_attention_dim": 16,
    "attention_head_dim": (2, 4),
    "norm_num_groups": 4,
}
# Attentions with norms and sums of their own, which stay as diffusers has them.
MIXED = {
    **SMALL,
    "down_block_types": ("CrossAttnDownBlock2D", "AttnDownBlock2D"),
    "up_block_types": ("AttnUpBlock2D", "CrossAttnUpBlock2D"),
}
KINDS = {"as wide as the context": SMALL, "with plain self-attention": MIXED}


def make_unet(kind: str) -> UNet2DConditionModel:
    torch.manual_seed(0)
    return UNet2DConditionModel(**KINDS[kind]).eval()


def with_peft(kind: str, layers: Sequence[str], seed: int) -> UNet2DConditionModel:
    """The same UNet with a random adapter, by PEFT itself."""
    unet = make_unet(kind)
    torch.manual_seed(seed)
    unet.add_adapter(LoraConfig(r=RANK, lora_alpha=2 * RANK, init_lora_weights=False, target_modules=list(layers)))
    return unet


def row_of(unet: UNet2DConditionModel, banked: BankedUNet) -> torch.Tensor:
    """PEFT's matrices as a row of the bank."""
    row = torch.zeros(banked.layout.row_size)
    for name, module in unet.named_modules():
        if hasattr(module, "lora_A"):
            # Those of convolutions are [R, I, 1, 1] and [O, R, 1, 1].
            a, b = (part["default"].weight.detach().flatten(1).numpy() for part in (module.lora_A, module.lora_B))
            banked.layout.put(row.numpy(), banked.layout.by_name[name], a, 2 * b)
    return row


def inputs(rows: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(rows)
    return torch.randn(rows, 4, 8, 8), torch.randint(0, 1000, (rows,)).float(), torch.randn(rows, 5, 16)


def relative(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found - expected).norm() / expected.norm())


@pytest.mark.parametrize("layers", [ATTENTION_LAYERS, (*ATTENTION_LAYERS, *MORE_LAYERS)], ids=["attention", "all"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_row_is_what_peft_computes_for_its_subject(kind: str, layers: Sequence[str]) -> None:
    subjects = [with_peft(kind, layers, seed) for seed in (1, 2)]
    banked = BankedUNet(make_unet(kind), RANK, layers).eval()
    bank = torch.stack([torch.zeros(banked.layout.row_size), *(row_of(unet, banked) for unet in subjects)])
    fused = [module for module in banked.modules() if isinstance(module, FusedAttention)]
    assert fused
    slots = torch.tensor([1, 0, 2, 1])
    given = inputs(4)
    with torch.no_grad():
        found = banked(*given, slots, torch.ones(4), bank)
        expected = [make_unet(kind)(*given).sample, *(unet(*given).sample for unet in subjects)]
    for row, slot in enumerate(slots):
        assert relative(found[row], expected[slot][row]) < 1e-5
        if slot:
            assert relative(found[row], expected[0][row]) > 0.05, "the adapter does something"


def test_matrices_that_do_not_divide_the_row_are_read_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "_WASTE", 0)
    monkeypatch.setattr(layout, "_WASTE_FLOATS", 0)
    layers = (*ATTENTION_LAYERS, *MORE_LAYERS)
    subject = with_peft("as wide as the context", layers, 1)
    banked = BankedUNet(make_unet("as wide as the context"), RANK, layers).eval()
    widths = {site.in_features for site in banked.layout.sites}
    assert any(banked.layout.row_size % (width * RANK) for width in widths)
    bank = torch.stack([torch.zeros(banked.layout.row_size), row_of(subject, banked)])
    given = inputs(2)
    with torch.no_grad():
        found = banked(*given, torch.tensor([1, 1]), torch.ones(2), bank)
        assert relative(found, subject(*given).sample) < 1e-5


def test_attentions_with_sums_of_their_own_are_not_fused() -> None:
    banked = BankedUNet(make_unet("with plain self-attention"), RANK)
    kinds = {type(module).__name__ for module in banked.modules()}
    assert {"FusedAttention", "BankedLinear", "Attention"} <= kinds
    adapted = {site.name for site in banked.layout.sites}
    assert any(name.startswith("down_blocks.1.attentions.0.to_") for name in adapted)


def test_the_context_is_projected_once_a_call_and_anew_for_every_call() -> None:
    banked = BankedUNet(make_unet("as wide as the context"), RANK).eval()
    calls: list[int] = []
    banked.unet.get_submodule("context_projections").register_forward_hook(lambda *_: calls.append(1))
    sample, timestep, context = inputs(2)
    bank = torch.zeros(2, banked.layout.row_size)
    with torch.no_grad():
        before = banked(sample, timestep, context, torch.zeros(2, dtype=torch.int64), torch.ones(2), bank)
        assert len(calls) == 1
        context.add_(1.0)
        after = banked(sample, timestep, context, torch.zeros(2, dtype=torch.int64), torch.ones(2), bank)
    assert len(calls) == 2
    assert not torch.allclose(before, after), "the same tensor with something else in it"


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_bank_it_is_the_bare_unet(kind: str) -> None:
    given = inputs(2)
    with torch.no_grad():
        changed = make_unet(kind)
        without_bank(changed)
        assert relative(changed(*given).sample, make_unet(kind)(*given).sample) < 1e-6
