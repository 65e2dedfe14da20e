"""The real builder, without a GPU: what it cannot build is told by name, and nothing is left half."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import sys
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper
from typer.testing import CliRunner

from headshots.cli.app import app
from headshots.diffusion.backends import OnnxRuntimeBackend, OnnxRuntimeOptions
from headshots.diffusion.child_errors import error_line, error_of
from headshots.diffusion.export.ensure import export_to, export_to_in_child, package_key
from headshots.diffusion.foundations.foundation import Foundation
from headshots.diffusion.package import EnginePackage
from headshots.diffusion.tensorrt.rtx import builder
from headshots.diffusion.tensorrt.rtx.building import Built, build_engines, source_of
from headshots.diffusion.tensorrt.rtx.targets import installed_version
from headshots.errors import HeadshotsError, InvalidArgumentError, ResourceExhaustedError, UnavailableError
from tests.support.foundations.engines import OPTIONS, tiny_digest, tiny_foundation, tiny_package

TARGETS = ("sm89", "sm120")
ENOUGH = 2_000_000_000


def copy_of(package: EnginePackage, folder: Path) -> EnginePackage:
    shutil.copytree(package.folder, folder)
    return EnginePackage.read(folder)


def export(out: Path, *arguments: str) -> tuple[int, str]:
    given = ["--max-rank", str(OPTIONS.max_rank), "--slots", str(OPTIONS.slots), "--max-rows", str(OPTIONS.max_rows)]
    given += ["--foundation", str(tiny_foundation()), "--out", str(out)]
    result = CliRunner().invoke(app, ["export", *given, *arguments])
    return result.exit_code, result.stdout + result.stderr


def test_the_command_makes_engines_part_of_the_package(tmp_path: Path) -> None:
    folder = tmp_path / "package"
    code, said = export(folder, "--tensorrt-rtx", ",".join(TARGETS))
    assert (code, str(folder) in said) == (0, True), said
    assert "building engines for sm89, sm120" in said, "it is told what takes the time, also without a terminal"
    package = EnginePackage.read(folder)
    engines = package.tensorrt_rtx
    assert engines is not None
    assert (engines.version, engines.targets) == (installed_version(), TARGETS)
    assert {engine.graph for engine in engines.engines} == set(package.graphs)
    for engine in engines.engines:
        data = (folder / engine.file).read_bytes()
        assert len(data) > 1_000_000
        assert hashlib.sha256(data).hexdigest() == package.files[engine.file]
        assert engine.source == source_of(package, engine.graph)
    built = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert export(folder, "--tensorrt-rtx", "sm120,sm89")[0] == 0
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == built, "it was there already"
    assert OnnxRuntimeBackend(package, OnnxRuntimeOptions(threads=1)).encode_text("a portrait").context_TD.any()


def test_packages_without_engines_stay_the_same_and_those_with_belong_to_a_version(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    foundation, digest = Foundation.read(tiny_foundation()), tiny_digest()
    asked = replace(OPTIONS, tensorrt_rtx=("sm89",))
    assert "tensorrt_rtx" not in json.loads((tiny_package().folder / "engine.json").read_text())
    plain = package_key(foundation, digest, OPTIONS)
    assert package_key(foundation, digest, replace(OPTIONS, build_memory_gb=99.0)) == plain
    key = package_key(foundation, digest, asked)
    assert len({plain, key, package_key(foundation, digest, replace(OPTIONS, tensorrt_rtx=TARGETS))}) == 3
    monkeypatch.setattr("headshots.diffusion.export.ensure.installed_version", lambda: "1.6.0.1")
    assert package_key(foundation, digest, asked) != key
    assert package_key(foundation, digest, OPTIONS) == plain


def test_a_node_that_the_parser_does_not_know_is_named(tmp_path: Path) -> None:
    package = copy_of(tiny_package(), tmp_path / "package")
    values = {
        name: helper.make_tensor_value_info(name, TensorProto.INT64, ["rows", 128]) for name in ("ids", "context")
    }
    nodes = [
        helper.make_node("Identity", ["ids"], ["same"], name="/first"),
        helper.make_node("Unique", ["same"], ["context"], name="/encoder/mid/Unique"),
    ]
    graph = helper.make_graph(nodes, "g", [values["ids"]], [values["context"]])
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), package.folder / "text_encoder.onnx"
    )
    with pytest.raises(InvalidArgumentError, match=r"text_encoder\.onnx: .* Unique /encoder/mid/Unique") as caught:
        build_engines(package, TARGETS, ENOUGH)
    assert caught.value.reason == "ENGINE_NODE_UNSUPPORTED"
    assert not list(package.folder.glob("*.engine"))


def test_too_little_memory_ends_the_build_and_leaves_the_package_that_was_there(tmp_path: Path) -> None:
    folder = copy_of(tiny_package(), tmp_path / "package").folder
    before = EnginePackage.read(folder)
    asked = replace(OPTIONS, tensorrt_rtx=("sm89",), build_memory_gb=0.05)
    with pytest.raises(ResourceExhaustedError, match=r"more than 0.05 GB; .*--build-memory-gb") as caught:
        export_to(tiny_foundation(), folder, asked)
    assert caught.value.reason == "ENGINE_BUILD_MEMORY"
    assert EnginePackage.read(folder) == before
    assert not list(tmp_path.glob(".*partial*"))


def test_an_export_in_a_child_raises_what_the_child_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child = tmp_path / "python"
    line = error_line(ResourceExhaustedError("ENGINE_NO_ROOM", "full"))
    child.write_text(f"#!/bin/sh\nprintf '%s\\n' '{line}'; exit 1\n")
    child.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(child))
    with pytest.raises(ResourceExhaustedError) as caught:
        export_to_in_child(tiny_foundation(), tmp_path / "package", OPTIONS)
    assert (caught.value.reason, caught.value.message) == ("ENGINE_NO_ROOM", "full")


def test_no_room_for_an_engine_says_how_much_it_takes() -> None:
    with pytest.raises(ResourceExhaustedError, match="full takes 3 MB and there is no room") as caught:
        builder.write_engine(Path("/dev/full"), memoryview(bytes(3_000_000)))
    assert caught.value.reason == "ENGINE_NO_ROOM"


@pytest.mark.parametrize("number", [errno.EDQUOT, errno.EFBIG])
def test_a_quota_and_a_limit_of_file_sizes_are_no_room_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    failing(monkeypatch, number)
    with pytest.raises(ResourceExhaustedError) as caught:
        builder.write_engine(tmp_path / "engine", memoryview(b"x"))
    assert caught.value.reason == "ENGINE_NO_ROOM"


def test_a_broken_disk_is_not_called_a_full_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, errno.EIO)
    with pytest.raises(OSError, match="Input/output error"):
        builder.write_engine(tmp_path / "engine", memoryview(b"x"))


def failing(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Writes fail with this error of the system."""

    def fsync(file: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fsync)


