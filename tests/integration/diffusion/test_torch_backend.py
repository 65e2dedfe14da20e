"""The torch backend against the graphs: the same Protocol, the same images, through the whole engine."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image

from headshots.diffusion.backends import OnnxRuntimeBackend, OnnxRuntimeOptions, UNetBatch
from headshots.diffusion.backends.torch import TorchBackend, TorchOptions
from headshots.diffusion.lora.files import load_row
from headshots.diffusion.package import EnginePackage
from headshots.errors import InvalidArgumentError
from headshots.v1 import generator_pb2 as pb
from services.generator.__main__ import build_backend
from services.generator.settings import GeneratorSettings
from tests.support.foundations.engines import (
    lora_bytes,
    peft_unet,
    tiny_foundation,
    tiny_package,
    tiny_sdxl,
    tiny_sdxl_package,
)
from tests.support.generator.world import running_generator

FAMILIES = {"sd15": (tiny_package, tiny_foundation), "sdxl": (tiny_sdxl_package, tiny_sdxl)}


@pytest.fixture(autouse=True)
def _threads() -> Any:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def decibels(one: npt.NDArray[Any], other: npt.NDArray[Any], peak: float) -> float:
    """PSNR, in dB."""
    error = float(np.mean((one.astype(np.float64) - other.astype(np.float64)) ** 2))
    return float("inf") if error == 0 else float(10 * np.log10(peak**2 / error))


def backends(family: str, **options: Any) -> tuple[EnginePackage, OnnxRuntimeBackend, TorchBackend]:
    """Both, with two subjects in slots 1 and 2."""
    make_package, make_foundation = FAMILIES[family]
    package, foundation = make_package(), make_foundation()
    pair = (
        OnnxRuntimeBackend(package, OnnxRuntimeOptions(threads=1)),
        TorchBackend(package, foundation, TorchOptions(threads=1, **options)),
    )
    for slot in (1, 2):
        data = lora_bytes(peft_unet(2 * slot, 6.0, seed=slot, foundation=foundation))
        row = load_row(data, package.layout, package.foundation_digest)
        row.flags.writeable = False
        for backend in pair:
            backend.write_slot(slot, row)
    return package, *pair


def batch_of(package: EnginePackage, backend: OnnxRuntimeBackend, rows: int) -> UNetBatch:
    """Mixed subjects, steps, prompts and strengths."""
    random = np.random.default_rng(rows)
    contexts = [backend.encode_text(prompt) for prompt in ("photo of sks man", "", "studio light") * rows][:rows]
    pooled = [context.pooled_E for context in contexts if context.pooled_E is not None]
    return UNetBatch(
        sample_BCHW=random.standard_normal((rows, package.latent_channels, 8, 16), dtype=np.float32),
        timestep_B=random.integers(0, 1000, rows).astype(np.float32),
        context_BTD=np.stack([context.context_TD for context in contexts]),
        slot_B=np.arange(rows, dtype=np.int64) % 3,
        strength_B=np.linspace(0.5, 1.5, rows, dtype=np.float32),
        pooled_BE=np.stack(pooled) if pooled else None,
        time_ids_B6=np.full((rows, 6), 64, np.float32) if pooled else None,
    )


@pytest.mark.parametrize("family", list(FAMILIES))
def test_every_network_gives_what_its_graph_gives(family: str) -> None:
    package, graphs, networks = backends(family)
    for rows in (2, 5):
        batch = batch_of(package, graphs, rows)
        expected = graphs.unet(batch)
        assert decibels(networks.unet(batch), expected, float(np.abs(expected).max())) >= 60
    for prompt in ("photo of sks man", ""):
        one, other = graphs.encode_text(prompt), networks.encode_text(prompt)
        assert np.allclose(one.context_TD, other.context_TD, atol=1e-4)
        assert (one.pooled_E is None) == (other.pooled_E is None) == (family == "sd15")
    latents = np.random.default_rng(1).standard_normal((3, package.latent_channels, 8, 8), dtype=np.float32)
    pixels = graphs.decode(latents)
    assert decibels(networks.decode(latents), pixels, 255) >= 45
    encoded = graphs.encode(pixels)
    assert decibels(networks.encode(pixels), encoded, float(np.abs(encoded).max())) >= 60
    assert networks.device_memory_bytes() > 4 * package.slots * package.layout.row_size


def test_a_slot_written_again_or_cleared_is_another_subject_or_none() -> None:
    package, graphs, networks = backends("sd15")
    batch = batch_of(package, graphs, 3)
    before = networks.unet(batch)
    networks.write_slot(1, None)
    cleared = networks.unet(batch)
    assert np.array_equal(before[[0, 2]], cleared[[0, 2]]), "rows of other slots are untouched"
    assert not np.allclose(before[1], cleared[1])
    graphs.write_slot(1, None)
    expected = graphs.unet(batch)
    assert decibels(cleared, expected, float(np.abs(expected).max())) >= 60


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_stays_near(precision: str) -> None:
    package, graphs, networks = backends("sd15", precision=precision)
    batch = batch_of(package, graphs, 4)
    expected = graphs.unet(batch)
    found = networks.unet(batch)
    assert networks.name == f"torch:cpu:{precision}:eager"
    assert found.dtype == np.float32
    assert decibels(found, expected, float(np.abs(expected).max())) >= 30


async def test_it_paints_through_the_engine_what_the_graphs_paint(tmp_path: Path) -> None:
    """Text to image, image to image and masked, with subjects, in company."""
    lora = lora_bytes(peft_unet(4, 8.0, seed=5))
    pictures = []
    for name in ("graphs", "networks"):
        backend = None
        if name == "networks":
            backend = TorchBackend(tiny_package(), tiny_foundation(), TorchOptions(threads=1))
        async with running_generator(tmp_path / name, backend=backend) as generator:
            adapter = await generator.add(lora)
            first = await generator.image(adapter=adapter, seed=3, sampler=pb.SAMPLER_DPMPP_2M)
            source = pb.Source(picture=pb.Picture(content=first.content), repaint=0.6)
            second = await generator.image(source=source, seed=4)
            told = await generator.stub.DescribeGenerator(pb.DescribeGeneratorRequest())
        assert told.backend.startswith("torch:cpu:fp32" if name == "networks" else "onnxruntime:")
        pictures.append([np.asarray(Image.open(io.BytesIO(image.content))) for image in (first, second)])
    for one, other in zip(*pictures, strict=True):
        assert one.std() > 5
        assert decibels(one, other, 255) >= 45


def settings_for(tmp_path: Path, **given: str) -> GeneratorSettings:
    environ = {"HEADSHOTS_HOME": str(tmp_path), "HEADSHOTS_FOUNDATION": str(tiny_foundation())}
    environ |= {f"HEADSHOTS_GENERATOR_{name.upper()}": value for name, value in {"backend": "torch", **given}.items()}
    return GeneratorSettings.from_environment(environ)


def test_it_is_chosen_by_a_setting(tmp_path: Path) -> None:
    backend = build_backend(settings_for(tmp_path, threads="1"), tiny_package())
    assert backend.name == "torch:cpu:fp32:eager"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"backend": "tensorflow"}, "SETTING_INVALID"),
        ({"provider": "tensorrt"}, "PROVIDER_UNKNOWN"),
        ({"provider": "cuda", "device": "99"}, "PROVIDER_UNAVAILABLE"),
        ({"torch_precision": "int4"}, "SETTING_INVALID"),
        ({"torch_mode": "fast"}, "SETTING_INVALID"),
        ({"foundation": "/nowhere"}, "FOUNDATION_NOT_FOUND"),
    ],
    ids=str,
)
def test_what_cannot_be_had_stops_the_start(tmp_path: Path, given: dict[str, str], reason: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        build_backend(settings_for(tmp_path, **given), tiny_package())
    assert caught.value.reason == reason


def test_another_foundation_than_the_packages_is_refused(tmp_path: Path) -> None:
    other = settings_for(tmp_path, foundation=str(tiny_foundation("v_prediction")))
    with pytest.raises(InvalidArgumentError) as caught:
        build_backend(other, tiny_package())
    assert caught.value.reason == "FOUNDATION_MISMATCH"


def test_a_generator_without_torch_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "headshots.diffusion.backends.torch", None)
    with pytest.raises(InvalidArgumentError, match="generator-torch") as caught:
        build_backend(settings_for(tmp_path), tiny_package())
    assert caught.value.reason == "BACKEND_UNAVAILABLE"
