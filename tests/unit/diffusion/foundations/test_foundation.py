"""Describing and digesting a foundation's folder; folders that are none."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
import yaml

from headshots.diffusion.foundations.foundation import Foundation, foundation_digest
from headshots.diffusion.lora.layout import ATTENTION_LAYERS
from headshots.errors import InvalidArgumentError


def adapt(folder: Path, *layers: str) -> None:
    """Let the foundation's adapters change these."""
    (folder / "headshots.yaml").write_text(yaml.safe_dump({"adapted_layers": list(layers)}))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files that are read, without the weights' bulk."""
    files = {
        "model_index.json": {"_class_name": "StableDiffusionPipeline"},
        "unet/config.json": {"sample_size": 16},
        "vae/config.json": {"block_out_channels": [8, 8, 8, 8], "latent_channels": 12, "scaling_factor": 0.5},
        "scheduler/scheduler_config.json": {
            "_class_name": "DPMSolverMultistepScheduler",
            "prediction_type": "v_prediction",
        },
        "text_encoder/config.json": {},
    }
    root = tmp_path / "some-foundation"
    for name, value in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(json.dumps(value))
    for part in ("unet", "vae", "text_encoder"):
        (root / part / "model.safetensors").write_bytes(part.encode())
    return root


def test_a_bare_diffusers_folder_gets_sensible_defaults(folder: Path) -> None:
    found = Foundation.read(folder)
    assert (found.name, found.family) == ("some-foundation", "sd15")
    assert (found.native_width_px, found.native_height_px, found.vae_scale_factor) == (128, 128, 8)
    assert (found.latent_channels, found.scaling_factor) == (12, 0.5)
    assert (found.prediction_type, found.sampler) == ("v_prediction", "dpmpp_2m")
    assert (found.eta, found.guidance_interval) == (None, (0.0, 1.0))
    assert found.steps > 0
    assert "{subject}" in found.prompt_template
    assert (found.adapter_strength, found.negative_adapter_share) == (1.0, 1.0), "as in stock pipelines"
    assert found.initial_weights is None
    assert (found.head_height, found.eye_line) == (None, None), "photos are cut as large as they allow"


def test_headshots_yaml_overrides(folder: Path) -> None:
    (folder / "headshots.yaml").write_text(
        "width_px: 64\nsampler: euler\nsteps: 9\nguidance_scale: 2\ntrigger: zwx\nnegative_adapter_share: 0\n"
        "adapter_strength: 0.7\n"
        "class_nouns: [someone]\nhead_height: 0.8\neye_line: 0.4\ntraining: {rank: 6, steps: 50}\n"
    )
    found = Foundation.read(folder)
    assert (found.native_width_px, found.native_height_px, found.sampler, found.steps) == (64, 128, "euler", 9)
    assert (found.guidance_scale, found.trigger, found.class_nouns) == (2.0, "zwx", ("someone",))
    assert found.adapter_guidance_scale == 2.0, "as without an adapter, unless it is said"
    assert (found.adapter_strength, found.negative_adapter_share) == (0.7, 0.0)
    assert (found.head_height, found.eye_line) == (0.8, 0.4)
    assert found.training == {"rank": 6, "steps": 50}


def test_a_few_step_models_settings_go_before_its_schedulers(folder: Path) -> None:
    change(folder / "scheduler/scheduler_config.json", use_karras_sigmas=True, timestep_spacing="leading")
    (folder / "headshots.yaml").write_text(
        "sampler: euler\nspacing: trailing\nsteps: 4\nguidance_scale: 1\nguidance_interval: [0.2, 0.8]\n"
    )
    found = Foundation.read(folder)
    assert (found.sampler, found.scheduler["timestep_spacing"]) == ("euler", "trailing")
    assert "use_karras_sigmas" not in found.scheduler
    assert found.guidance_interval == (0.2, 0.8)
    (folder / "headshots.yaml").write_text("sampler: tcd\neta: 1\n")
    assert Foundation.read(folder).eta == 1.0


