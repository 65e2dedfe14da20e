"""The engine package: what it says, that it is made once, and that what is no package is refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import pytest

from headshots.diffusion.backends import OnnxRuntimeBackend, OnnxRuntimeOptions
from headshots.diffusion.export import ensure
from headshots.diffusion.export.ensure import ExportOptions, ensure_package, ensure_package_in_child, package_key
from headshots.diffusion.export.exporter import _AS_THE_FOUNDATION
from headshots.diffusion.foundations.foundation import Foundation
from headshots.diffusion.package import MANIFEST, EnginePackage
from headshots.errors import InvalidArgumentError
from tests.support.foundations.engines import OPTIONS, engines, tiny_digest, tiny_foundation, tiny_package
from tests.support.trainer.foundation import described_foundation


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
        ("context", "float32", ("rows", package.window_tokens, 32)),
        ("slot", "int64", ("rows",)),
        ("strength", "float32", ("rows",)),
        ("bank", "float32", (4, package.layout.row_size)),
    ]
    assert [port.shape for port in unet.outputs] == [("rows", 4, "cells_high", "cells_wide")]
    assert package.graphs["text_encoder.onnx"].outputs[0].shape == ("rows", package.window_tokens, 32)
    assert package.graphs["vae_encoder.onnx"].outputs[0].shape == ("rows", 4, "cells_high", "cells_wide")
    graphs = {"unet.onnx", "vae_decoder.onnx", "vae_encoder.onnx", "text_encoder.onnx"}
    # For CPUs alone: no other backend is told of them.
    assert package.native_graphs == ("unet_context.onnx", "unet_step.onnx")
    assert set(package.graphs) == graphs
    assert set(package.files) == {*graphs, *package.native_graphs, "tokenizer.json"}


def test_a_package_repeats_all_that_it_shares_with_its_foundation() -> None:
    facts = {field.name for field in fields(Foundation)} & {field.name for field in fields(EnginePackage)}
    # Sizes may be asked for otherwise at the export.
    assert facts - {"native_width_px", "native_height_px"} == set(_AS_THE_FOUNDATION)


def test_a_second_call_finds_the_package_and_does_not_export(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tiny_package().folder

    def fail(*_: object) -> None:
        raise AssertionError("exported again")

    monkeypatch.setattr(ensure, "write_package", fail)
    assert ensure_package(tiny_foundation(), engines(), OPTIONS) == folder
    assert ensure_package_in_child(tiny_foundation(), engines(), OPTIONS) == folder


def test_an_edited_headshots_yaml_asks_for_another_package_and_its_recipe_does_not() -> None:
    """A package repeats the foundation's defaults: it must not outlive them."""
    foundation = Foundation.read(tiny_foundation())
    key = package_key(foundation, tiny_digest(), OPTIONS)
    assert package_key(replace(foundation, training={"steps": 9}), tiny_digest(), OPTIONS) == key
    assert package_key(replace(foundation, path=Path("/elsewhere")), tiny_digest(), OPTIONS) == key
    started = replace(foundation, initial_weights=Path("/elsewhere"), initial_weights_sha256="ab")
    assert package_key(started, tiny_digest(), OPTIONS) == key
    for edited in (
        replace(foundation, guidance_scale=9.0),
        replace(foundation, adapter_strength=0.75),
        replace(foundation, negative_adapter_share=0.5),
        replace(foundation, trigger="other"),
        replace(foundation, head_height=0.78),
    ):
        assert package_key(edited, tiny_digest(), OPTIONS) != key
    assert package_key(replace(foundation, eye_line=0.4), tiny_digest(), OPTIONS) == key, "as older packages have it"
    told = (replace(foundation, head_height=0.78, eye_line=eyes) for eyes in (None, 0.39, 0.4))
    assert len({package_key(each, tiny_digest(), OPTIONS) for each in told}) == 3


def test_packages_from_before_adapters_had_a_strength_need_not_be_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    foundation, digest, told = Foundation.read(tiny_foundation()), tiny_digest(), list[Any]()
    plain = json.dumps
    monkeypatch.setattr(ensure.json, "dumps", lambda value, **more: told.append(value) or plain(value, **more))
    for strength in (1.0, 0.75):
        package_key(replace(foundation, adapter_strength=strength), digest, OPTIONS)
    assert ["adapter_strength" in described for _, described, *_ in told] == [False, True]


def test_a_package_tells_how_heads_stand_where_its_foundation_does(tmp_path: Path) -> None:
    assert {"head_height", "eye_line"} <= set(_AS_THE_FOUNDATION)
    package = tiny_package()
    untold = json.loads((package.folder / MANIFEST).read_text())
    assert not {"head_height", "eye_line"} & untold.keys(), "as in packages that are older than both"
    shutil.copytree(package.folder, tmp_path / "copy")
    replace(package, folder=tmp_path / "copy", head_height=0.78, eye_line=0.39).write()
    read = EnginePackage.read(tmp_path / "copy")
    assert (read.head_height, read.eye_line) == (0.78, 0.39)


def test_a_package_tells_how_strongly_adapters_show_where_it_is_not_wholly(tmp_path: Path) -> None:
    assert "adapter_strength" in _AS_THE_FOUNDATION
    package = tiny_package()
    assert package.adapter_strength == 1
    assert "adapter_strength" not in json.loads((package.folder / MANIFEST).read_text()), "as in older packages"
    shutil.copytree(package.folder, tmp_path / "copy")
    replace(package, folder=tmp_path / "copy", adapter_strength=0.75).write()
    assert EnginePackage.read(tmp_path / "copy").adapter_strength == 0.75


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
    ("wrong", "told"),
    [
        ({"training": {"rank": "many"}}, "training.rank is 'many'; a number is needed"),
        ({"native_width_px": 63}, "63x64 pixels; multiples of 16 are needed"),
    ],
)
def test_settings_that_no_package_can_have_are_refused(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidArgumentError, match=told) as caught:
        ExportOptions().resolved(replace(Foundation.read(tiny_foundation()), **wrong))
    assert caught.value.reason == "FOUNDATION_SETTINGS_INVALID"


def test_a_unet_whose_halvings_are_not_known_is_refused(tmp_path: Path) -> None:
    foundation = described_foundation(tmp_path)
    with pytest.raises(InvalidArgumentError, match=r"unet/config.json: it lacks block_out_channels"):
        ExportOptions().resolved(foundation)


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        ("{", "ENGINE_DAMAGED"),
        ("[]", "ENGINE_DAMAGED"),
        ('{"format": 0, "files": {}}', "ENGINE_FORMAT"),
        ('{"format": 5, "files": {"unet.onnx": "ab"}}', "ENGINE_DAMAGED"),
        ('{"format": 5, "files": {}, "layout": {}}', "ENGINE_DAMAGED"),
    ],
)
def test_a_folder_that_is_no_package_is_refused(tmp_path: Path, manifest: str, reason: str) -> None:
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
