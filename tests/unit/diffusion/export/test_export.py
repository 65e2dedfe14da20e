"""The engine package: what it holds, that it is made once, and that each row of its UNet is PEFT's for that subject."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.image_processor import VaeImageProcessor

from headshots.diffusion.backends import OnnxRuntimeBackend, OnnxRuntimeOptions, UNetBatch
from headshots.diffusion.export import ensure
from headshots.diffusion.export.ensure import ExportOptions, ensure_package, ensure_package_in_child, package_key
from headshots.diffusion.export.graphs import Traced, trace
from headshots.diffusion.foundations.foundation import Foundation
from headshots.diffusion.lora.files import load_row
from headshots.diffusion.networks import VaeDecoder, VaeEncoder
from headshots.diffusion.package import EnginePackage
from headshots.diffusion.tensorrt.graph import Graph
from headshots.diffusion.tensorrt.rules import type_name
from headshots.errors import InternalError, InvalidArgumentError
from tests.support.engines import OPTIONS, lora_bytes, peft_unet, scratch, tiny_digest, tiny_foundation, tiny_package

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
        context_BTD=random.standard_normal((count, 16, 32), dtype=np.float32),
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


def test_a_row_does_not_depend_on_its_company(
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
    folder = ensure_package(tiny_foundation(), scratch() / "engines", replace(OPTIONS, precision="fp16"))
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


def test_the_manifest_says_what_the_foundation_is() -> None:
    package, foundation = tiny_package(), Foundation.read(tiny_foundation())
    assert package.foundation_digest == tiny_digest()
    assert (package.steps, package.sampler, package.guidance_scale) == (6, "ddim", 3.0)
    assert (package.slots, package.max_rows, package.layout.max_rank) == (4, 8, 8)
    assert package.size_multiple_px == 16
    assert package.prompt_template == foundation.prompt_template
    unet = package.graphs["unet.onnx"]
    assert [(port.name, port.dtype, port.shape) for port in unet.inputs] == [
        ("sample", "float32", ("rows", 4, "cells_high", "cells_wide")),
        ("timestep", "float32", ("rows",)),
        ("context", "float32", ("rows", 16, 32)),
        ("slot", "int64", ("rows",)),
        ("strength", "float32", ("rows",)),
        ("bank", "float32", (4, package.layout.row_size)),
    ]
    assert [port.shape for port in unet.outputs] == [("rows", 4, "cells_high", "cells_wide")]
    assert package.graphs["text_encoder.onnx"].outputs[0].shape == ("rows", 16, 32)
    assert package.graphs["vae_encoder.onnx"].outputs[0].shape == ("rows", 4, "cells_high", "cells_wide")
    graphs = {"unet.onnx", "vae_decoder.onnx", "vae_encoder.onnx", "text_encoder.onnx"}
    assert set(package.files) == {*graphs, "tokenizer.json"}


def test_a_second_call_finds_the_package_and_does_not_export(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tiny_package().folder

    def fail(*_: object) -> None:
        raise AssertionError("exported again")

    monkeypatch.setattr(ensure, "write_package", fail)
    assert ensure_package(tiny_foundation(), scratch() / "engines", OPTIONS) == folder
    assert ensure_package_in_child(tiny_foundation(), scratch() / "engines", OPTIONS) == folder


def test_an_edited_headshots_yaml_asks_for_another_package_and_its_recipe_does_not() -> None:
    """A package repeats the foundation's defaults: it must not outlive them."""
    foundation = Foundation.read(tiny_foundation())
    key = package_key(foundation, tiny_digest(), OPTIONS)
    assert package_key(replace(foundation, training={"steps": 9}), tiny_digest(), OPTIONS) == key
    assert package_key(replace(foundation, path=Path("/elsewhere")), tiny_digest(), OPTIONS) == key
    started = replace(foundation, adapter_start=Path("/elsewhere"), start_sha256="ab")
    assert package_key(started, tiny_digest(), OPTIONS) == key
    for edited in (
        replace(foundation, guidance_scale=9.0),
        replace(foundation, negative_adapter_share=0.5),
        replace(foundation, trigger="other"),
    ):
        assert package_key(edited, tiny_digest(), OPTIONS) != key


def test_two_processes_at_once_make_one_and_the_same_package(tmp_path: Path) -> None:
    """The second waits for the first; what they made is, byte for byte, what an earlier export made."""
    options = json.dumps(asdict(OPTIONS))
    command = [sys.executable, "-m", "headshots.diffusion.export", "--foundation", str(tiny_foundation())]
    command += ["--cache", str(tmp_path), "--options", options]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [child.communicate()[0] for child in children]
    assert [child.returncode for child in children] == [0, 0]
    assert sum("tracing the UNet" in text for text in said) == 1
    (folder,) = (path for path in tmp_path.iterdir() if path.is_dir())
    assert EnginePackage.read(folder).digest == tiny_package().digest, "engine.json holds every file's digest"