def test_a_scheduler_without_a_table_is_refused_until_a_sampler_is_named(folder: Path) -> None:
    config = folder / "scheduler/scheduler_config.json"
    for wrong, said in (
        ({"_class_name": "PNDMScheduler"}, "PNDMScheduler has no table"),
        ({"_class_name": "UniPCMultistepScheduler"}, "UniPCMultistepScheduler has no table"),
        ({"solver_order": 3}, "solver_order=3 has no table for the sampler dpmpp_2m"),
    ):
        whole = config.read_text()
        change(config, **wrong)
        with pytest.raises(InvalidArgumentError, match=said) as caught:
            Foundation.read(folder)
        assert caught.value.reason == "SCHEDULER_UNSUPPORTED"
        cure = "sampler in headshots.yaml" if "solver" in said else f"import {folder} --sampler dpmpp_2m --out FOLDER`"
        assert cure in str(caught.value)
        (folder / "headshots.yaml").write_text("sampler: euler\n")
        assert Foundation.read(folder).sampler == "euler"
        (folder / "headshots.yaml").unlink()
        config.write_text(whole)


def test_an_older_file_is_read_as_its_pipeline_reads_it(folder: Path) -> None:
    """diffusers' StableDiffusionPipeline corrects these two; StableDiffusionXLPipeline does not."""
    change(folder / "scheduler/scheduler_config.json", steps_offset=0, clip_sample=True)
    found = Foundation.read(folder).scheduler
    assert (found["steps_offset"], found["clip_sample"]) == (1, False)


def test_initial_weights_are_found_and_are_not_in_the_digest(folder: Path) -> None:
    before = foundation_digest(folder)
    (folder / "adapter_start.safetensors").write_bytes(b"start")
    assert Foundation.read(folder).initial_weights == folder / "adapter_start.safetensors"
    assert foundation_digest(folder) == before, "adapters of before stay valid"


def test_sdxl_is_recognised_by_its_added_conditions(folder: Path) -> None:
    assert not Foundation.read(folder).zero_empty_prompt
    (folder / "unet/config.json").write_text(json.dumps({"sample_size": 16, "addition_embed_type": "text_time"}))
    with pytest.raises(InvalidArgumentError, match="text_encoder_2"):
        Foundation.read(folder)
    (folder / "text_encoder_2").mkdir()
    (folder / "text_encoder_2/model.safetensors").write_bytes(b"2")
    found = Foundation.read(folder)
    assert (found.family, found.zero_empty_prompt) == ("sdxl", True)


def change(file: Path, **values: object) -> None:
    """Another value of each key, None: without it."""
    value = {**json.loads(file.read_text()), **values}
    file.write_text(json.dumps({key: each for key, each in value.items() if each is not None}))


def say(folder: Path, settings: str) -> None:
    (folder / "headshots.yaml").write_text(settings)


