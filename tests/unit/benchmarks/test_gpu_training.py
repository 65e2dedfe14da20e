"""The GPU benchmark of trainings: it refuses without a GPU, walks through on the CPU, its bank learns as it says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from benchmarks import gpu_training
from benchmarks.gpu_training import BankedLora, Slots
from tests.support.paths import ROOT


def test_every_row_learns_its_own_lora_and_no_other() -> None:
    torch.manual_seed(0)
    base = nn.Linear(6, 5)
    base.requires_grad_(False)
    slots = Slots(torch.tensor([0, 2]))
    layer = BankedLora(base, slots, subjects=3, rank=2)
    layer.b_SOR.data = torch.randn(3, 5, 2)
    x = torch.randn(2, 4, 6)
    expected = [base(x[row]) + x[row] @ layer.a_SRI[slot].T @ layer.b_SOR[slot].T for row, slot in ((0, 0), (1, 2))]
    torch.testing.assert_close(layer(x), torch.stack(expected))
    layer(x).square().sum().backward()
    gradients = layer.a_SRI.grad
    assert gradients is not None
    assert gradients[1].abs().max() == 0
    assert min(gradients[0].abs().max(), gradients[2].abs().max()) > 0


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU: it would not refuse")
def test_without_a_gpu_it_refuses_and_says_what_to_do() -> None:
    with pytest.raises(SystemExit, match="no NVIDIA GPU"):
        gpu_training.pick_place(False, 1)


def test_a_dry_run_walks_through_on_the_cpu(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.gpu_training", "--dry-run", "--steps", "1", "--out", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (file,) = tmp_path.glob("training-cpu-dry-run-*.json")
    shape = json.loads(file.read_text())["shapes"]["tiny-64"]
    assert set(shape["together"]) == {"1", "2"}
    assert all(entry["subject_steps_per_second"] > 0 for entry in shape["together"].values())
