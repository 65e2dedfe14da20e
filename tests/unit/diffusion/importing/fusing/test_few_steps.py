"""Which kind of few-step LoRA a file is, and what it is sampled with."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from headshots.diffusion.foundations.samplers import read_sampling
from headshots.diffusion.importing.fusing.few_steps import KINDS, few_step_settings, few_steps_text
from headshots.diffusion.importing.fusing.request import read_fusion
from headshots.diffusion.importing.single_file.shapes import family_config
from headshots.diffusion.sampling.schedule import make_schedule
from headshots.errors import InvalidArgumentError
from tests.support.foundations.loras import random_lora, write_kohya


def a_file(path: Path, **metadata: str) -> str:
    return str(write_kohya(path, {"lora_unet_": {"conv_in": random_lora((32, 4, 3, 3), 2, 1.0, 0)}}, **metadata))


@pytest.mark.parametrize(
    ("metadata", "kind"),
    [
        ({"modelspec.title": "SDXL-Lightning 4-step LoRA"}, "lightning-4"),
        ({"ss_output_name": "Hyper-SDXL-8steps-lora"}, "hyper-8"),
        ({"ss_output_name": "Hyper_SD15_8steps_CFG_lora"}, "hyper-8-cfg"),
        ({"modelspec.title": "dmd2_sdxl_4step_lora"}, "dmd2-4"),
        ({"modelspec.title": "LCM LoRA", "modelspec.usage_hint": "4 steps"}, "lcm-4"),
    ],
)
def test_metadata_tell_the_kind(tmp_path: Path, metadata: dict[str, str], kind: str) -> None:
    fusion = read_fusion([a_file(tmp_path / "lora.safetensors", **metadata)], "")
    assert fusion is not None
    assert fusion.few_steps == kind


@pytest.mark.parametrize(
    "title", ["", "a style", "Lightning", "lightning 5 steps", "LCM and Lightning in 4 steps", "a film in 4 steps"]
)
def test_where_nothing_tells_the_choices_are_named(tmp_path: Path, title: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        read_fusion([a_file(tmp_path / "lora.safetensors", **{"modelspec.title": title})], "")
    assert caught.value.reason == "FUSE_STEPS_UNKNOWN"
    assert "--few-steps" in caught.value.message
    assert "looks like" not in caught.value.message
    for kind in (*KINDS, "none"):
        assert kind in caught.value.message


def test_a_name_is_a_hint_and_no_answer(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="Its name looks like lightning-4"):
        read_fusion([a_file(tmp_path / "sdxl_lightning_4step_lora.safetensors")], "")
    with pytest.raises(InvalidArgumentError, match="'lightning-5' is no kind"):
        read_fusion([a_file(tmp_path / "lora.safetensors")], "lightning-5")
    with pytest.raises(InvalidArgumentError, match="none is fused; name it with --fuse"):
        read_fusion([], "lightning-4")
    assert read_fusion([], "") is None


def test_what_was_said_goes_before_metadata(tmp_path: Path) -> None:
    path = a_file(tmp_path / "lora.safetensors", **{"modelspec.title": "Lightning 4 steps"})
    fusion = read_fusion([path], "lightning-8")
    assert fusion is not None
    assert fusion.few_steps == "lightning-8"


def test_a_kind_of_one_family_is_refused_for_the_other() -> None:
    with pytest.raises(InvalidArgumentError, match="lightning-4 is published for sdxl alone") as caught:
        few_step_settings("lightning-4", "sd15")
    assert caught.value.reason == "FUSE_OTHER_FAMILY"
    assert few_step_settings("none", "sd15") == {}


def test_only_sampling_is_changed_in_an_operators_settings() -> None:
    text = "sampler: dpmpp_2m\nspacing: karras\nguidance_interval: [0.2, 0.8]\nsteps: 30\ntrigger: zxc\nwidth_px: 832\n"
    made = few_steps_text(text, "lcm-4", "sdxl")
    assert yaml.safe_load(made) == {
        "sampler": "lcm",
        "steps": 4,
        "guidance_scale": 1.0,
        "adapter_guidance_scale": 1.0,
        "trigger": "zxc",
        "width_px": 832,
    }
    assert "lcm-4 wants (https://huggingface.co/latent-consistency/" in made


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_its_steps_and_a_source(kind: str) -> None:
    wanted = KINDS[kind]
    assert wanted.settings["steps"] == int(kind.split("-")[1])
    assert wanted.source.startswith("https://")
    assert {"sampler", "guidance_scale", "adapter_guidance_scale"} <= set(wanted.settings)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_every_kind_has_tables(kind: str, family: str) -> None:
    """With the scheduler that a foundation of the family mostly comes with."""
    if family not in KINDS[kind].families:
        return
    scheduler = family_config(family, "scheduler")
    read = read_sampling(Path("model"), family, few_step_settings(kind, family), scheduler)
    table = make_schedule(read["scheduler"], read["sampler"], KINDS[kind].settings["steps"], eta=read["eta"])
    assert len(table.timestep) == KINDS[kind].settings["steps"]
    assert table.timestep[0] == 999, "they begin with noise alone"


@pytest.mark.parametrize("kind", ["lightning-4", "dmd2-4"])
def test_the_timesteps_that_makers_publish(kind: str) -> None:
    read = read_sampling(Path("model"), "sdxl", few_step_settings(kind, "sdxl"), family_config("sdxl", "scheduler"))
    table = make_schedule(read["scheduler"], read["sampler"], 4)
    assert table.timestep.tolist() == [999, 749, 499, 249]


@pytest.mark.parametrize(("sampler", "taught"), [("euler", 4), ("lcm", 0)])
def test_only_samplers_of_distilled_models_have_timesteps_that_were_taught(sampler: str, taught: int) -> None:
    settings = {"sampler": sampler, "original_inference_steps": taught}
    with pytest.raises(InvalidArgumentError, match=f"original_inference_steps is {taught}; lcm and tcd") as caught:
        read_sampling(Path("model"), "sdxl", settings, family_config("sdxl", "scheduler"))
    assert caught.value.reason == "FOUNDATION_SETTINGS_INVALID"
