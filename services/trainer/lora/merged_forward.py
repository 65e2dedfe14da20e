"""Computes LoRA layers as one matrix: ``(W + s B A) x`` instead of ``W x + s B (A x)``, with PEFT's scale s.

A small UNet on a CPU spends more time on calling the small products of LoRA than on multiplying. Here the weights of
all layers of one shape are merged in one call before the UNet runs, and each layer is one product as it is without
LoRA; the gradients of A and B follow from the merged weight's. PEFT owns the parameters as before.

Shapes: L layers, O outputs, I inputs, R rank.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from peft.tuners.lora import LoraLayer
from torch import Tensor, nn


class _Group:
    """Layers of one shape. ``merged``: the weight of each layer in the current call of the UNet."""

    def __init__(self, layers: list[Any], adapter: str) -> None:
        self.layers = layers
        self._pairs = [(layer.lora_A[adapter].weight, layer.lora_B[adapter].weight) for layer in layers]
        self._base_LOI = torch.stack([layer.get_base_layer().weight.flatten(1).float() for layer in layers])
        self._adapter = adapter
        self._dtype = layers[0].get_base_layer().weight.dtype
        self.merged: tuple[Tensor, ...] = ()

    def merge(self) -> None:
        a_LRI, b_LOR = (torch.stack([pair[which].flatten(1) for pair in self._pairs]) for which in (0, 1))
        scale = self.layers[0].scaling[self._adapter]
        self.merged = torch.baddbmm(self._base_LOI, b_LOR, a_LRI, alpha=scale).to(self._dtype).unbind(0)


def merge_in_forward(unet: nn.Module, adapter: str) -> None:
    """Let every LoRA layer of ``unet``, in place, use its weight merged anew at each call of the UNet.

    The layers are frozen and have PEFT's ``adapter``, all with one scale. While adapters are disabled, the layers are
    the foundation's own.
    """
    layers = [module for module in unet.modules() if isinstance(module, LoraLayer)]
    shapes: dict[tuple[int, ...], list[Any]] = {}
    for layer in layers:
        assert layer.scaling[adapter] == layers[0].scaling[adapter]
        shapes.setdefault(tuple(layer.get_base_layer().weight.shape), []).append(layer)
    groups = [_Group(alike, adapter) for alike in shapes.values()]
    for group in groups:
        for index, layer in enumerate(group.layers):
            base = layer.get_base_layer()
            product: Callable[..., Tensor] = _pointwise if isinstance(base, nn.Conv2d) else F.linear
            layer.forward = partial(_forward, layer, base, product, group, index)

    def merge(*_: object) -> None:
        if not layers[0].disable_adapters:
            for group in groups:
                group.merge()

    unet.register_forward_pre_hook(merge)


def _forward(layer: Any, base: Any, product: Callable[..., Tensor], group: _Group, index: int, x: Tensor) -> Tensor:
    if layer.disable_adapters:
        result: Tensor = base(x)
        return result
    return product(x, group.merged[index], base.bias)


def _pointwise(x_BIHW: Tensor, weight_OI: Tensor, bias_O: Tensor | None) -> Tensor:
    # As a matrix product: torch's convolution takes longer for so few cells.
    rows = len(x_BIHW)
    bias_O1 = weight_OI.new_zeros(1) if bias_O is None else bias_O[:, None]
    product_BOT = torch.baddbmm(bias_O1, weight_OI.expand(rows, -1, -1), x_BIHW.flatten(2))
    return product_BOT.reshape(rows, -1, *x_BIHW.shape[2:])
