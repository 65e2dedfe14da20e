"""Rows spread over cores: the same bits whatever the cores, and no part of a call left running."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
import pytest

from headshots.diffusion.backends import OnnxRuntimeBackend, OnnxRuntimeOptions, UNetBatch, onnxruntime
from headshots.diffusion.backends.cores import Cores
from headshots.diffusion.package import EnginePackage
from tests.support.foundations.engines import tiny_package, tiny_sdxl_package
from tests.support.waiting import PATIENCE_SECONDS


def backend(package: EnginePackage, threads: int) -> OnnxRuntimeBackend:
    """With a random adapter in every slot."""
    made, random = OnnxRuntimeBackend(package, OnnxRuntimeOptions(threads=threads)), np.random.default_rng(0)
    for slot in range(1, package.slots):
        made.write_slot(slot, random.standard_normal(package.layout.row_size, dtype=np.float32) * np.float32(0.1))
    return made


def random_batch(package: EnginePackage, made: OnnxRuntimeBackend, rows: int) -> UNetBatch:
    """Rows of all slots at the native size."""
    random, context = np.random.default_rng(rows), made.encode_text("photo of sks man")
    high, wide = (side // package.vae_scale_factor for side in (package.native_height_px, package.native_width_px))
    pooled = context.pooled_E
    return UNetBatch(
        sample_BCHW=random.standard_normal((rows, package.latent_channels, high, wide), dtype=np.float32),
        timestep_B=random.integers(0, 1000, rows).astype(np.float32),
        context_BTD=random.standard_normal((rows, *context.context_TD.shape), dtype=np.float32),
        slot_B=np.arange(rows, dtype=np.int64) % package.slots,
        strength_B=random.uniform(0.5, 1.5, rows).astype(np.float32),
        pooled_BE=None if pooled is None else random.standard_normal((rows, *pooled.shape), dtype=np.float32),
        time_ids_B6=None if pooled is None else random.integers(0, 64, (rows, 6)).astype(np.float32),
    )


def part(batch: UNetBatch, begin: int, end: int) -> UNetBatch:
    arrays = (getattr(batch, field.name) for field in fields(batch))
    return UNetBatch(*(None if array is None else array[begin:end] for array in arrays))


@pytest.mark.parametrize("of", [tiny_package, tiny_sdxl_package])
def test_rows_are_the_same_bits_on_any_number_of_cores(of: Callable[[], EnginePackage]) -> None:
    package = of()
    alone = backend(package, 1)
    whole = random_batch(package, alone, 7)
    expected = alone.unet(whole)
    latents = np.random.default_rng(1).standard_normal((5, *whole.sample_BCHW.shape[1:]), dtype=np.float32)
    pixels = alone.decode(latents)
    # With three cores there are calls of fewer rows than cores, too.
    for cores in (2, 3):
        spread = backend(package, cores)
        for rows in range(1, 8):
            assert np.array_equal(spread.unet(part(whole, 0, rows)), expected[:rows]), (cores, rows)
        for images in range(1, 6):
            assert np.array_equal(spread.decode(latents[:images]), pixels[:images]), (cores, images)


def test_a_large_package_works_layer_by_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    package = tiny_package()
    spread = backend(package, 2)
    monkeypatch.setattr(onnxruntime, "SMALL_BYTES", 0)
    monkeypatch.setattr(onnxruntime, "Cores", None)  # not to be asked for
    layers = backend(replace(package, native_graphs=()), 2)
    batch = random_batch(package, spread, 4)
    np.testing.assert_allclose(layers.unet(batch), spread.unet(batch), rtol=1e-4, atol=1e-5)


def test_parts_run_at_once() -> None:
    meeting = threading.Barrier(3, timeout=PATIENCE_SECONDS)

    def meet() -> np.ndarray:
        return np.asarray([meeting.wait()])

    assert sorted(int(place[0]) for place in Cores(3).run([meet] * 3)) == [0, 1, 2]


def test_a_part_that_fails_is_told_when_the_others_have_ended() -> None:
    failed, ended = threading.Event(), threading.Event()

    def fails() -> np.ndarray:
        failed.set()
        raise RuntimeError("no memory left")

    def goes_on() -> np.ndarray:
        assert failed.wait(PATIENCE_SECONDS)
        ended.set()
        return np.zeros(1)

    with pytest.raises(RuntimeError, match="no memory left"):
        Cores(2).run([fails, goes_on])
    assert ended.is_set()


def test_threads_are_those_that_the_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """By affinity and by quota, as `headshots.processes.cpus` counts them."""
    monkeypatch.setattr("headshots.diffusion.backends.cores.usable_cpus", lambda: 3)
    assert Cores(0).threads == 3
    assert Cores(2).threads == 2