class Branching(torch.nn.Module):
    """A branch on a value, of which the tracer sees one side."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))

    def forward(self, x: torch.Tensor, bank: torch.Tensor) -> torch.Tensor:
        return x * self.weight + bank.sum() if float(x.sum()) > 0 else -x


class Remembering(Branching):
    """Adapters kept where the tracer takes them for constants."""

    def forward(self, x: torch.Tensor, bank: torch.Tensor) -> torch.Tensor:
        return x * self.weight + float(bank.sum())


@pytest.mark.parametrize(("network", "sign"), [(Branching, -1.0), (Remembering, 1.0)])
def test_a_graph_that_disagrees_with_torch_is_not_accepted(
    tmp_path: Path, network: type[torch.nn.Module], sign: float
) -> None:
    """What the tracer bakes in must not go unseen: it is checked on other values and another bank."""
    traced = {"x": torch.ones(2), "bank": torch.ones(3)}
    check = {"x": sign * torch.ones(3), "bank": 2 * torch.ones(3)}
    item = Traced("network", network(), traced, {"x": {0: "n"}, "y": {0: "n"}}, ["y"], [check])
    with pytest.raises(InternalError) as caught:
        trace(item, tmp_path)
    assert caught.value.reason == "EXPORT_MISMATCH"


@pytest.mark.parametrize(
    "wrong",
    [
        ExportOptions(max_rank=999),
        ExportOptions(slots=1),
        ExportOptions(max_rows=1),
        ExportOptions(precision="x"),
        ExportOptions(sizes=((64, 24),)),
        ExportOptions(sizes=((64, 64), (0, 64))),
    ],
)
def test_impossible_options_are_refused(tmp_path: Path, wrong: ExportOptions) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        ensure_package(tiny_foundation(), tmp_path, wrong)
    assert caught.value.reason == "EXPORT_OPTIONS_INVALID"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        ("{", "ENGINE_DAMAGED"),
        ("[]", "ENGINE_DAMAGED"),
        ('{"format": 0, "files": {}}', "ENGINE_FORMAT"),
        ('{"format": 3, "files": {"unet.onnx": "ab"}}', "ENGINE_DAMAGED"),
        ('{"format": 3, "files": {}, "layout": {}}', "ENGINE_DAMAGED"),
    ],
)
def test_what_is_no_package_is_named(tmp_path: Path, manifest: str, reason: str) -> None:
    with pytest.raises(InvalidArgumentError, match="headshots export"):
        EnginePackage.read(tmp_path)
    (tmp_path / "engine.json").write_text(manifest)
    with pytest.raises(InvalidArgumentError) as caught:
        EnginePackage.read(tmp_path)
    assert caught.value.reason == reason


def test_a_damaged_graph_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "package"
    shutil.copytree(tiny_package().folder, folder)
    (folder / "unet.onnx").write_bytes((folder / "unet.onnx").read_bytes()[:1000])
    with pytest.raises(InvalidArgumentError, match="export again") as caught:
        OnnxRuntimeBackend(EnginePackage.read(folder), OnnxRuntimeOptions(threads=1))
    assert caught.value.reason == "ENGINE_DAMAGED"


@pytest.mark.parametrize(("provider", "reason"), [("cuda", "PROVIDER_UNAVAILABLE"), ("npu", "PROVIDER_UNKNOWN")])
def test_a_provider_that_cannot_be_had_stops_the_start(provider: str, reason: str) -> None:
    """This holds wherever onnxruntime has no CUDA, as where the tests run; it must never fall back to the CPU."""
    with pytest.raises(InvalidArgumentError) as caught:
        OnnxRuntimeBackend(tiny_package(), OnnxRuntimeOptions(provider=provider))
    assert caught.value.reason == reason


def test_adapters_are_found_without_a_node_for_each_index() -> None:
    """What the tracer makes of `unbind` and `flatten` would be as right and cost a tenth of the bank's time."""
    nodes = onnx.load(tiny_package().folder / "unet.onnx", load_external_data=False).graph.node
    splits = [node for node in nodes if any(attribute.name == "num_outputs" for attribute in node.attribute)]
    taken = {name for node in splits for name in node.output}
    readers = [node.op_type for node in nodes if taken & set(node.input)]
    assert readers == ["Gather"] * len(taken), "each index is used as it comes"
    alone = [site for site in tiny_package().layout.sites if site.heads == 1]
    assert len(taken) > len(alone), "A and B of nearly every layer that is adapted alone"
