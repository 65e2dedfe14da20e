"""The peer of the training benchmark: its tunings change its speed, not what it learns; processes share its rows."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Generator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.training.peer import PLAIN, Peer, Tuning, tunings
from benchmarks.training.sides import Side
from headshots.diffusion.foundations.foundation import Foundation
from services.trainer.lora.recipe import Recipe
from tests.support.foundations.engines import tiny_foundation

PROMPT = "photo of a ohwx man"
CACHED, BF16 = Tuning(cached=True), Tuning(cached=True, bf16=True, unfused_attention=True)


def photos(folder: Path, count: int = 3) -> list[Path]:
    folder.mkdir(exist_ok=True)
    side, rng = Foundation.read(tiny_foundation()).native_width_px, np.random.default_rng(0)
    for number in range(count):
        Image.fromarray(rng.integers(0, 256, (side, side, 3), np.uint8)).save(folder / f"{number}.png")
    return sorted(folder.glob("*.png"))


def peer(files: list[Path], tuning: Tuning, rows: int = 2, path: Path | None = None) -> Peer:
    foundation = Foundation.read(path or tiny_foundation())
    recipe = dataclasses.replace(Recipe.resolve(foundation), batch_rows=rows)
    return Peer(foundation.path, files, PROMPT, recipe, foundation.native_width_px, tuning)


def first_loss(files: list[Path], tuning: Tuning) -> float:
    """Of the first photo; photos as large as the foundation's pictures are cropped in one way only."""
    one = peer(files, tuning)
    batch = {name: value[None] for name, value in one._loader.dataset[0].items()}
    torch.manual_seed(5)
    return float(one._loss(batch).detach())


@pytest.mark.usefixtures("one_thread")
def test_what_is_cached_is_what_the_plain_script_computes_anew(tmp_path: Path) -> None:
    files = photos(tmp_path)
    plain = first_loss(files, PLAIN)
    assert first_loss(files, CACHED) == pytest.approx(plain, rel=1e-5)
    assert first_loss(files, BF16) == pytest.approx(plain, rel=0.02)


@pytest.mark.usefixtures("one_thread")
def test_the_tuned_peer_draws_its_latents_anew_and_learns(tmp_path: Path) -> None:
    files = photos(tmp_path)
    for tuning in (CACHED, BF16):
        one = peer(files, tuning)
        before, steps = one.adapter("x"), one.steps()
        assert len({next(steps) for _ in range(3)}) == 3
        assert one.adapter("x") != before
        assert {parameter.dtype for parameter in one._learned} == {torch.float32}


def test_bf16_is_tried_where_the_cpu_multiplies_it_and_only_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for supported in (True, False):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda given=supported: given)
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
        assert [tuning.bf16 for tuning in tunings()] == ([False, True, True] if supported else [False])
        assert all(tuning.cached for tuning in tunings())
        assert len({tuning.name for tuning in tunings()}) == len(tunings())


def leaving_adapters(foundation: Path, folder: Path) -> Generator[object]:
    """Steps whose process leaves its losses and the adapter it holds; a file a process."""
    one, losses = peer(sorted(folder.glob("*.png")), CACHED, rows=4, path=foundation), []
    try:
        for loss in one.steps():
            losses.append(loss)
            yield loss
    finally:
        rank = os.environ["RANK"]
        (folder / f"{rank}.losses").write_text(repr(losses))
        (folder / f"{rank}.adapter").write_bytes(one.adapter("x"))


@pytest.mark.slow
def test_processes_share_the_rows_of_a_step_and_hold_one_adapter(tmp_path: Path) -> None:
    photos(tmp_path)
    peers = Side(leaving_adapters, processes=2)
    try:
        peers.open(tiny_foundation(), tmp_path)
        assert peers.take(2) > 0
    finally:
        peers.close()
    assert (tmp_path / "0.adapter").read_bytes() == (tmp_path / "1.adapter").read_bytes()
    assert (tmp_path / "0.losses").read_text() != (tmp_path / "1.losses").read_text()
