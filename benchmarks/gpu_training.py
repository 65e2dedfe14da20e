"""Measures training on an NVIDIA GPU: steps a second and memory, one subject after another against K in one batch.

``python -m benchmarks.gpu_training`` writes ``benchmarks/results/training-<hardware>-<date>.json``: SD 1.5 at 512² and
SDXL at 1024² with random weights (speed does not depend on what a network has learnt), bf16 frozen weights, fp32 LoRA,
gradient checkpointing. *One after another* is what the trainer does today: PEFT, one subject a step. *Together* trains
K subjects in one batch on one frozen UNet: every row picks its own LoRA from a bank that is itself what is learned.
Without a GPU it refuses; ``--dry-run`` walks through the same code on the CPU with a tiny shape, and its numbers mean
nothing.

Shapes: B rows, S slots of the bank, R rank, I and O a layer's inputs and outputs, T tokens.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from diffusers import UNet2DConditionModel
from peft import LoraConfig
from rich.console import Console
from torch import Tensor, nn

from benchmarks.gpu_shapes import SHAPES, Shape
from headshots.diffusion.lora.layout import ATTENTION_LAYERS

RESULTS = Path(__file__).parent / "results"
RANK, LEARNING_RATE = 16, 1e-4
# Rows of one subject in a step, as the families' recipes have them.
ROWS = {"sd15-512": 2, "sdxl-1024": 1, "tiny-64": 1}
SUBJECTS = (1, 2, 4, 8)
_TOKENS = 77
_TINY = Shape(
    "tiny-64",
    8,
    False,
    {
        "sample_size": 8,
        "block_out_channels": (32, 64),
        "layers_per_block": 1,
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
        "cross_attention_dim": 32,
        "attention_head_dim": 2,
        "norm_num_groups": 8,
    },
    (32,),
)


class Slots:
    """Which slot of the bank each row of the running batch learns: one object for all layers."""

    def __init__(self, slot_B: Tensor) -> None:
        self.slot_B = slot_B


class BankedLora(nn.Module):
    """A frozen linear layer with a LoRA for each subject: y_b = W x_b + B[slot_b] (A[slot_b] x_b)."""

    def __init__(self, base: nn.Linear, slots: Slots, subjects: int, rank: int) -> None:
        super().__init__()
        self.base, self._slots = base, slots
        device = base.weight.device
        self.a_SRI = nn.Parameter(torch.randn(subjects, rank, base.in_features, device=device) / rank)
        self.b_SOR = nn.Parameter(torch.zeros(subjects, base.out_features, rank, device=device))

    def forward(self, x_BTI: Tensor) -> Tensor:
        """[B, T, I] to [B, T, O]."""
        slot_B = self._slots.slot_B
        low_BTR = torch.bmm(x_BTI.float(), self.a_SRI[slot_B].transpose(1, 2))
        added_BTO = torch.bmm(low_BTR, self.b_SOR[slot_B].transpose(1, 2))
        out: Tensor = self.base(x_BTI) + added_BTO.to(x_BTI.dtype)
        return out


def with_bank(unet: UNet2DConditionModel, slots: Slots, subjects: int, rank: int) -> list[nn.Parameter]:
    """Put a bank under every attention projection; returns what is learned."""
    learned: list[nn.Parameter] = []
    for name, module in list(unet.named_modules()):
        if isinstance(module, nn.Linear) and name.endswith(ATTENTION_LAYERS):
            parent, _, last = name.rpartition(".")
            banked = BankedLora(module, slots, subjects, rank)
            setattr(unet.get_submodule(parent), last, banked)
            learned += [banked.a_SRI, banked.b_SOR]
    return learned


@dataclass(frozen=True)
class Place:
    """Where it runs."""

    device: torch.device
    hardware: str
    steps: int


def frozen_unet(shape: Shape, device: torch.device) -> UNet2DConditionModel:
    """Random weights, bf16, gradient checkpointing, as the trainer loads it on CUDA."""
    assert shape.unet is not None
    torch.manual_seed(0)
    with torch.device(device):
        unet = UNet2DConditionModel(**shape.unet).to(torch.bfloat16)
    unet.requires_grad_(False)
    unet.enable_gradient_checkpointing()
    unet.train()
    return unet


def batch(shape: Shape, rows: int, device: torch.device) -> dict[str, Any]:
    """Random inputs of so many rows."""
    assert shape.unet is not None
    half: dict[str, Any] = {"dtype": torch.bfloat16, "device": device}
    given: dict[str, Any] = {
        "sample": torch.randn(rows, 4, shape.cells, shape.cells, **half),
        "timestep": torch.randint(0, 1000, (rows,), device=device),
        "encoder_hidden_states": torch.randn(rows, _TOKENS, shape.unet["cross_attention_dim"], **half),
    }
    if shape.sdxl:
        size_ids = torch.tensor([8 * shape.cells, 8 * shape.cells, 0, 0, 8 * shape.cells, 8 * shape.cells], **half)
        pooled = torch.randn(rows, shape.text_widths[1], **half)
        given["added_cond_kwargs"] = {"text_embeds": pooled, "time_ids": size_ids.expand(rows, -1)}
    return given


def step_of(unet: UNet2DConditionModel, learned: list[nn.Parameter], given: dict[str, Any]) -> Callable[[], None]:
    """One optimizer step on the same inputs again and again."""
    optimizer = torch.optim.AdamW(learned, lr=LEARNING_RATE, fused=True)
    target = torch.randn_like(given["sample"])

    def step() -> None:
        with torch.autocast(given["sample"].device.type, dtype=torch.bfloat16):
            predicted = unet(**given, return_dict=False)[0]
        loss = F.mse_loss(predicted.float(), target.float())
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()

    return step


def measure(step: Callable[[], None], place: Place) -> tuple[float, float | None]:
    """Seconds a step, and the most GiB that were held at once (None on the CPU)."""
    cuda = place.device.type == "cuda"
    for _ in range(2):
        step()
    if cuda:
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
    begin = time.perf_counter()
    for _ in range(place.steps):
        step()
    if cuda:
        torch.cuda.synchronize()
    seconds = (time.perf_counter() - begin) / place.steps
    return seconds, torch.cuda.max_memory_allocated() / 2**30 if cuda else None


def one_subject(shape: Shape, rows: int, place: Place) -> tuple[float, float | None]:
    """The trainer's way: PEFT."""
    unet = frozen_unet(shape, place.device)
    unet.add_adapter(
        LoraConfig(r=RANK, lora_alpha=RANK, target_modules=list(ATTENTION_LAYERS), init_lora_weights="gaussian"),
    )
    learned = [parameter for parameter in unet.parameters() if parameter.requires_grad]
    for parameter in learned:
        parameter.data = parameter.data.float()
    return measure(step_of(unet, learned, batch(shape, rows, place.device)), place)


