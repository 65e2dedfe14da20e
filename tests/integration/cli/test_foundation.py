"""`headshots foundation import`, as an operator types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from headshots.cli.app import app
from headshots.cli.commands.demo import found_as
from headshots.cli.foundations import fusion_of
from headshots.console.exits import ExitCode
from headshots.diffusion.foundations.foundation import Foundation, foundation_digest
from tests.support.foundations.layouts import found
from tests.support.foundations.loras import layers_of, random_lora, write_kohya
from tests.support.foundations.single_files import write_single


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["foundation", *map(str, words)])


def test_import_prints_the_folder_says_what_was_taken_and_does_nothing_twice(tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = run("import", found("sd15", "fp16"), "--out", out)
    assert first.exit_code == ExitCode.OK, first.output
    assert first.stdout.split() == [str(out)]
    assert "unet: the variant fp16 was taken" in first.stderr
    assert "importing: 100 %" in first.stderr
    again = run("import", found("sd15", "fp16"), "--out", out)
    assert again.stderr.endswith("it was imported already\n")
    told = run("import", found("sd15", "fp16"), "--out", out, "--json")
    assert json.loads(told.stdout) == {"foundation": str(out), "imported": False, "notes": []}


def test_what_cannot_be_imported_ends_with_4_and_the_cure(tmp_path: Path) -> None:
    (tmp_path / "model.ckpt").write_bytes(b"\x80\x02.")
    refused = run("import", tmp_path / "model.ckpt", "--out", tmp_path / "out")
    assert refused.exit_code == ExitCode.REFUSED
    assert "FOUNDATION_PICKLED" in refused.stderr
    assert "model.ckpt can run code" in refused.stderr


def test_a_single_file_asks_the_package_index_for_clips_vocabulary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    source = write_single(tmp_path / "model.safetensors", "sdxl", "v_pred")
    options = ["--prediction", "v_prediction", "--no-zero-terminal-snr", "--native-size", 64]
    missing = run("import", source, "--out", tmp_path / "out", "--find-links", tmp_path, *options)
    assert missing.exit_code == ExitCode.REFUSED
    assert "PACKAGE_MISSING: open-clip-torch 3.3.0" in missing.stderr
    assert "--find-links" in missing.stderr
    assert [path.name for path in tmp_path.iterdir() if path.is_dir() and any(path.iterdir())] == []


@pytest.fixture
def lora(tmp_path: Path) -> Path:
    layers = layers_of(found("sdxl", "fp32"), "unet", "to_q")
    loras = {module: random_lora(shape, 2, 1.0, 0) for module, shape in layers.items()}
    return write_kohya(tmp_path / "sdxl_lightning_4step_lora.safetensors", {"lora_unet_": loras})


def test_a_lora_is_fused_and_what_it_wants_is_told(tmp_path: Path, lora: Path) -> None:
    out, words = tmp_path / "out", ("import", found("sdxl", "fp32"), "--fuse", f"{lora}@0.9", "--out")
    unclear = run(*words, out)
    assert unclear.exit_code == ExitCode.REFUSED
    assert "Its name looks like lightning-4" in unclear.stderr
    assert "--few-steps" in unclear.stderr
    done = run(*words, out, "--few-steps", "lightning-4")
    assert done.exit_code == ExitCode.OK, done.output
    assert done.stdout.split() == [str(out)]
    assert "fused sdxl_lightning_4step_lora.safetensors with a strength of 0.9" in done.stderr
    assert "sampled as lightning-4 wants: sampler euler, spacing trailing, steps 4" in done.stderr
    made = Foundation.read(out)
    assert (made.sampler, made.scheduler["timestep_spacing"], made.steps) == ("euler", "trailing", 4)
    assert (made.guidance_scale, made.adapter_guidance_scale) == (1.0, 1.0)
    both = run(*words, tmp_path / "other", "--few-steps", "lightning-4", "--sampler", "ddim")
    assert both.exit_code == ExitCode.REFUSED
    assert "to be sampled as lightning-4 wants; leave the sampler out" in both.stderr


def test_what_the_variables_name_is_fused_by_export_and_demo(
    tmp_path: Path, lora: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADSHOTS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HEADSHOTS_FUSE", f" {lora}@0.5, ")
    monkeypatch.setenv("HEADSHOTS_FEW_STEPS", "dmd2-4")
    source = found("sdxl", "fp32")
    # Told after the foundation is found, and before it is exported.
    words = ["export", "--foundation", source, "--size", "63x64", "--out", tmp_path / "engine"]
    refused = CliRunner().invoke(app, [*map(str, words)])
    assert "EXPORT_OPTIONS_INVALID" in refused.stderr
    (folder,) = (path for path in (tmp_path / "home" / "foundations").iterdir() if path.is_dir())
    assert folder.name.startswith(f"{source.name}-dmd2-4-")
    made = Foundation.read(folder)
    assert (made.sampler, made.scheduler["original_inference_steps"], made.steps) == ("lcm", 4, 4)
    assert found_as(source, fusion_of(None, "")) == folder, "the same one"
    assert found_as(None, None) is None
    other = found_as(source, fusion_of([str(lora)], "none"))
    assert other is not None
    assert foundation_digest(other) not in {foundation_digest(folder), foundation_digest(source)}
