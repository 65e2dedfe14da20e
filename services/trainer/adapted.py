"""The frozen UNet with the LoRA that is learned, as every process of a training has it.

Shapes: B rows, C channels, H × W cells.
"""

from __future__ import annotations

import torch
from diffusers import UNet2DConditionModel
from peft import LoraConfig
from torch import Tensor

from services.trainer.base import Conditions
from services.trainer.batches import Rows
from services.trainer.objective import Objective
from services.trainer.options import Recipe

ADAPTED = ("to_q", "to_k", "to_v", "to_out.0")


class AdaptedUNet:
    """``unet`` gets its adapter, in fp32. ``parameters``: by name, what is learned."""

    def __init__(self, unet: UNet2DConditionModel, recipe: Recipe, device: torch.device) -> None:
        torch.manual_seed(recipe.seed)
        unet.add_adapter(
            LoraConfig(
                r=recipe.rank, lora_alpha=recipe.rank, target_modules=list(ADAPTED), init_lora_weights="gaussian"
            )
        )
        unet.train()
        self.unet, self._device = unet, device
        self.parameters = {name: p for name, p in unet.named_parameters() if p.requires_grad}
        for parameter in self.parameters.values():
            parameter.data = parameter.data.float()

    def loss(self, conditions: Conditions, objective: Objective, rows: Rows) -> Tensor:
        """What ``rows`` cost."""
        prediction_BCHW = self._predict(conditions, rows)
        return objective.loss(prediction_BCHW, rows.target_BCHW, rows.weight_B, rows.place_BHW)

    @torch.no_grad()
    def predict_bare(self, conditions: Conditions, rows: Rows) -> Tensor:
        """What the foundation says to ``rows`` without the adapter, [B, C, H, W] in fp32."""
        self.unet.disable_adapters()
        try:
            return self._predict(conditions, rows).float()
        finally:
            self.unet.enable_adapters()

    def _predict(self, conditions: Conditions, rows: Rows) -> Tensor:
        context, added = conditions.rows(rows.caption_B)
        dtype = self.unet.dtype
        with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=self._device.type == "cuda"):
            prediction: Tensor = self.unet(
                rows.noisy_BCHW.to(dtype),
                rows.timestep_B,
                context.to(dtype),
                added_cond_kwargs=added,
                return_dict=False,
            )[0]
        return prediction