def together(shape: Shape, rows: int, subjects: int, place: Place) -> tuple[float, float | None]:
    """``subjects`` people with ``rows`` rows each in one batch."""
    unet = frozen_unet(shape, place.device)
    slots = Slots(torch.arange(subjects, device=place.device).repeat_interleave(rows))
    learned = with_bank(unet, slots, subjects, RANK)
    return measure(step_of(unet, learned, batch(shape, rows * subjects, place.device)), place)


def figures_of(shape: Shape, subjects: tuple[int, ...], place: Place) -> dict[str, Any]:
    """All numbers of a shape; what does not fit into the memory is written down as that."""
    rows = ROWS[shape.name]
    seconds, memory = one_subject(shape, rows, place)
    found: dict[str, Any] = {
        "rows_a_subject": rows,
        "one": {"steps_per_second": 1 / seconds, "memory_gib": memory},
        "together": {},
    }
    for count in subjects:
        try:
            taken, held = together(shape, rows, count, place)
        except torch.cuda.OutOfMemoryError:
            found["together"][str(count)] = {"error": "out of memory"}
            break
        found["together"][str(count)] = {
            "steps_per_second": 1 / taken,
            "subject_steps_per_second": count / taken,
            "against_one_after_another": count * seconds / taken,
            "memory_gib": held,
        }
    return found


def pick_place(dry_run: bool, steps: int) -> Place:
    """A GPU, or the CPU for a dry run; leaves with the reason where there is neither."""
    if dry_run:
        return Place(torch.device("cpu"), "cpu-dry-run", steps)
    if not torch.cuda.is_available():
        sys.exit("no NVIDIA GPU that torch can use: nothing is measured (--dry-run walks through the code on the CPU)")
    return Place(torch.device("cuda"), torch.cuda.get_device_name(), steps)


def main() -> None:
    """Measure, write, show."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--steps", type=int, default=20, help="timed steps of each number")
    parser.add_argument("--dry-run", action="store_true", help="a tiny shape on the CPU: to see that it runs")
    parser.add_argument("--out", type=Path, default=RESULTS)
    given = parser.parse_args()
    place = pick_place(given.dry_run, given.steps)
    shapes, subjects = ((_TINY,), (1, 2)) if given.dry_run else (tuple(SHAPES.values()), SUBJECTS)
    result = {
        "hardware": place.hardware,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "rank": RANK,
        "versions": {name: version(name) for name in ("torch", "diffusers", "peft")},
        "shapes": {shape.name: figures_of(shape, subjects, place) for shape in shapes},
    }
    given.out.mkdir(parents=True, exist_ok=True)
    slug = re.sub(r"[^a-z0-9]+", "-", place.hardware.lower()).strip("-")
    path = given.out / f"training-{slug}-{datetime.now(UTC):%Y-%m-%d}.json"
    path.write_text(json.dumps(result, indent=2) + "\n")
    Console().print_json(data=result)
    Console().print(f"written to {path}", highlight=False)


if __name__ == "__main__":
    main()
