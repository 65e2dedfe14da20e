"""Profiles, the GPU's name, folders of engines and providers' options: pure code, as no GPU is where the tests run."""

from __future__ import annotations

import ctypes
from dataclasses import replace
from pathlib import Path
from typing import Any

import onnxruntime as ort
import pytest

from headshots.diffusion.backends.providers import (
    PROVIDERS,
    OnnxRuntimeOptions,
    check_provider,
    cuda_options,
    provider_list,
    session_options_for,
)
from headshots.diffusion.package import EnginePackage
from headshots.diffusion.tensorrt import engines
from headshots.diffusion.tensorrt.gpu import Gpu, describe, read_gpu
from headshots.diffusion.tensorrt.profiles import profile
from headshots.errors import InvalidArgumentError
from tests.support.foundations.engines import tiny_package, tiny_sdxl_package

GPU = Gpu("NVIDIA L40S", 8, 9, 101500)


def test_every_dynamic_input_of_every_graph_has_a_profile() -> None:
    package = replace(tiny_package(), sizes=((64, 96), (32, 64), (128, 64)))
    found = profile(package, "unet.onnx")
    assert found.low == "sample:1x4x8x4,timestep:1,context:1x128x32,slot:1,strength:1"
    assert found.usual == "sample:4x4x12x8,timestep:4,context:4x128x32,slot:4,strength:4"
    assert found.high == "sample:8x4x12x16,timestep:8,context:8x128x32,slot:8,strength:8"
    assert profile(package, "vae_decoder.onnx").high == "latents:8x4x12x16"
    found = profile(package, "vae_encoder.onnx")
    assert (found.low, found.usual, found.high) == ("pixels:1x64x32x3", "pixels:1x96x64x3", "pixels:8x96x128x3")
    assert profile(package, "text_encoder.onnx").high == "ids:1x128"


@pytest.mark.parametrize("make", [tiny_package, tiny_sdxl_package])
def test_profiles_name_just_the_dynamic_inputs(make: Any) -> None:
    package: EnginePackage = make()
    for graph, signature in package.graphs.items():
        dynamic = {port.name for port in signature.inputs if any(isinstance(dim, str) for dim in port.shape)}
        found = profile(package, graph)
        for text in (found.low, found.usual, found.high):
            assert {part.partition(":")[0] for part in text.split(",")} == dynamic
            assert all(int(length) > 0 for part in text.split(",") for length in part.partition(":")[2].split("x"))
    assert "bank" not in profile(package, package.unet).high
    expected = {"native": "1x4x8x8"}
    assert profile(package, package.unet).low.startswith("sample:" + expected["native"]), "none given: the native size"


def test_building_dumps_contexts_and_using_them_needs_nothing_else(tmp_path: Path) -> None:
    package = tiny_package()
    built = engines.build(package, package.unet, tmp_path, 1)
    assert built.path == package.folder / "unet.onnx"
    assert built.options["device_id"] == "1"
    assert built.options["trt_dump_ep_context_model"] == "True"
    assert built.options["trt_ep_context_file_path"] == str(tmp_path)
    assert built.options["trt_engine_cache_path"] == "", "an absolute one is refused beside contexts"
    assert built.options["trt_profile_opt_shapes"].startswith("sample:")
    assert built.options["trt_timing_cache_path"] == str(tmp_path)
    parsed = engines.load(package, package.unet, tmp_path, 1)
    assert parsed.path == built.path
    assert parsed.options["trt_engine_cache_path"] == str(tmp_path)
    assert "trt_dump_ep_context_model" not in parsed.options
    (tmp_path / "unet_ctx.onnx").touch()
    loaded = engines.load(package, package.unet, tmp_path, 1)
    assert loaded.path == tmp_path / "unet_ctx.onnx"
    assert not [name for name in loaded.options if "profile" in name or "dump" in name]


def test_half_precision_is_for_the_graphs_that_have_it(tmp_path: Path) -> None:
    package = tiny_package()
    unet = package.graphs["unet.onnx"]
    half = replace(unet, inputs=tuple(replace(port, dtype="float16") for port in unet.inputs))
    package = replace(package, graphs={**package.graphs, "unet.onnx": half})
    flags = {
        graph: engines.build(package, graph, tmp_path, 0).options["trt_fp16_enable"] for graph in sorted(package.graphs)
    }
    assert flags == {
        "text_encoder.onnx": "False",
        "unet.onnx": "True",
        "vae_decoder.onnx": "False",
        "vae_encoder.onnx": "False",
    }


