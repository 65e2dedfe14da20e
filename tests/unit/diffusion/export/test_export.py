"""The exported networks: each row of the UNet is PEFT's for that subject, and the VAE is diffusers' own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.image_processor import VaeImageProcessor

from headshots.diffusion.backends import OnnxRuntimeBackend, OnnxRuntimeOptions, UNetBatch
from headshots.diffusion.export.ensure import ensure_package
from headshots.diffusion.lora.files import load_row
from headshots.diffusion.networks import VaeDecoder, VaeEncoder
from headshots.diffusion.package import EnginePackage
from headshots.diffusion.tensorrt.graph import Graph
from headshots.diffusion.tensorrt.rules import type_name
from tests.support.foundations.engines import (
    OPTIONS,
    engines,
    lora_bytes,
    peft_unet,
    tiny_digest,
    tiny_foundation,
    tiny_package,
)

SUBJECTS = [(4, 16.0), (8, 8.0), (2, 1.0)]


@pytest.fixture(scope="module")
def backend() -> OnnxRuntimeBackend:
    return OnnxRuntimeBackend(tiny_package(), OnnxRuntimeOptions(threads=1))


@pytest.fixture(scope="module")
def subjects() -> list[UNet2DConditionModel]:
    """Three people's UNets, by PEFT."""
    return [peft_unet(rank, alpha, seed) for seed, (rank, alpha) in enumerate(SUBJECTS)]


def rows_of(subjects: Sequence[UNet2DConditionModel]) -> list[np.ndarray]:  # type: ignore[type-arg]
    layout = tiny_package().layout
    return [load_row(lora_bytes(unet), layout, tiny_digest()) for unet in subjects]


def batch(slots: Sequence[int], *, high: int = 8, wide: int = 8, strength: float = 1.0) -> UNetBatch:
    random = np.random.default_rng(len(slots))
    count = len(slots)
    return UNetBatch(
        sample_BCHW=random.standard_normal((count, 4, high, wide), dtype=np.float32),
        timestep_B=random.integers(0, 1000, count).astype(np.float32),
        context_BTD=random.standard_normal((count, tiny_package().window_tokens, 32), dtype=np.float32),
        slot_B=np.asarray(slots, np.int64),
        strength_B=np.full(count, strength, np.float32),
    )


def truth(unet: UNet2DConditionModel, given: UNetBatch, row: int) -> np.ndarray:  # type: ignore[type-arg]
    """One row of `given` through a plain diffusers UNet."""
    with torch.no_grad():
        out = unet(
            torch.from_numpy(given.sample_BCHW[row : row + 1]),
            torch.from_numpy(given.timestep_B[row : row + 1]),
            torch.from_numpy(given.context_BTD[row : row + 1]),
        ).sample
    return out[0].numpy()  # type: ignore[no-any-return]


def relative(found: np.ndarray, expected: np.ndarray) -> float:  # type: ignore[type-arg]
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


@pytest.mark.parametrize(("high", "wide"), [(8, 8), (16, 8)])
def test_each_row_of_a_mixed_batch_is_its_own_subject(
    backend: OnnxRuntimeBackend, subjects: list[UNet2DConditionModel], high: int, wide: int
) -> None:
    for slot, row in enumerate(rows_of(subjects), 1):
        backend.write_slot(slot, row)
    bare = UNet2DConditionModel.from_pretrained(tiny_foundation() / "unet").eval()
    given = batch([0, 1, 2, 3, 1, 0, 3], high=high, wide=wide)
    found = backend.unet(given)
    for row, slot in enumerate(given.slot_B):
        unet = bare if slot == 0 else subjects[slot - 1]
        assert relative(found[row], truth(unet, given, row)) < 1e-5
        if slot:
            assert relative(found[row], truth(bare, given, row)) > 0.05, "the adapter does something"


def test_swapping_a_for_b_and_back_is_bit_identical(
    backend: OnnxRuntimeBackend, subjects: list[UNet2DConditionModel]
) -> None:
    first, second, _ = rows_of(subjects)
    given = batch([1, 1, 0])
    backend.write_slot(1, first)
    before = backend.unet(given)
    backend.write_slot(1, second)
    between = backend.unet(given)
    backend.write_slot(1, first)
    after = backend.unet(given)
    assert np.array_equal(before, after)
    assert not np.allclose(before[:2], between[:2])
    assert np.array_equal(before[2], between[2]), "the bare row never changed"


