"""Adds the LoRA that is learned to the frozen UNet.

Shapes: B rows, C channels, H × W cells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from peft import LoraConfig
from peft.tuners.lora import LoraLayer
from torch import Tensor, nn

from headshots.diffusion.banked.unet import layout_of
from services.trainer.lora.batches import Rows
from services.trainer.lora.computing import Computing
from services.trainer.lora.frozen import Conditions
from services.trainer.lora.initial_weights import apply_initial_weights, read_initial_weights
from services.trainer.lora.merged_forward import MergedForward
from services.trainer.lora.objective import Objective
from services.trainer.lora.recipe import Recipe

ADAPTER = "default"
"""PEFT's name for the one adapter of a UNet, which is part of its parameters' names."""


class AdaptedUNet:
    """A frozen UNet and its adapter, which is learned in fp32.

    ``layers``: endings of the module paths that have LoRA; ``parameters``: the learned parameters by name.
    """

    def __init__(self, unet: UNet2DConditionModel, layers: Sequence[str], recipe: Recipe, computing: Computing) -> None:
        self._layout = layout_of(unet, recipe.rank, layers)
        torch.manual_seed(recipe.seed)
        unet.add_adapter(
            LoraConfig(r=recipe.rank, lora_alpha=recipe.rank, target_modules=list(layers), init_lora_weights="gaussian")
        )
        unet.train()
        self.unet, self._computing = unet, computing
        self.parameters = {name: p for name, p in unet.named_parameters() if p.requires_grad}
        for parameter in self.parameters.values():
            parameter.data = parameter.data.float()
        self._merged = MergedForward(unet, ADAPTER) if computing.merged else None
        self._prefix = _FrozenPrefix(unet)

    def load_initial_weights(self, file: Path, foundation_digest: str) -> None:
        """Start training from the LoRA in ``file`` instead of from random weights.

        Raises:
            InvalidArgumentError: FOUNDATION_START_INVALID.
        """
        pairs = read_initial_weights(file, self._layout, foundation_digest)
        apply_initial_weights(pairs, self.parameters, ADAPTER)

    def loss(self, conditions: Conditions, objective: Objective, rows: Rows) -> Tensor:
        """The loss of ``rows``."""
        prediction_BCHW = self._predict(conditions, rows)
        return objective.loss(prediction_BCHW, rows.target_BCHW, rows.weight_B, rows.cell_weight_BHW)

    @torch.no_grad()
    def predict_bare(self, conditions: Conditions, rows: Rows) -> Tensor:
        """The prediction for ``rows`` without the adapter, [B, C, H, W] in fp32."""
        with adapter_at(self.unet, 0.0) if self._merged is None else self._merged.bare():
            return self._predict(conditions, rows).float()

    def _predict(self, conditions: Conditions, rows: Rows) -> Tensor:
        context, added = conditions.rows(rows.caption_B, rows.size_ids_B6)
        computing, dtype = self._computing, self._computing.dtype
        autocast = torch.autocast(computing.device.type, dtype=dtype) if computing.autocast else nullcontext()
        with autocast, self._prefix.remembered_in(rows.memory):
            prediction: Tensor = self.unet(
                rows.noisy_BCHW.to(dtype),
                rows.timestep_B,
                context.to(dtype),
                added_cond_kwargs=added,
                return_dict=False,
            )[0]
        return prediction


class _FrozenPrefix:
    """The first blocks of a UNet, up to the first that is adapted: for the same latents they give the same.

    Only a UNet without conditions of its own beside the noise level has any: SDXL's blocks depend on the caption too.
    """

    def __init__(self, unet: UNet2DConditionModel) -> None:
        self._memory: dict[int, Any] | None = None
        blocks = list(takewhile(_is_frozen, unet.down_blocks)) if unet.config.addition_embed_type is None else []
        if blocks and _is_frozen(unet.conv_in) and _is_frozen(unet.time_embedding):
            for number, module in enumerate([unet.conv_in, *blocks]):
                module.forward = partial(self._give, number, module.forward)

    @contextmanager
    def remembered_in(self, memory: dict[int, Any] | None) -> Iterator[None]:
        """Within the block, what ``memory`` has is not computed again, and what it lacks is put into it."""
        self._memory = memory
        try:
            yield
        finally:
            self._memory = None

    def _give(self, number: int, compute: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        memory = self._memory
        if memory is None:
            return compute(*arguments, **named)
        if number not in memory:
            memory[number] = compute(*arguments, **named)
        return memory[number]


def _is_frozen(module: nn.Module) -> bool:
    return not any(isinstance(part, LoraLayer) for part in module.modules())


@contextmanager
def adapter_at(unet: UNet2DConditionModel, strength: float) -> Iterator[None]:
    """Scale the adapter of ``unet`` by ``strength`` within the block; 0: the bare foundation."""
    if strength == 1.0:
        yield
        return
    layers = [module for module in unet.modules() if isinstance(module, LoraLayer)]
    try:
        if strength:
            for layer in layers:
                layer.set_scale(ADAPTER, strength)
        else:
            unet.disable_adapters()
        yield
    finally:
        if strength:
            for layer in layers:
                layer.set_scale(ADAPTER, 1.0)
        else:
            unet.enable_adapters()