def test_engines_are_built_once_whole_and_kept_by_package_and_gpu(tmp_path: Path) -> None:
    package = tiny_package()
    folder = engines.engines_folder(tmp_path / "cache", package, GPU)
    assert folder.name == f"{package.digest[:16]}-nvidia-l40s-sm89-trt101500"
    opened: list[Path] = []

    def builds(source: engines.Source) -> None:
        opened.append(source.path)
        engines.context_file(Path(source.options["trt_ep_context_file_path"]), source.path.name).touch()

    def fails(source: engines.Source) -> None:
        builds(source)
        raise InvalidArgumentError("PROVIDER_UNAVAILABLE", "out of memory")

    with pytest.raises(InvalidArgumentError):
        engines.ensure_built(package, folder, 0, fails)
    assert not folder.exists()
    opened.clear()
    engines.ensure_built(package, folder, 0, builds)
    engines.ensure_built(package, folder, 0, builds)
    assert sorted(path.name for path in opened) == sorted(package.graphs)
    assert all(engines.load(package, graph, folder, 0).path.parent == folder for graph in package.graphs)
    assert [path.name for path in folder.parent.iterdir() if path.is_dir()] == [folder.name]


class FakeDriver:
    """The CUDA driver library's answers, through the same pointers."""

    def __init__(self, failing: str = "") -> None:
        self._failing = failing

    def _status(self, name: str) -> int:
        return 101 if name == self._failing else 0

    def cuInit(self, flags: int) -> int:
        return self._status("cuInit")

    def cuDeviceGet(self, handle: Any, ordinal: int) -> int:
        handle._obj.value = 40 + ordinal
        return self._status("cuDeviceGet")

    def cuDeviceGetName(self, name: Any, size: int, handle: ctypes.c_int) -> int:
        assert size == len(name)
        name.value = f"NVIDIA L40S #{handle.value}".encode()
        return self._status("cuDeviceGetName")

    def cuDeviceGetAttribute(self, value: Any, number: int, handle: ctypes.c_int) -> int:
        value._obj.value = {75: 8, 76: 9}[number]
        return self._status("cuDeviceGetAttribute")


def test_the_gpu_is_named_by_the_driver() -> None:
    gpu = describe(FakeDriver(), 2, 101500)
    assert gpu == Gpu("NVIDIA L40S #42", 8, 9, 101500)
    assert gpu.slug == "nvidia-l40s-42-sm89-trt101500"


@pytest.mark.parametrize("failing", ["cuInit", "cuDeviceGet", "cuDeviceGetName", "cuDeviceGetAttribute"])
def test_an_error_of_the_driver_is_reported(failing: str) -> None:
    with pytest.raises(InvalidArgumentError, match=r"101 .*`nvidia-smi` tells") as caught:
        describe(FakeDriver(failing), 0, 101500)
    assert caught.value.reason == "PROVIDER_UNAVAILABLE"


def test_missing_libraries_are_named() -> None:
    """This holds wherever there is no TensorRT, as where the tests run."""
    with pytest.raises(InvalidArgumentError, match=r"libnvinfer\.so\.10") as caught:
        read_gpu(0)
    assert caught.value.reason == "PROVIDER_UNAVAILABLE"


def test_the_wanted_provider_is_first_and_the_cpu_is_alone() -> None:
    assert provider_list(OnnxRuntimeOptions()) == [(PROVIDERS["cpu"], {})]
    cuda = provider_list(OnnxRuntimeOptions(provider="cuda"))
    assert [name for name, _ in cuda] == [PROVIDERS["cuda"], PROVIDERS["cpu"]]
    tensorrt = provider_list(OnnxRuntimeOptions(provider="tensorrt"), {"device_id": "0"})
    assert [name for name, _ in tensorrt] == [PROVIDERS["tensorrt"], PROVIDERS["cuda"], PROVIDERS["cpu"]]
    assert tensorrt[0][1] == {"device_id": "0"}


def test_a_provider_that_did_not_start_is_an_error() -> None:
    """ONNX Runtime leaves out a provider whose libraries are missing, with a line in the log, and goes on."""
    check_provider(PROVIDERS["cuda"], [PROVIDERS["cuda"], PROVIDERS["cpu"]])
    with pytest.raises(InvalidArgumentError, match="failed to start") as caught:
        check_provider(PROVIDERS["cuda"], [PROVIDERS["cpu"]])
    assert caught.value.reason == "PROVIDER_UNAVAILABLE"


def test_options_are_what_they_say() -> None:
    made = session_options_for(OnnxRuntimeOptions(threads=3, arena=False))
    assert (made.intra_op_num_threads, made.inter_op_num_threads, made.enable_cpu_mem_arena) == (3, 1, False)
    assert made.graph_optimization_level == ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    cuda = cuda_options(OnnxRuntimeOptions(provider="cuda", device=3, gpu_memory_bytes=1 << 30))
    assert (cuda["device_id"], cuda["gpu_mem_limit"], cuda["use_tf32"]) == ("3", str(1 << 30), "0")
    assert "gpu_mem_limit" not in cuda_options(OnnxRuntimeOptions(provider="cuda"))