def test_strength_scales_the_adapter(backend: OnnxRuntimeBackend, subjects: list[UNet2DConditionModel]) -> None:
    backend.write_slot(1, rows_of(subjects)[0])
    half = peft_unet(4, 8.0, seed=0)  # alpha halved: PEFT's own way to half the strength
    given = batch([1, 1], strength=0.5)
    assert relative(backend.unet(given)[0], truth(half, given, 0)) < 1e-5
    nothing = backend.unet(batch([1, 1], strength=0.0))
    assert relative(nothing, backend.unet(batch([0, 0]))) < 1e-6


def test_a_row_does_not_depend_on_the_other_rows(
    backend: OnnxRuntimeBackend, subjects: list[UNet2DConditionModel]
) -> None:
    """Bit for bit: the same request must give the same bytes whoever else is served."""
    for slot, row in enumerate(rows_of(subjects), 1):
        backend.write_slot(slot, row)
    whole = batch([1, 0, 2, 3, 1, 2, 0, 3])
    together = backend.unet(whole)
    for size in range(2, 8):
        part = UNetBatch(*(getattr(whole, f)[:size] for f in list(UNetBatch.__dataclass_fields__)[:5]))
        assert np.array_equal(backend.unet(part), together[:size]), size


def test_half_precision_keeps_what_matters_single(subjects: list[UNet2DConditionModel]) -> None:
    folder = ensure_package(tiny_foundation(), engines(), replace(OPTIONS, precision="fp16"))
    package = EnginePackage.read(folder)
    backend = OnnxRuntimeBackend(package, OnnxRuntimeOptions(threads=1))
    backend.write_slot(1, rows_of(subjects)[0])
    given = batch([1, 1])
    assert relative(backend.unet(given)[1], truth(subjects[0], given, 1)) < 5e-3
    graph = Graph.read(folder / package.unet)
    kinds: dict[str, set[str]] = {}
    for node in graph.nodes:
        what = "time embedding" if "time_embedding" in node.name else node.op_type
        inputs = {type_name(graph.types[name]) for name in node.input if name} - {"INT64"}
        kinds.setdefault(what, set()).update(inputs)
    single = ["InstanceNormalization", "LayerNormalization", "time embedding", "Sin", "Cos"]
    assert [kinds[what] for what in single] == [{"FP32"}] * len(single)
    assert kinds["Conv"] == {"FP16"}
    assert kinds["MatMul"] == {"FP16"}


@pytest.mark.parametrize("shape", [(1, 64, 64, 3), (3, 32, 96, 3)])
def test_pictures_become_the_latents_that_diffusers_makes(backend: OnnxRuntimeBackend, shape: tuple[int, ...]) -> None:
    """The mean of the distribution, scaled: what a stock image-to-image pipeline starts from, without its noise."""
    vae = AutoencoderKL.from_pretrained(tiny_foundation() / "vae").eval()
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    prepared = VaeImageProcessor().preprocess(list(pixels.astype(np.float32) / 255))
    with torch.no_grad():
        expected = vae.encode(prepared).latent_dist.mode() * vae.config.scaling_factor
    found = backend.encode(pixels)
    assert found.dtype == np.float32
    assert relative(found, expected.numpy()) < 1e-5
    assert np.array_equal(found, backend.encode(pixels)), "the same picture is the same latents"


@pytest.mark.parametrize("network", [VaeDecoder, VaeEncoder])
def test_latent_means_and_deviations_are_undone_and_redone(network: type[torch.nn.Module]) -> None:
    """SDXL's newer VAEs carry them; stock pipelines decode x * std / factor + mean, and encode the inverse."""
    vae = AutoencoderKL.from_pretrained(tiny_foundation() / "vae").eval()
    vae.register_to_config(latents_mean=[0.5, -1.0, 0.0, 2.0], latents_std=[2.0, 1.0, 0.5, 3.0])
    mean = torch.tensor(vae.config.latents_mean).view(1, 4, 1, 1)
    std = torch.tensor(vae.config.latents_std).view(1, 4, 1, 1)
    factor = vae.config.scaling_factor
    torch.manual_seed(0)
    with torch.no_grad():
        if network is VaeEncoder:
            pixels = torch.randint(256, (2, 64, 64, 3), dtype=torch.uint8)
            own = vae.encode(pixels.permute(0, 3, 1, 2).float() / 127.5 - 1).latent_dist.mode()
            assert torch.allclose(VaeEncoder(vae)(pixels), (own - mean) * factor / std, atol=1e-5)
        else:
            latents = torch.randn(2, 4, 8, 8)
            image = vae.decode(latents * std / factor + mean).sample
            stock = VaeImageProcessor().postprocess(image, output_type="np")
            assert np.abs(VaeDecoder(vae)(latents).numpy() / 255 - stock).max() < 1 / 255
