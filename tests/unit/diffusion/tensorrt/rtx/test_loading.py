"""What stops the generator's start on TensorRT for RTX: each a typed error that says what to do. No GPU is needed."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from headshots.diffusion.backends import OnnxRuntimeBackend, OnnxRuntimeOptions, TensorRtRtxBackend, open_package
from headshots.diffusion.backends.tensorrt_rtx import Libraries
from headshots.diffusion.package import EnginePackage
from headshots.diffusion.tensorrt.rtx.building import source_of
from headshots.diffusion.tensorrt.rtx.loading import Loader
from headshots.diffusion.tensorrt.rtx.targets import check_targets, installed_version, parse_targets
from headshots.errors import FailedPreconditionError, InvalidArgumentError, ResourceExhaustedError
from tests.support.fake_gpu import FakeDriver, FakeEngine, FakeLoader, edit_engines, with_fake_engines
from tests.support.foundations.engines import tiny_package


@pytest.fixture
def package(tmp_path: Path) -> EnginePackage:
    return with_fake_engines(tiny_package(), tmp_path / "package", ("sm89", "sm120"))


def start(package: EnginePackage, **driver: Any) -> TensorRtRtxBackend:
    return TensorRtRtxBackend(package, 0, Libraries(lambda: FakeDriver(**driver), FakeLoader))


def refusal(package: EnginePackage, **driver: Any) -> InvalidArgumentError:
    with pytest.raises(InvalidArgumentError) as caught:
        start(package, **driver)
    return caught.value


def test_it_starts_where_everything_fits(package: EnginePackage) -> None:
    assert start(package).name == "tensorrt-rtx:sm89"
    assert start(package, capability=(12, 0)).name == "tensorrt-rtx:sm120"


def test_a_package_without_engines_names_the_export(tmp_path: Path) -> None:
    error = refusal(tiny_package())
    assert error.reason == "ENGINE_TARGET_MISSING"
    assert "headshots export --tensorrt-rtx TARGET`" in error.message
    assert "sm89 (L4, L40S, RTX 40)" in error.message
    assert "HEADSHOTS_GENERATOR_PROVIDER=cpu" in error.message


@pytest.mark.parametrize(
    ("capability", "says"),
    [
        ((8, 6), "is sm86, and .* has engines for sm89, sm120; .*--tensorrt-rtx sm89,sm120,sm86"),
        ((9, 0), "H100 and H200 are none of its GPUs; serve those on tensorrt or cuda"),
        ((7, 5), "no fp32 matrices"),
        ((10, 0), "none of its GPUs; serve it on cuda or tensorrt"),
    ],
)
def test_engines_for_another_gpu_name_what_would_serve_this_one(
    package: EnginePackage, capability: tuple[int, int], says: str
) -> None:
    with pytest.raises(InvalidArgumentError, match=says) as caught:
        start(package, capability=capability)
    assert caught.value.reason == "ENGINE_TARGET_MISSING"


def test_engines_of_another_version_are_refused(package: EnginePackage) -> None:
    error = refusal(edit_engines(package, version="1.6.0.1"))
    assert error.reason == "ENGINE_VERSION"
    assert "1.6.0.1" in error.message
    assert installed_version() in error.message


@pytest.mark.parametrize("damage", ["truncated", "empty", "flipped", "longer"])
def test_a_damaged_engine_is_refused(package: EnginePackage, damage: str) -> None:
    assert package.tensorrt_rtx is not None
    path = package.folder / package.tensorrt_rtx.engines[-1].file
    data = path.read_bytes()
    middle = len(data) // 2
    flipped = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
    path.write_bytes({"truncated": data[:middle], "empty": b"", "flipped": flipped, "longer": data + b"x"}[damage])
    error = refusal(package)
    assert error.reason == "ENGINE_DAMAGED"
    assert path.name in error.message
    assert "export again" in error.message


def test_a_missing_engine_file_is_no_package(package: EnginePackage) -> None:
    assert package.tensorrt_rtx is not None
    (package.folder / package.tensorrt_rtx.engines[0].file).unlink()
    with pytest.raises(InvalidArgumentError) as caught:
        EnginePackage.read(package.folder)
    assert caught.value.reason == "ENGINE_DAMAGED"


@pytest.mark.parametrize("where", ["../{}", "/tmp/{}", "engines/{}"])
def test_an_engine_outside_of_the_package_is_refused_digest_and_all(package: EnginePackage, where: str) -> None:
    assert package.tensorrt_rtx is not None
    name = package.tensorrt_rtx.engines[0].file
    manifest = package.folder / "engine.json"
    manifest.write_text(manifest.read_text().replace(f'"{name}"', f'"{where.format(name)}"'))
    with pytest.raises(InvalidArgumentError, match=f"outside of it: {where.format(name)}") as caught:
        EnginePackage.read(package.folder)
    assert caught.value.reason == "ENGINE_DAMAGED"


def test_an_engine_without_a_digest_is_refused(package: EnginePackage) -> None:
    assert package.tensorrt_rtx is not None
    name = package.tensorrt_rtx.engines[0].file
    replace(package, files={file: sha256 for file, sha256 in package.files.items() if file != name}).write()
    with pytest.raises(InvalidArgumentError, match=f"no digest of {name}") as caught:
        EnginePackage.read(package.folder)
    assert caught.value.reason == "ENGINE_DAMAGED"


def test_what_the_run_time_does_not_take_is_refused() -> None:
    """By the real run time, which needs no GPU to refuse what is no engine."""
    with pytest.raises(InvalidArgumentError, match=r"does not take the engine of unet\.onnx") as caught:
        Loader().load("unet.onnx", bytes(100))
    assert caught.value.reason == "ENGINE_REFUSED"


def test_an_engine_is_of_its_graph_its_weights_and_its_shapes(package: EnginePackage) -> None:
    heavy = replace(package, files={**package.files, "unet.onnx.data": "00"})
    source = source_of(heavy, "unet.onnx")
    assert source_of(replace(heavy, files={**heavy.files, "unet.onnx.data": "01"}), "unet.onnx") != source
    assert source_of(replace(heavy, files={**heavy.files, "unet.onnx": "01"}), "unet.onnx") != source
    assert source_of(replace(heavy, max_rows=16), "unet.onnx") != source
    assert source_of(replace(heavy, files={**heavy.files, "vae_decoder.onnx": "01"}), "unet.onnx") == source


def test_a_graph_without_an_engine_is_refused(package: EnginePackage) -> None:
    assert package.tensorrt_rtx is not None
    assert refusal(edit_engines(package, engines=package.tensorrt_rtx.engines[:-1])).reason == "ENGINE_DAMAGED"


def test_an_engine_of_another_graph_or_for_other_shapes_is_refused(package: EnginePackage) -> None:
    """As one that was copied in from another package, digest and all."""
    error = refusal(replace_rows(package))
    assert error.reason == "ENGINE_OF_ANOTHER_PACKAGE"
    assert "export again" in error.message


def replace_rows(package: EnginePackage) -> EnginePackage:
    """The package with an ``engine.json`` that is for more rows than its engines."""
    path = package.folder / "engine.json"
    path.write_text(path.read_text().replace('"max_rows": 8', '"max_rows": 16'))
    return EnginePackage.read(package.folder)


def test_a_full_gpu_says_what_to_make_smaller(package: EnginePackage) -> None:
    with pytest.raises(ResourceExhaustedError, match="fewer --slots") as caught:
        start(package, memory_bytes=1 << 20)
    assert caught.value.reason == "GPU_MEMORY_FULL"


def test_a_gpu_without_room_for_the_work_says_what_to_make_smaller(
    package: EnginePackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeEngine, "create_execution_context", lambda self: None)
    with pytest.raises(ResourceExhaustedError, match=r"the work of unet\.onnx; .*--max-rows") as caught:
        start(package)
    assert caught.value.reason == "GPU_MEMORY_FULL"


def test_without_the_libraries_the_extra_is_named(package: EnginePackage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headshots.diffusion.tensorrt.rtx.targets._DISTRIBUTIONS", ("no-such-distribution",))
    error = refusal(package)
    assert error.reason == "PROVIDER_UNAVAILABLE"
    assert ".[tensorrt-rtx]" in error.message
    assert "NVIDIA's own licence" in error.message
    with pytest.raises(FailedPreconditionError) as caught:
        installed_version()
    assert caught.value.reason == "EXTRA_MISSING"


def test_without_a_driver_the_library_is_named(package: EnginePackage) -> None:
    """This holds wherever there is no GPU, as where the tests run."""
    with pytest.raises(InvalidArgumentError, match=r"libcuda\.so\.1") as caught:
        open_package(package, OnnxRuntimeOptions("tensorrt-rtx"))
    assert caught.value.reason == "PROVIDER_UNAVAILABLE"
    assert "install NVIDIA's driver" in caught.value.message
    assert "HEADSHOTS_GENERATOR_PROVIDER=cpu" in caught.value.message


def test_a_package_with_bad_engines_serves_on_its_other_provider_only_when_told_to(package: EnginePackage) -> None:
    bad = edit_engines(package, version="1.6.0.1")
    assert refusal(bad).reason == "ENGINE_VERSION"
    backend = open_package(bad, OnnxRuntimeOptions("cpu", threads=1))
    assert isinstance(backend, OnnxRuntimeBackend)
    plain = OnnxRuntimeBackend(tiny_package(), OnnxRuntimeOptions("cpu", threads=1))
    assert backend.device_memory_bytes() == plain.device_memory_bytes(), "engines are not loaded with the graphs"


def test_targets_are_known_ones_in_order_each_once() -> None:
    assert parse_targets("SM120, sm89,sm89") == ("sm89", "sm120")
    assert parse_targets("") == ()
    for given, says in (("sm90", "H100"), ("sm75", "T4"), ("89", "sm89"), ("sm89,ampere", "ampere")):
        with pytest.raises(InvalidArgumentError, match=says) as caught:
            parse_targets(given)
        assert caught.value.reason == "EXPORT_OPTIONS_INVALID"
    assert check_targets(["sm121", "sm80"]) == ("sm80", "sm121")


def test_each_target_that_is_refused_has_its_own_reason_beside_it() -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        parse_targets("sm90,sm99,sm75")
    refused = caught.value.message.partition("; use, separated by commas, ")[0]
    assert re.search(r"for sm75 \(on T4 .*\), sm90 \(H100 .*\), sm99$", refused)
