"""Finished latents are decoded several at once, beside the steps of others."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tests.support.generator.arithmetic import ArithmeticBackend, generate, running
from tests.support.waiting import PATIENCE_SECONDS, until


class GatedDecoder(ArithmeticBackend):
    """Decodes when it is told to; the warm-up's call apart."""

    def __init__(self) -> None:
        super().__init__()
        self.open = threading.Event()
        self.open.set()
        self.decoded: list[tuple[int, ...]] = []

    def decode(self, latents_BCHW: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
        self.decoded.append(latents_BCHW.shape)
        assert self.open.wait(2 * PATIENCE_SECONDS), "nobody lets it decode"
        return super().decode(latents_BCHW)


async def test_steps_go_on_while_an_image_is_decoded(tmp_path: Path) -> None:
    backend = GatedDecoder()
    async with running(tmp_path, backend) as (engine, _):
        alone = [(await generate(engine, seed=seed)).content for seed in range(2)]
        backend.open.clear()
        first = asyncio.create_task(generate(engine, seed=0))
        calls = len(backend.decoded)
        await until(lambda: len(backend.decoded) == calls + 1)
        steps = len(backend.calls)
        second = asyncio.create_task(generate(engine, seed=1))
        # All steps of the second are done while the first is still being decoded.
        await until(lambda: len(backend.calls) == steps + 4)
        assert not first.done()
        backend.open.set()
        images = await asyncio.gather(first, second)
    assert [image.content for image in images] == alone


async def test_what_finishes_meanwhile_is_decoded_in_one_call_of_one_size(tmp_path: Path) -> None:
    backend = GatedDecoder()
    async with running(tmp_path, backend) as (engine, _):
        alone = [(await generate(engine, seed=seed, width_px=width)).content for seed, width in enumerate((2, 2, 4, 2))]
        backend.open.clear()
        backend.decoded.clear()
        first = asyncio.create_task(generate(engine, seed=0, width_px=2))
        await until(lambda: len(backend.decoded) == 1)
        steps = len(backend.calls)
        others = [
            asyncio.create_task(generate(engine, seed=seed, width_px=width)) for seed, width in ((1, 2), (2, 4), (3, 2))
        ]
        await until(lambda: len(engine._loop._decoder._waiting) == 3)
        assert len(backend.calls) > steps
        backend.open.set()
        images = await asyncio.gather(first, *others)
    assert [image.content for image in images] == alone
    assert sorted(backend.decoded[1:]) == [(1, 3, 2, 4), (2, 3, 2, 2)]
