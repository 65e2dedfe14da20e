"""A check tells that engine and stock diffusers paint alike, and which stage differs where they do not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner, Result

from headshots.cli.app import app
from headshots.cli.check_printing import print_report
from headshots.console.exits import ExitCode
from headshots.diffusion.checking import engine, stock
from headshots.diffusion.checking.check import Comparison, Report, check_foundation, compare, psnr_db, ratio_db
from headshots.diffusion.checking.painting import SideFacts, Task
from headshots.errors import InvalidArgumentError
from tests.support.foundations.engines import tiny_foundation, tiny_package, tiny_sdxl, tiny_sdxl_package

# diffusers hands torch tensors to numpy in a way that numpy 2 deprecates; not ours to mend.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def task(foundation: Path, package: Path, work: Path, steps: int = 3) -> Task:
    return Task(str(foundation), str(package), "cpu", 0, steps, str(work))


def checked(wanted: Task) -> Report:
    """Both sides in this process."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        painted = engine.run(wanted)
        return compare(wanted, stock.run(wanted), painted, 60.0)
    finally:
        torch.set_num_threads(threads)


def changed(tmp_path: Path, part: str, key: str) -> Path:
    """The tiny foundation after an export, with one tensor of a part doubled."""
    folder = shutil.copytree(tiny_foundation(), tmp_path / "changed")
    (file,) = (folder / part).glob("*.safetensors")
    tensors = load_file(file)
    save_file(tensors | {key: tensors[key] * 2}, file, metadata={"format": "pt"})
    return folder


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["foundation", "check", *map(str, words)])


def test_sdxl_is_painted_alike_with_and_without_an_adapter(tmp_path: Path) -> None:
    report = checked(task(tiny_sdxl(), tiny_sdxl_package().folder, tmp_path))
    assert report.passed
    assert [image.adapter for image in report.images] == ["bare", "adapter"]
    assert all(image.psnr_db >= 60 for image in report.images)
    assert report.adapter_shows_db < 50, "the adapter shows"
    assert report.engine.name == "onnxruntime:CPUExecutionProvider"
    assert set(report.engine.nodes) == {"CPUExecutionProvider"}
    assert report.engine.nodes["CPUExecutionProvider"] > 100
    assert min(report.engine.peak_bytes, report.stock.peak_bytes, report.engine.device_bytes) > 1_000_000


@pytest.mark.parametrize(
    "settings",
    [{"sampler": "euler_ancestral"}, {"guidance_interval": [0.3, 1.0]}],
    ids=["noise at the steps", "guidance at one of two steps"],
)
def test_both_sides_take_the_foundations_noise_and_interval(tmp_path: Path, settings: dict[str, Any]) -> None:
    folder = shutil.copytree(tiny_foundation(), tmp_path / "foundation")
    told = yaml.safe_load((folder / "headshots.yaml").read_text())
    (folder / "headshots.yaml").write_text(yaml.safe_dump(told | settings))
    # What an export of this folder would make: the same graphs, other settings.
    package = shutil.copytree(tiny_package().folder, tmp_path / "package")
    (package / "engine.json").write_text(json.dumps(json.loads((package / "engine.json").read_text()) | settings))
    report = checked(task(folder, package, tmp_path, steps=2))
    assert report.passed, [image.stages_db for image in report.images]


@pytest.mark.parametrize(
    ("part", "key", "stage"),
    [
        ("text_encoder", "final_layer_norm.weight", "text encoders"),
        ("unet", "conv_out.weight", "UNet, first step"),
        ("vae", "decoder.conv_out.weight", "VAE decoder"),
    ],
)
def test_the_stage_that_differs_is_named(tmp_path: Path, part: str, key: str, stage: str) -> None:
    report = checked(task(changed(tmp_path, part, key), tiny_package().folder, tmp_path, steps=2))
    assert not report.passed
    assert [image.differing(60.0) for image in report.images] == [stage, stage]


