"""A generator on a backend of plain arithmetic: the pixels show which adapter and prompt each row had."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from prometheus_client import CollectorRegistry

from headshots.artifacts import ArtifactStore
from headshots.diffusion.backends import UNetBatch
from headshots.diffusion.lora.files import LoraPair, diffusers_lora_bytes
from headshots.diffusion.lora.layout import AdaptedLayer, Layout
from headshots.diffusion.package import EnginePackage
from headshots.diffusion.text import Context
from services.generator.adapters.tiers import AdapterRef
from services.generator.engine import Engine
from services.generator.requests.request import GeneratedImage, GenerationRequest
from tests.support.generator.world import make_engine
from tests.support.waiting import PATIENCE_SECONDS

SITE = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q"
LAYOUT = Layout.build([AdaptedLayer(SITE, 1, 1)], max_rank=1)
DIGEST = "ab" * 32
PEOPLE = 6


def package(slots: int = 3, max_rows: int = 6) -> EnginePackage:
    """A package that needs no files."""
    return EnginePackage(
        folder=Path("/nowhere"),
        foundation="arithmetic",
        foundation_digest=DIGEST,
        family="sd15",
        precision="fp32",
        opset=18,
        slots=slots,
        max_rows=max_rows,
        latent_channels=3,
        vae_scale_factor=1,
        context_width=1,
        native_width_px=2,
        native_height_px=2,
        size_multiple_px=1,
        max_size_px=8,
        zero_empty_prompt=False,
        prediction_type="v_prediction",
        scheduler={"prediction_type": "v_prediction", "beta_schedule": "scaled_linear"},
        sampler="ddim",
        steps=4,
        guidance_scale=2.0,
        adapter_guidance_scale=2.0,
        negative_adapter_share=0.5,
        trigger="sks",
        prompt_template="{subject}",
        class_nouns=("person",),
        unet="",
        vae_decoder="",
        vae_encoder="",
        text_encoders=(),
        preview_matrix=((0.1,) * 3,) * 3,
        preview_bias=(0.5,) * 3,
        layout=LAYOUT,
        files={},
    )


class ArithmeticBackend:
    """A Backend whose prediction tells, at every step, which adapter and prompt each row was given."""

    name = "arithmetic"

    def __init__(self, slots: int = 3) -> None:
        self.bank = np.zeros((slots, LAYOUT.row_size), np.float32)
        self.calls: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self.fail_next = False
        self.fail_clear = False

    def unet(self, batch: UNetBatch) -> npt.NDArray[np.float32]:
        assert self.gate.wait(2 * PATIENCE_SECONDS), "nobody has opened the gate"
        self.calls.append(len(batch.slot_B))
        if self.fail_next:
            self.fail_next = False
            raise RuntimeError("out of memory")
        who = self.bank[batch.slot_B].prod(axis=1) * batch.strength_B
        tint = (who + batch.context_BTD[:, 0, 0])[:, None, None, None]
        return (0.1 * np.tanh(batch.sample_BCHW) + tint).astype(np.float32)

    def write_slot(self, slot: int, row_P: npt.NDArray[np.float32] | None) -> None:
        if self.fail_next and row_P is not None:
            self.fail_next = False
            raise RuntimeError("the device is gone")
        if self.fail_clear and row_P is None:
            self.fail_clear = False
            raise RuntimeError("the device stumbled")
        self.bank[slot] = 0 if row_P is None else row_P

    def decode(self, latents_BCHW: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
        return (latents_BCHW * 20 + 128).clip(0, 255).round().astype(np.uint8).transpose(0, 2, 3, 1)

    def encode(self, pixels_BHWC: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        return ((pixels_BHWC.transpose(0, 3, 1, 2).astype(np.float32) - 128) / 20).astype(np.float32)

    def encode_text(self, prompt: str) -> Context:
        return Context(np.full((1, 1), len(prompt) / 10, np.float32), None)

    def device_memory_bytes(self) -> int:
        return self.bank.nbytes


def person(number: int) -> tuple[AdapterRef, bytes]:
    """An adapter of one weight."""
    one = np.full((1, 1), 0.3 * (number + 1), np.float32)
    data = diffusers_lora_bytes({SITE: LoraPair(one, np.ones((1, 1), np.float32))}, {"foundation_digest": DIGEST})
    return AdapterRef(hashlib.sha256(data).hexdigest(), f"adapters/{number}", DIGEST), data


ADAPTERS = [person(number) for number in range(PEOPLE)]


@asynccontextmanager
async def running(
    folder: Path, backend: ArithmeticBackend, *, store: ArtifactStore | None = None, **options: Any
) -> AsyncIterator[tuple[Engine, CollectorRegistry]]:
    registry = CollectorRegistry()
    made = package(len(backend.bank))
    engine, own_store = make_engine(folder, registry, package=made, backend=backend, **options)
    for ref, data in ADAPTERS:
        await own_store.put(ref.key, data)
    if store is not None:
        engine._adapters._store = store
    await engine.start()
    try:
        yield engine, registry
    finally:
        backend.gate.set()
        await engine.stop()


async def generate(engine: Engine, **request: Any) -> GeneratedImage:
    events = [event async for event in engine.generate(GenerationRequest(tenant="a", prompt="someone", **request))]
    assert isinstance(events[-1], GeneratedImage)
    return events[-1]
