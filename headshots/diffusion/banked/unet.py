"""Makes LoRA an input of a UNet: each row of the batch names the slot of the bank that holds its adapter.

In half precision, what would lose too much stays single: normalisations and the embedding of the timestep.

Shapes: B rows, C latent channels, H, W latent cells, T tokens, D context width, S slots, P floats of an adapter row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn

from headshots.diffusion.banked.attention import (
    Context,
    ContextProjections,
    FusedAttention,
    context_group,
    is_plain,
    joined_projections,
)
from headshots.diffusion.banked.layers import AdapterRows, BankedLinear, BankedPointwise
from headshots.diffusion.lora.layout import ATTENTION_LAYERS, AdaptedLayer, Layout


class BankedUNet(nn.Module):
    """A diffusers ``UNet2DConditionModel``, changed in place to take its adapters from a bank.

    ``layers``: endings of the module paths that are adapted, the attention projections among them.
    """

    def __init__(self, unet: nn.Module, max_rank: int, layers: Sequence[str] = ATTENTION_LAYERS) -> None:
        super().__init__()
        self.layout = layout_of(unet, max_rank, layers)
        self._rows = AdapterRows(self.layout)
        self._context = _change(unet, self.layout, self._rows)
        self.unet: Any = unet

    def forward(
        self,
        sample_BCHW: Tensor,
        timestep_B: Tensor,
        context_BTD: Tensor,
        slot_B: Tensor,
        strength_B: Tensor,
        bank_SP: Tensor,
        pooled_BD: Tensor | None = None,
        time_ids_B6: Tensor | None = None,
    ) -> Tensor:
        """The model's prediction, [B, C, H, W]. The last two are SDXL's added conditions."""
        self._rows.use(bank_SP, slot_B, strength_B)
        self._context.give(())
        return self._predict(sample_BCHW, timestep_B, context_BTD, pooled_BD, time_ids_B6)

    def project(self, context_BTD: Tensor, slot_B: Tensor, strength_B: Tensor, bank_SP: Tensor) -> tuple[Tensor, ...]:
        """Keys and values of the context, which no step changes: of each group of attentions, [B, 2 N, H, T, D]."""
        self._rows.use(bank_SP, slot_B, strength_B)
        projected: tuple[Tensor, ...] = self.unet.context_projections.projected(context_BTD)
        self._rows.forget()
        return projected

    def predict(
        self,
        sample_BCHW: Tensor,
        timestep_B: Tensor,
        slot_B: Tensor,
        strength_B: Tensor,
        bank_SP: Tensor,
        projected: Sequence[Tensor],
        pooled_BD: Tensor | None = None,
        time_ids_B6: Tensor | None = None,
    ) -> Tensor:
        """As ``forward``, by what :meth:`project` made of the context; for a UNet of which it :attr:`projects_all`."""
        self._rows.use(bank_SP, slot_B, strength_B)
        self._context.give(projected)
        # diffusers' blocks want a context, which nobody reads.
        return self._predict(sample_BCHW, timestep_B, projected[0], pooled_BD, time_ids_B6)

    @property
    def projects_all(self) -> bool:
        """Whether every attention that is crossed with the context takes its keys and values from :meth:`project`."""
        others = [module for module in self.unet.modules() if isinstance(module, Attention)]
        return bool(self.unet.context_projections.projections) and not any(each.is_cross_attention for each in others)

    def _predict(
        self,
        sample_BCHW: Tensor,
        timestep_B: Tensor,
        context: Tensor,
        pooled_BD: Tensor | None,
        time_ids_B6: Tensor | None,
    ) -> Tensor:
        added = None if pooled_BD is None else {"text_embeds": pooled_BD, "time_ids": time_ids_B6}
        output: Tensor = self.unet(sample_BCHW, timestep_B, context, added_cond_kwargs=added, return_dict=False)[0]
        self._rows.forget()
        return output


def without_bank(unet: nn.Module) -> Context:
    """Changes the UNet as :class:`BankedUNet` does, but without adapters: what the bank is measured against."""
    return _change(unet, layout_of(unet, 1), None)


def layout_of(unet: nn.Module, max_rank: int, layers: Sequence[str] = ATTENTION_LAYERS) -> Layout:
    """Every layer of the UNet whose path ends in one of ``layers``, laid out."""
    config: Any = unet.config
    per_block = config.layers_per_block
    plain = _plain_attentions(unet)
    # Where adapters of several projections are one product, they come cut by heads.
    heads = {f"{name}.{each}": plain[name].heads for name in plain for each in joined_projections(plain[name])}
    adapted = [
        AdaptedLayer(name, *widths, heads.get(name, 1), isinstance(module, nn.Conv2d))
        for name, module in unet.named_modules()
        if any(name == layer or name.endswith("." + layer) for layer in layers) and (widths := _widths(module))
    ]
    # What one product makes lies side by side: first the context's keys and values, group by group.
    crossed = {
        f"{name}.{each}": context_group(attention)
        for name, attention in _crossed(plain).items()
        for each in ("to_k", "to_v")
    }
    adapted.sort(key=lambda one: (one.name not in crossed, crossed.get(one.name, ())))
    return Layout.build(adapted, max_rank, per_block if isinstance(per_block, int) else per_block[0])


def _widths(module: nn.Module) -> tuple[int, int] | None:
    """Inputs and outputs of a linear layer, or of a convolution that is one for each cell."""
    if isinstance(module, nn.Linear):
        return module.in_features, module.out_features
    if isinstance(module, nn.Conv2d) and module.kernel_size == module.stride == (1, 1) and module.groups == 1:
        return module.in_channels, module.out_channels
    return None


def _plain_attentions(unet: nn.Module) -> dict[str, Any]:
    return {name: module for name, module in unet.named_modules() if is_plain(module)}


def _crossed(attentions: Mapping[str, Any]) -> dict[str, Any]:
    """Those that are crossed with the context."""
    return {name: attention for name, attention in attentions.items() if attention.is_cross_attention}


def _change(unet: nn.Module, layout: Layout, rows: AdapterRows | None) -> Context:
    """Put fused modules in place of plain attentions, and banked ones in place of what else is adapted."""
    plain = _plain_attentions(unet)
    crossed = _crossed(plain)
    projections = ContextProjections(crossed, rows, layout)
    context = Context(projections)
    for name, attention in plain.items():
        fused = FusedAttention(attention, name, layout, rows, context if name in crossed else None)
        unet.set_submodule(name, fused)
    # Part of the UNet, so that it moves and changes its precision along; and forgotten before every call, whose context
    # may be the same tensor with something else in it.
    unet.add_module("context_projections", projections)
    unet.register_forward_pre_hook(lambda *_: context.forget())
    if rows is None:
        return context
    left = dict(unet.named_modules())
    for site in layout.sites:
        layer = left.get(site.name)
        if isinstance(layer, nn.Linear):
            unet.set_submodule(site.name, BankedLinear(layer, rows, site))
        elif isinstance(layer, nn.Conv2d):
            unet.set_submodule(site.name, BankedPointwise(layer, rows, site))
    return context


class _Single(nn.Module):
    """Runs ``inner`` in single precision between half-precision neighbours."""

    def __init__(self, inner: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.inner = inner.float()
        self._dtype = dtype

    def forward(self, x: Tensor, *more: Any) -> Tensor:
        result: Tensor = self.inner(x.float(), *more)
        return result.to(self._dtype)


def to_half(unet: nn.Module, dtype: torch.dtype = torch.float16) -> None:
    """Turn a UNet's weights into fp16 or bf16, in place; normalisations and the timestep's embedding stay fp32."""
    unet.to(dtype)
    kept = [name for name, module in unet.named_modules() if isinstance(module, nn.GroupNorm | nn.LayerNorm)]
    for name in [*kept, "time_embedding"]:
        unet.set_submodule(name, _Single(unet.get_submodule(name), dtype))
    projection: Any = unet.time_proj

    def get_time_embed(sample: Tensor, timestep: Tensor) -> Tensor:
        """diffusers' own rounds the sinusoids to the sample's type first."""
        result: Tensor = projection(timestep)
        return result

    unet.get_time_embed = get_time_embed  # type: ignore[assignment]
