"""Computes LoRA layers as one matrix: ``(W + s B A) x`` instead of ``W x + s B (A x)``, with PEFT's scale s.

A small UNet on a CPU spends more time on calling the small products of LoRA than on multiplying. Here the weights of
all layers of one shape are merged in one call before the UNet runs, and each layer is one product as it is without
LoRA; the gradients of A and B follow from the merged weight's. PEFT owns the parameters as before. Layers that multiply
the same tensor are one product: query, key and value of self-attention, key and value of cross-attention.

Shapes: L layers, O outputs, I inputs, R rank, B rows, T tokens, H heads, D width of a head.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from diffusers.models.attention_processor import Attention
from peft.tuners.lora import LoraLayer
from torch import Tensor, nn

from services.trainer.lora.frozen import Fp32Attention


class _Group:
    """Layers of one shape, in sets of those that are one product.

    ``weights``: of each set in the current call of the UNet, [layers of the set * O, I].
    """

    def __init__(self, sets: list[list[Any]], adapter: str) -> None:
        self._layers = [layer for together in sets for layer in together]
        self._pairs = [(layer.lora_A[adapter].weight, layer.lora_B[adapter].weight) for layer in self._layers]
        self._sizes = [len(together) for together in sets]
        self._adapter = adapter
        base_LOI = torch.stack([layer.get_base_layer().weight.detach().flatten(1) for layer in self._layers])
        # The layers keep no weights of their own beside these.
        for layer, base_OI in zip(self._layers, base_LOI, strict=True):
            weight = layer.get_base_layer().weight
            weight.data = base_OI.view_as(weight)
        self._base_LOI, self._dtype = base_LOI.float(), base_LOI.dtype
        self._bare = self._by_set(base_LOI)
        self.weights = self._bare

    def merge(self) -> None:
        a_LRI, b_LOR = (torch.stack([pair[which].flatten(1) for pair in self._pairs]) for which in (0, 1))
        scale = self._layers[0].scaling[self._adapter]
        self.weights = self._by_set(torch.baddbmm(self._base_LOI, b_LOR, a_LRI, alpha=scale).to(self._dtype))

    def take_bare(self) -> None:
        self.weights = self._bare

    def _by_set(self, weight_LOI: Tensor) -> list[Tensor]:
        return [part.flatten(0, 1) for part in torch.split(weight_LOI, self._sizes)]


@dataclass(frozen=True)
class _Set:
    """Layers that multiply the same tensor: the place of their weights."""

    group: _Group
    index: int

    @property
    def weight_OI(self) -> Tensor:
        return self.group.weights[self.index]


class MergedForward:
    """The merged layers of a UNet; all of them are frozen and have PEFT's ``adapter``, with one scale."""

    def __init__(self, unet: nn.Module, adapter: str) -> None:
        """Let every LoRA layer of ``unet``, in place, use its weight merged anew at each call of the UNet."""
        layers = [module for module in unet.modules() if isinstance(module, LoraLayer)]
        assert all(layer.scaling[adapter] == layers[0].scaling[adapter] for layer in layers)
        shapes: dict[tuple[int, ...], list[list[Any]]] = {}
        attentions = _attentions(unet)
        for together in _sets(layers, attentions):
            shapes.setdefault(tuple(together[0].get_base_layer().weight.shape), []).append(together)
        self._first, self._groups, self._is_bare = layers[0], [], False
        places: dict[Any, _Set] = {}
        for sets in shapes.values():
            self._groups.append(_Group(sets, adapter))
            for index, together in enumerate(sets):
                places[together[0]] = _Set(self._groups[-1], index)
                for position, layer in enumerate(together):
                    layer.forward = partial(_forward, layer.get_base_layer(), places[together[0]], position)
        for attention, first in attentions.items():
            attention.set_processor(_MergedAttention(places[first]))
        unet.register_forward_pre_hook(self._merge)

    @contextmanager
    def bare(self) -> Iterator[None]:
        """Leave the adapter out within the block, as PEFT's ``disable_adapters``, which walks through all modules."""
        self._is_bare = True
        try:
            yield
        finally:
            self._is_bare = False

    def _merge(self, *_: object) -> None:
        for group in self._groups:
            if self._is_bare or self._first.disable_adapters:
                group.take_bare()
            else:
                group.merge()


class _MergedAttention(Fp32Attention):
    """With one product for all projections of one tensor. ``projections``: of query, key, value, or key, value."""

    def __init__(self, projections: _Set) -> None:
        self._projections = projections

    def project(self, attn: Any, hidden_states: Tensor, source: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        rows, heads = len(hidden_states), attn.heads
        projected = F.linear(source, self._projections.weight_OI).float()
        width = attn.to_k.out_features
        parts = projected.view(rows, source.shape[1], -1, heads, width // heads).permute(2, 0, 3, 1, 4).unbind(0)
        if len(parts) == 3:
            return parts
        key_BHTD, value_BHTD = parts
        query_BHTD = attn.to_q(hidden_states).float().view(rows, -1, heads, width // heads).transpose(1, 2)
        return query_BHTD, key_BHTD, value_BHTD


def _attentions(unet: nn.Module) -> dict[Any, Any]:
    """Of each attention whose projections are one product, the first layer of them."""
    found: dict[Any, Any] = {}
    for module in unet.modules():
        if isinstance(module, Attention):
            projections = [module.to_q, module.to_k, module.to_v]
            if all(isinstance(one, LoraLayer) and one.get_base_layer().bias is None for one in projections):
                found[module] = module.to_k if module.is_cross_attention else module.to_q
    return found


def _sets(layers: list[Any], attentions: dict[Any, Any]) -> list[list[Any]]:
    """Layers that are one product, and each other one by itself."""
    sets = []
    for attention, first in attentions.items():
        sets.append([attention.to_q, attention.to_k, attention.to_v][0 if first is attention.to_q else 1 :])
    taken = {layer for together in sets for layer in together}
    return sets + [[layer] for layer in layers if layer not in taken]


def _forward(base: Any, together: _Set, position: int, x: Tensor) -> Tensor:
    outputs = len(base.weight)
    weight_OI = together.weight_OI
    if len(weight_OI) > outputs:
        weight_OI = weight_OI.narrow(0, position * outputs, outputs)
    if isinstance(base, nn.Conv2d):
        return _pointwise(x, weight_OI, base.bias)
    return F.linear(x, weight_OI, base.bias)


def _pointwise(x_BIHW: Tensor, weight_OI: Tensor, bias_O: Tensor | None) -> Tensor:
    # As a matrix product: torch's convolution takes longer for so few cells.
    rows = len(x_BIHW)
    bias_O1 = weight_OI.new_zeros(1) if bias_O is None else bias_O[:, None]
    product_BOT = torch.baddbmm(bias_O1, weight_OI.expand(rows, -1, -1), x_BIHW.flatten(2))
    return product_BOT.reshape(rows, -1, *x_BIHW.shape[2:])
