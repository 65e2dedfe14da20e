"""Weights beside the graph, as models over 2 GiB need it: exercised on small ones by lowering the limit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from headshots.diffusion.backends import OnnxRuntimeBackend, OnnxRuntimeOptions, UNetBatch
from headshots.diffusion.export import graphs
from headshots.diffusion.export.ensure import ensure_package
from headshots.diffusion.export.external_data import externalize, signature
from headshots.diffusion.package import EnginePackage
from headshots.diffusion.tensorrt.graph import Graph
from headshots.errors import InvalidArgumentError
from tests.support.foundations.engines import OPTIONS, tiny_foundation, tiny_package


def answer(path: Path) -> np.ndarray:  # type: ignore[type-arg]
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    latents = np.random.default_rng(0).standard_normal((2, 4, 8, 8), dtype=np.float32)
    return session.run(None, {"latents": latents})[0]  # type: ignore[no-any-return]


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("scattered", [False, True])
def test_one_file_holds_the_weights_and_the_graph_is_the_same(tmp_path: Path, scattered: bool) -> None:
    """Scattered: a file a tensor, as torch writes what does not fit into one."""
    source, path = tiny_package().folder / "vae_decoder.onnx", tmp_path / "vae_decoder.onnx"
    model = onnx.load(str(source))
    onnx.save_model(
        model, str(path), save_as_external_data=scattered, all_tensors_to_one_file=False, size_threshold=1024
    )
    assert (len(files(tmp_path)) > 10) is scattered
    externalize(path, limit=1000)
    assert files(tmp_path) == {"vae_decoder.onnx", "vae_decoder.onnx.data"}
    assert path.stat().st_size < source.stat().st_size / 2
    assert np.array_equal(answer(path), answer(source))
    assert signature(path) == signature(source)
    assert Graph.read(path).types == Graph.read(source).types
    first = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}
    externalize(path, limit=1000)
    assert {name: (tmp_path / name).read_bytes() for name in files(tmp_path)} == first, "doing it again changes nothing"


def test_what_fits_stays_in_one_file(tmp_path: Path) -> None:
    path = tmp_path / "vae_decoder.onnx"
    path.write_bytes((tiny_package().folder / path.name).read_bytes())
    written = path.read_bytes()
    externalize(path, limit=graphs.PROTOBUF_LIMIT)
    assert path.read_bytes() == written
    assert files(tmp_path) == {path.name}


def test_a_package_over_the_limit_loads_and_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole export: the same answers, bit for bit, and a lost data file is noticed."""
    monkeypatch.setattr(graphs, "PROTOBUF_LIMIT", 100_000)
    package = EnginePackage.read(ensure_package(tiny_foundation(), tmp_path, OPTIONS))
    assert {"unet.onnx.data", "vae_decoder.onnx.data", "vae_encoder.onnx.data"} <= set(package.files)
    assert (package.folder / "unet.onnx").stat().st_size < (package.folder / "unet.onnx.data").stat().st_size
    random = np.random.default_rng(0)
    batch = UNetBatch(
        sample_BCHW=random.standard_normal((3, 4, 8, 8), dtype=np.float32),
        timestep_B=np.array([1, 500, 999], np.float32),
        context_BTD=random.standard_normal((3, package.window_tokens, 32), dtype=np.float32),
        slot_B=np.array([0, 1, 0]),
        strength_B=np.ones(3, np.float32),
    )
    row = random.standard_normal(package.layout.row_size, dtype=np.float32) * 0.05
    predictions = []
    for each in (package, tiny_package()):
        backend = OnnxRuntimeBackend(each, OnnxRuntimeOptions(threads=1))
        backend.write_slot(1, row)
        predictions.append(backend.unet(batch))
    assert np.array_equal(*predictions)
    (package.folder / "unet.onnx.data").unlink()
    with pytest.raises(InvalidArgumentError) as caught:
        EnginePackage.read(package.folder)
    assert caught.value.reason == "ENGINE_DAMAGED"