def test_a_sampler_that_differs_is_named(tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_foundation(), tmp_path / "changed")
    config = json.loads((folder / "scheduler/scheduler_config.json").read_text())
    (folder / "scheduler/scheduler_config.json").write_text(json.dumps(config | {"beta_end": 0.02}))
    report = checked(task(folder, tiny_package().folder, tmp_path, steps=2))
    assert report.images[0].differing(60.0) == "UNet and sampler, all steps"


def test_the_command_prints_what_was_found_and_ends_with_1_below_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each side in a process of its own, as an operator has it."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    done = run(tiny_foundation(), "--package", tiny_package().folder, "--steps", 2, "--at-least", 500)
    assert done.exit_code == ExitCode.FAILED
    assert "random adapter" in done.stdout
    assert "text encoders" in done.stdout
    assert "nodes by CPUExecutionProvider" in done.stdout
    assert "not every stage reaches 500 dB" in done.stderr


def test_json_has_no_infinity(capsys: pytest.CaptureFixture[str]) -> None:
    facts = SideFacts("x", (1.0, 1.0), 1, 1, {"CPUExecutionProvider": 9})
    equal = replace(comparison(lambda stages: stages.update({"VAE decoder": float("inf")})), psnr_db=float("inf"))
    print_report(Report((equal,), facts, facts, 60.0, 10.0), as_json=True)
    told = json.loads(capsys.readouterr().out, parse_constant=lambda text: pytest.fail(text))
    assert (told["passed"], told["images"][0]["psnr_db"], told["images"][0]["differs"]) == (True, None, None)
    assert told["engine"]["nodes"] == {"CPUExecutionProvider": 9}


def test_a_package_of_another_foundation_is_refused(tmp_path: Path) -> None:
    done = run(tiny_sdxl(), "--package", tiny_package().folder)
    assert done.exit_code == ExitCode.REFUSED
    assert "CHECK_OTHER_FOUNDATION" in done.stderr


def test_an_error_of_a_side_is_told_as_it_was_raised() -> None:
    wanted = replace(task(tiny_foundation(), tiny_package().folder, Path()), provider="tpu")
    with pytest.raises(InvalidArgumentError, match="'tpu'") as caught:
        check_foundation(wanted, 60.0, lambda line: None)
    assert caught.value.reason == "PROVIDER_UNKNOWN"


def comparison(spoil: Callable[[dict[str, float]], object]) -> Comparison:
    stages = {
        "text encoders": 90.0, "UNet, first step": 90.0, "UNet and sampler, all steps": 90.0, "VAE decoder": 90.0,
    }  # fmt: skip
    spoil(stages)
    return Comparison("bare", 90.0, stages, 1.0, 1.0)


def test_what_is_no_number_never_passes() -> None:
    nothing = np.full((4, 4), np.nan, np.float32)
    assert ratio_db(np.ones((4, 4), np.float32), nothing) == float("-inf")
    assert ratio_db(nothing, np.ones((4, 4), np.float32)) == float("-inf")
    broken = comparison(lambda stages: stages.update({"VAE decoder": float("nan")}))
    assert broken.differing(60.0) == "VAE decoder"
    assert comparison(lambda stages: None).differing(60.0) is None
    dark = replace(comparison(lambda stages: None), psnr_db=20.0)
    assert dark.differing(60.0) == "image"
    facts = SideFacts("x", (1.0, 1.0), 1, 1, {})
    assert not Report((dark,), facts, facts, 60.0, 10.0).passed


def test_ratios_are_in_decibels() -> None:
    signal = np.full(1000, 10.0, np.float32)
    assert ratio_db(signal, signal + 1) == pytest.approx(20.0, abs=0.01)
    one = np.zeros((8, 8, 3), np.uint8)
    assert psnr_db(one, one) == float("inf")
    assert psnr_db(one, one + np.uint8(1)) == pytest.approx(48.13, abs=0.01)