@pytest.mark.parametrize(
    ("damage", "reason", "said"),
    [
        (lambda f: (f / "model_index.json").unlink(), "FOUNDATION_NOT_FOUND", "save_pretrained"),
        (lambda f: (f / "unet/config.json").unlink(), "FOUNDATION_INVALID", "unet"),
        (lambda f: (f / "vae/config.json").write_text("{"), "FOUNDATION_INVALID", "not JSON"),
        (lambda f: (f / "vae/config.json").write_text("[]"), "FOUNDATION_INVALID", "not a JSON object"),
        (lambda f: (f / "unet/model.safetensors").rename(f / "unet/model.bin"), "FOUNDATION_INVALID", "pickled"),
        (lambda f: (f / "headshots.yaml").write_text("step: 3"), "FOUNDATION_SETTINGS_INVALID", "unknown step"),
        (lambda f: (f / "headshots.yaml").write_text("sampler: heun"), "FOUNDATION_SETTINGS_INVALID", "euler"),
        (lambda f: say(f, "spacing: even"), "FOUNDATION_SETTINGS_INVALID", "leading, trailing, linspace, karras are"),
        (
            lambda f: say(f, "prompt_template: 'a {subject} {foo}'"),
            "FOUNDATION_SETTINGS_INVALID",
            "template: .*{outfit}",
        ),
        (lambda f: say(f, "prompt_template: '{subject:d}'"), "FOUNDATION_SETTINGS_INVALID", "nothing else in braces"),
        (lambda f: say(f, "prompt_template: '{outfit}'"), "FOUNDATION_SETTINGS_INVALID", "must name {subject}"),
        (
            lambda f: say(f, "sampler: ddim\nspacing: karras"),
            "FOUNDATION_SETTINGS_INVALID",
            "the sampler ddim: leading",
        ),
        (lambda f: say(f, "sampler: lcm\nspacing: leading"), "FOUNDATION_SETTINGS_INVALID", "steps of its own"),
        (lambda f: say(f, "sampler: tcd\neta: 1.5"), "FOUNDATION_SETTINGS_INVALID", "eta is 1.5; 0 to 1"),
        (lambda f: say(f, "eta: 0.5"), "FOUNDATION_SETTINGS_INVALID", "nothing to the sampler dpmpp_2m; ddim, tcd"),
        (lambda f: say(f, "guidance_interval: [0.5]"), "FOUNDATION_SETTINGS_INVALID", "two numbers from 0 to 1"),
        (lambda f: say(f, "guidance_interval: [0.8, 0.2]"), "FOUNDATION_SETTINGS_INVALID", "the lower first"),
        (lambda f: say(f, "guidance_interval: [a, 1]"), "FOUNDATION_SETTINGS_INVALID", "two numbers"),
        (lambda f: change(f / "unet/config.json", time_cond_proj_dim=256), "FOUNDATION_INVALID", "time_cond_proj_dim"),
        (lambda f: (f / "headshots.yaml").write_text("a: [1"), "FOUNDATION_SETTINGS_INVALID", "not YAML"),
        (
            lambda f: (f / "headshots.yaml").write_text("negative_adapter_share: 1.5"),
            "FOUNDATION_SETTINGS_INVALID",
            "negative_adapter_share is 1.5; 0 to 1",
        ),
        (lambda f: (f / "headshots.yaml").write_text("steps: few"), "FOUNDATION_SETTINGS_INVALID", "int is needed"),
        (lambda f: (f / "headshots.yaml").write_text("class_nouns: man"), "FOUNDATION_SETTINGS_INVALID", "list is"),
        (lambda f: adapt(f, *ATTENTION_LAYERS, "conv1"), "FOUNDATION_SETTINGS_INVALID", "unknown conv1; name to_q"),
        (lambda f: adapt(f, "to_k", "to_v", "ff.net.2"), "FOUNDATION_SETTINGS_INVALID", "to_q, to_out.0 missing"),
        (lambda f: change(f / "vae/config.json", latent_channels=None), "FOUNDATION_INVALID", "lacks latent_channels"),
        (lambda f: change(f / "unet/config.json", sample_size=None), "FOUNDATION_INVALID", "lacks sample_size"),
        (
            lambda f: change(f / "unet/config.json", sample_size=[8, 8]),
            "FOUNDATION_INVALID",
            "a number from 1 to 1024 is needed",
        ),
        (lambda f: change(f / "unet/config.json", in_channels=9), "FOUNDATION_INVALID", "inpainting"),
        (lambda f: change(f / "unet/config.json", cross_attention_dim=[8, 9]), "FOUNDATION_INVALID", "one number"),
        (lambda f: change(f / "unet/config.json", class_embed_type="timestep"), "FOUNDATION_INVALID", "class_embed"),
        (lambda f: change(f / "unet/config.json", addition_embed_type="image"), "FOUNDATION_INVALID", "'image'"),
        (
            lambda f: (f / "scheduler/scheduler_config.json").write_text('{"prediction_type": "sample"}'),
            "FOUNDATION_INVALID",
            "v_prediction",
        ),
    ],
)
def test_what_is_wrong_is_named(folder: Path, damage: object, reason: str, said: str) -> None:
    damage(folder)  # type: ignore[operator]
    with pytest.raises(InvalidArgumentError, match=said) as caught:
        Foundation.read(folder)
    assert caught.value.reason == reason


def test_the_digest_is_the_documented_one(folder: Path) -> None:
    """Over the sorted (path, SHA-256) of weights and configs, written out here a second time."""
    total = hashlib.sha256()
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    for name in names:
        total.update(f"{name}\0{hashlib.sha256((folder / name).read_bytes()).hexdigest()}\n".encode())
    assert foundation_digest(folder) == total.hexdigest()


def test_the_digest_depends_on_weights_and_not_on_documents(folder: Path, tmp_path: Path) -> None:
    before = foundation_digest(folder)
    for name in ("README.md", "scores.json", "headshots.yaml"):
        (folder / name).write_text("{}")
    assert foundation_digest(folder) == before
    shutil.copytree(folder, tmp_path / "renamed")
    assert foundation_digest(tmp_path / "renamed") == before
    (folder / "unet/model.safetensors").write_bytes(b"UNET")
    assert foundation_digest(folder) != before


def test_adapters_change_attention_and_what_the_settings_add(folder: Path) -> None:
    assert Foundation.read(folder).adapted_layers == ATTENTION_LAYERS
    adapt(folder, "conv_shortcut", "ff.net.2", *ATTENTION_LAYERS)
    assert Foundation.read(folder).adapted_layers == (*ATTENTION_LAYERS, "ff.net.2", "conv_shortcut")
