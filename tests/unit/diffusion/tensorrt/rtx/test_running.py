"""The backend on a stand-in for a GPU: addresses, copies and shapes are real, ONNX Runtime does the arithmetic.

What this cannot tell is whether TensorRT for RTX computes the same: no GPU is where the tests run.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headshots.diffusion.backends import OnnxRuntimeBackend, OnnxRuntimeOptions, TensorRtRtxBackend, UNetBatch
from headshots.diffusion.backends.tensorrt_rtx import Libraries
from headshots.diffusion.package import EnginePackage
from headshots.errors import InternalError, InvalidArgumentError
from tests.support.fake_gpu import FakeDriver, FakeEngine, FakeLoader, with_fake_engines
from tests.support.foundations.engines import tiny_package, tiny_sdxl_package
from tests.support.waiting import PATIENCE_SECONDS


class Rig:
    """The same package on the stand-in and on the CPU."""

    def __init__(self, package: EnginePackage, folder: Path) -> None:
        self.package = with_fake_engines(package, folder)
        self.driver = FakeDriver()
        self.ours = TensorRtRtxBackend(self.package, 0, Libraries(lambda: self.driver, FakeLoader))
        self.cpu = OnnxRuntimeBackend(package, OnnxRuntimeOptions(threads=1))

    def batch(self, rows: int, cells: int = 8) -> UNetBatch:
        package, random = self.package, np.random.default_rng(rows)
        sdxl = package.family == "sdxl"
        return UNetBatch(
            sample_BCHW=random.standard_normal((rows, package.latent_channels, cells, cells), dtype=np.float32),
            timestep_B=random.integers(0, 1000, rows).astype(np.float32),
            context_BTD=random.standard_normal((rows, package.window_tokens, package.context_width), dtype=np.float32),
            slot_B=np.arange(rows, dtype=np.int64) % package.slots,
            strength_B=np.linspace(0.5, 1, rows, dtype=np.float32),
            pooled_BE=random.standard_normal((rows, self.pooled_width()), dtype=np.float32) if sdxl else None,
            time_ids_B6=np.full((rows, 6), 64, np.float32) if sdxl else None,
        )

    def pooled_width(self) -> int:
        (port,) = (each for each in self.package.graphs["unet.onnx"].inputs if each.name == "pooled")
        width = port.shape[1]
        assert isinstance(width, int)
        return width

    def write(self, slot: int, row_P: Any) -> None:
        self.ours.write_slot(slot, row_P)
        self.cpu.write_slot(slot, row_P)

    def assert_same(self, batch: UNetBatch) -> None:
        np.testing.assert_allclose(self.ours.unet(batch), self.cpu.unet(batch), rtol=1e-4, atol=1e-5)


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tiny_package(), tmp_path / "package")


def adapter(package: EnginePackage, seed: int) -> Any:
    random = np.random.default_rng(seed)
    return random.standard_normal(package.layout.row_size, dtype=np.float32) * np.float32(0.1)


def test_rows_of_many_subjects_are_what_the_cpu_says(rig: Rig) -> None:
    rig.assert_same(rig.batch(4))  # an empty bank, whatever was in that memory before
    bare = rig.ours.unet(rig.batch(4))
    for slot in (1, 2, 3):
        rig.write(slot, adapter(rig.package, slot))
    for rows in (1, 2, 8, 3):
        rig.assert_same(rig.batch(rows))
    assert np.array_equal(rig.ours.unet(rig.batch(4))[0], bare[0]), "slot 0 is the bare foundation"
    assert not np.allclose(rig.ours.unet(rig.batch(4))[1], bare[1])
    rig.write(2, None)
    rig.assert_same(rig.batch(4))


def test_sdxl_has_two_encoders_and_more_inputs(tmp_path: Path) -> None:
    rig = Rig(tiny_sdxl_package(), tmp_path / "package")
    rig.write(1, adapter(rig.package, 1))
    rig.assert_same(rig.batch(2))
    ours, cpu = rig.ours.encode_text("a portrait"), rig.cpu.encode_text("a portrait")
    np.testing.assert_allclose(ours.context_TD, cpu.context_TD, rtol=1e-4, atol=1e-5)
    assert ours.pooled_E is not None
    assert cpu.pooled_E is not None
    np.testing.assert_allclose(ours.pooled_E, cpu.pooled_E, rtol=1e-4, atol=1e-5)


def test_a_slot_is_written_by_one_copy_of_its_row(rig: Rig) -> None:
    rig.driver.uploads.clear()
    rig.ours.write_slot(3, adapter(rig.package, 3))
    ((address, size),) = rig.driver.uploads
    row_bytes = 4 * rig.package.layout.row_size
    assert size == row_bytes
    start = address - 3 * row_bytes
    assert len(rig.driver.allocated[start]) == rig.package.slots * row_bytes, "it lies within the bank"


def test_a_call_takes_no_memory_and_leaves_the_bank_where_it_is(rig: Rig) -> None:
    rig.ours.unet(rig.batch(2))
    before = len(rig.driver.allocated)
    rig.driver.uploads.clear()
    for rows in (8, 1, 5):
        rig.ours.unet(rig.batch(rows))
    assert len(rig.driver.allocated) == before
    bank_bytes = 4 * rig.package.slots * rig.package.layout.row_size
    assert all(size < bank_bytes for _, size in rig.driver.uploads)


def test_pictures_go_through_the_vae_in_parts(rig: Rig) -> None:
    latents = np.random.default_rng(0).standard_normal((11, 4, 8, 8), dtype=np.float32)
    pixels = rig.ours.decode(latents)
    assert np.array_equal(pixels, rig.cpu.decode(latents))
    np.testing.assert_allclose(rig.ours.encode(pixels[:2]), rig.cpu.encode(pixels[:2]), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("rows", "cells"), [(9, 8), (2, 16)])
def test_a_shape_that_the_engine_is_not_for_is_refused(rig: Rig, rows: int, cells: int) -> None:
    with pytest.raises(InvalidArgumentError, match="export with that --size or --max-rows") as caught:
        rig.ours.unet(rig.batch(rows, cells))
    assert caught.value.reason == "ENGINE_SHAPE"
    rig.assert_same(rig.batch(2))


def test_an_engine_that_fails_is_an_error(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeEngine, "execute_async_v3", lambda self, stream: False)
    with pytest.raises(InternalError) as caught:
        rig.ours.unet(rig.batch(2))
    assert caught.value.reason == "ENGINE_FAILED"


def test_an_error_of_the_driver_is_named(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeDriver, "cuStreamSynchronize", lambda self, stream: 700)
    with pytest.raises(InternalError, match="700 to cuStreamSynchronize") as caught:
        rig.ours.unet(rig.batch(2))
    assert caught.value.reason == "GPU_FAILED"


def test_a_call_waits_for_the_one_before_on_the_same_engine(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine's context holds shapes and addresses of one call; decoding may be asked for by two threads."""
    latents = [np.random.default_rng(seed).standard_normal((1, 4, 8, 8), dtype=np.float32) for seed in range(2)]
    running, second, touched, go_on = (threading.Event() for _ in range(4))
    execute, set_shape = FakeEngine.execute_async_v3, FakeEngine.set_input_shape

    def slow(self: FakeEngine, stream: int) -> bool:
        running.set()
        assert go_on.wait(PATIENCE_SECONDS)
        return execute(self, stream)

    def watched(self: FakeEngine, name: str, shape: tuple[int, ...]) -> bool:
        if running.is_set() and not go_on.is_set():
            touched.set()
        return set_shape(self, name, shape)

    monkeypatch.setattr(FakeEngine, "execute_async_v3", slow)
    monkeypatch.setattr(FakeEngine, "set_input_shape", watched)
    found: dict[int, Any] = {}

    def decode(number: int) -> None:
        if number == 1:
            second.set()
        found[number] = rig.ours.decode(latents[number])

    threads = [threading.Thread(target=decode, args=(number,)) for number in range(2)]
    threads[0].start()
    assert running.wait(PATIENCE_SECONDS)
    threads[1].start()
    assert second.wait(PATIENCE_SECONDS)
    assert not touched.wait(0.5), "the second call changed the first one's context"
    go_on.set()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(found[number], rig.cpu.decode(latents[number])) for number in range(2))