def test_a_builder_that_crashes_is_an_error_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = tmp_path / "python"
    child.write_text("#!/bin/sh\necho no luck; kill -SEGV $$\n")
    child.chmod(0o700)
    package = copy_of(tiny_package(), tmp_path / "package")
    monkeypatch.setattr(sys, "executable", str(child))
    with pytest.raises(UnavailableError, match=r"text_encoder\.onnx ended with status -11: no luck") as caught:
        build_engines(package, TARGETS, ENOUGH)
    assert caught.value.reason == "ENGINE_BUILD_FAILED"


def test_a_builder_that_ends_early_is_an_error_that_names_the_graph_it_was_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever its status: a library may end the process by itself."""
    built = json.dumps(asdict(Built("text_encoder.engine", 1, 1.0, 1)))
    child = tmp_path / "python"
    child.write_text(f"#!/bin/sh\nprintf 'built\\t%s\\n' '{built}'; exit 0\n")
    child.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(child))
    with pytest.raises(UnavailableError, match=r"engine of unet\.onnx ended with status 0") as caught:
        build_engines(tiny_package(), TARGETS, ENOUGH)
    assert caught.value.reason == "ENGINE_BUILD_FAILED"


def test_a_type_that_the_parser_changes_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As weak typing or an inserted conversion would show: here a parser that reports every fp32 value as fp16."""
    real = builder.trt.OnnxParser

    def changing(network: Any, log: Any) -> Any:
        parser = real(network, log)

        def tensor(name: str, number: int) -> Any:
            found = parser.get_layer_output_tensor(name, number)
            halved = found is not None and found.dtype.name == "FLOAT"
            return SimpleNamespace(dtype=SimpleNamespace(name="HALF")) if halved else found

        return SimpleNamespace(parse_from_file=parser.parse_from_file, get_layer_output_tensor=tensor)

    monkeypatch.setattr(builder.trt, "OnnxParser", changing)
    job = builder.Job(tiny_package().folder / "text_encoder.onnx", tmp_path / "engine", TARGETS, {})
    with pytest.raises(InvalidArgumentError, match="FP32 became FP16") as caught:
        builder.build(job)
    assert caught.value.reason == "ENGINE_PRECISION"


def test_shapes_that_do_not_fit_the_graph_are_an_error_of_the_builder(tmp_path: Path) -> None:
    job = builder.Job(tiny_package().folder / "text_encoder.onnx", tmp_path / "engine", TARGETS, {})
    with pytest.raises(UnavailableError, match=r"text_encoder\.onnx could not be built for .*ids") as caught:
        builder.build(job)
    assert caught.value.reason == "ENGINE_BUILD_FAILED"


@pytest.mark.parametrize("cls", [InvalidArgumentError, ResourceExhaustedError, UnavailableError])
def test_errors_keep_their_class_on_the_way_out_of_a_process(cls: type[HeadshotsError]) -> None:
    found = error_of(error_line(cls("ENGINE_X", "two\nlines: ä")) + "\n")
    assert type(found) is cls
    assert (found.reason, found.message) == ("ENGINE_X", "two\nlines: ä")
    assert error_of("progress\t0.5\ttracing") is None
