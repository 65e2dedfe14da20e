"""One file of a family becomes a foundation with the same numbers; what it is stands in its keys."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, EulerDiscreteScheduler, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer, CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from headshots.diffusion.foundations.foundation import Foundation
from headshots.diffusion.importing.importer import import_foundation, make_plan
from headshots.diffusion.importing.request import Imported, ImportOptions
from headshots.diffusion.importing.single_file.shapes import family_config, text_config, unet_config, vae_config
from headshots.errors import InvalidArgumentError
from tests.support.foundations.layouts import FAMILIES, same_bits, weights
from tests.support.foundations.single_files import TENSORS, bare, networks, tensors, toy_packages, write_single

CLASSES = {
    "text_encoder": CLIPTextModel,
    "text_encoder_2": CLIPTextModelWithProjection,
    "vae": AutoencoderKL,
    "unet": UNet2DConditionModel,
}


def imported(source: Path, out: Path, **options: object) -> Imported:
    given = ImportOptions(**{"native_px": 64, **options})  # type: ignore[arg-type]
    return import_foundation(source, out, given, packages=toy_packages())


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("half", [False, True])
def test_the_networks_are_those_that_were_saved(tmp_path: Path, family: str, half: bool) -> None:
    """Bit for bit, and built alike: the same activations, heads, groups and eps."""
    folder = imported(write_single(tmp_path / "model.safetensors", family, half=half), tmp_path / "out").folder
    assert Foundation.read(folder).family == family
    for part, network in networks(family).items():
        truth = bare(network) if not half else {name: value.half() for name, value in bare(network).items()}
        made = {name.removeprefix("text_model."): value for name, value in weights(folder / part).items()}
        assert same_bits(made, {name: value.contiguous() for name, value in truth.items()}), part


@torch.no_grad()
@pytest.mark.parametrize("family", FAMILIES)
def test_the_networks_compute_what_they_computed(tmp_path: Path, family: str) -> None:
    """What shapes do not tell is right too: activations, heads, groups."""
    folder = imported(write_single(tmp_path / "model.safetensors", family), tmp_path / "out").folder
    torch.manual_seed(0)
    latents, width = torch.randn(1, 4, 16, 16), networks(family)["unet"].config.cross_attention_dim  # type: ignore
    added = {"text_embeds": torch.randn(1, 32), "time_ids": torch.ones(1, 6)} if family == "sdxl" else None
    inputs = {"timestep": 500, "encoder_hidden_states": torch.randn(1, 5, width), "added_cond_kwargs": added}
    for part, network in networks(family).items():
        loaded = CLASSES[part].from_pretrained(folder / part).eval()
        if part == "unet":
            made, truth = (each.eval()(latents, **inputs).sample for each in (loaded, network))
        elif part == "vae":
            made, truth = (each.eval().decode(latents).sample for each in (loaded, network))
        else:
            made, truth = (each.eval()(torch.arange(20)[None])[0] for each in (loaded, network))
        torch.testing.assert_close(made, truth, rtol=1e-5, atol=1e-5, msg=part)


def test_the_foundation_is_read_without_a_hint(tmp_path: Path) -> None:
    for family, guidance in (("sd15", 6.0), ("sdxl", 5.5)):
        source = write_single(tmp_path / f"{family}.safetensors", family)
        made = Foundation.read(imported(source, tmp_path / family).folder)
        assert (made.prediction_type, made.sampler, made.guidance_scale) == ("epsilon", "dpmpp_2m", guidance)
        assert (made.native_width_px, made.native_height_px) == (64, 64)
        assert made.scheduler["use_karras_sigmas"] is True
        assert made.zero_empty_prompt == (family == "sdxl")
        assert made.scaling_factor == (0.13025 if family == "sdxl" else 0.18215)
        assert made.training["rank"] == 16


@pytest.mark.parametrize(
    ("keys", "options", "prediction", "zero"),
    [
        ((), {}, "epsilon", False),
        (("v_pred",), {}, "v_prediction", False),
        (("v_pred", "ztsnr"), {}, "v_prediction", True),
        (("ztsnr",), {}, "v_prediction", True),
        ((), {"prediction": "v_prediction"}, "v_prediction", False),
        ((), {"zero_terminal_snr": True}, "v_prediction", True),
        (("v_pred", "ztsnr"), {"zero_terminal_snr": False, "prediction": "epsilon"}, "epsilon", False),
    ],
)
def test_the_prediction_is_read_from_the_keys_or_told(
    tmp_path: Path, keys: tuple[str, ...], options: dict[str, object], prediction: str, zero: bool
) -> None:
    source = write_single(tmp_path / "model.safetensors", "sdxl", *keys)
    plan = make_plan(source, ImportOptions(**options))  # type: ignore
    assert prediction.replace("_", "-") in plan.notes[0]
    pieces = plan.pieces({}, lambda: toy_packages().vocabulary(tmp_path, "out"))
    (piece,) = (each for each in pieces if each.name == "scheduler/scheduler_config.json")
    piece.write(tmp_path / "scheduler_config.json", lambda size: None)
    config = json.loads((tmp_path / "scheduler_config.json").read_text())
    assert config["prediction_type"] == prediction
    assert bool(config.get("rescale_betas_zero_snr", False)) == zero
    if zero:
        assert config["timestep_spacing"] == "trailing"
        assert EulerDiscreteScheduler.from_config(config).sigmas.max() > 4000


def test_what_contradicts_itself_is_refused(tmp_path: Path) -> None:
    source = write_single(tmp_path / "model.safetensors", "sd15", "v_pred", "ztsnr")
    with pytest.raises(InvalidArgumentError, match="predicts v") as caught:
        imported(source, tmp_path / "out", prediction="epsilon")
    assert caught.value.reason == "IMPORT_OPTIONS_INVALID"
    with pytest.raises(InvalidArgumentError, match="variants are of a folder's files"):
        imported(source, tmp_path / "out", variant="fp16")


def test_the_configurations_are_the_familys(tmp_path: Path) -> None:
    """Stock models of full size have these, and a file of full size has no others: they are written, not read."""
    assert family_config("sd15", "unet")["attention_head_dim"] == 8
    assert family_config("sdxl", "text_encoder_2")["hidden_act"] == "gelu"
    assert family_config("sdxl", "tokenizer_2")["pad_token"] == "!"
    folder = imported(write_single(tmp_path / "model.safetensors", "sdxl"), tmp_path / "out").folder
    first, second = (AutoTokenizer.from_pretrained(folder / name) for name in ("tokenizer", "tokenizer_2"))
    assert (first.pad_token, second.pad_token) == ("<|endoftext|>", "!")
    assert first.model_max_length == second.model_max_length == 77
    ids = first("photo of the man")["input_ids"]
    assert first.convert_ids_to_tokens(ids) == [
        "<|startoftext|>", "photo</w>", "of</w>", "the</w>", "man</w>", "<|endoftext|>",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("family", "part", "parameters"),
    [
        ("sd15", "unet", 859_520_964),
        ("sd15", "vae", 83_653_863),
        ("sd15", "text_encoder", 123_060_480),
        ("sdxl", "unet", 2_567_463_684),
        ("sdxl", "vae", 83_653_863),
        ("sdxl", "text_encoder", 123_060_480),
        ("sdxl", "text_encoder_2", 694_659_840),
    ],
)
def test_the_networks_of_full_size_have_the_published_numbers_of_parameters(
    family: str, part: str, parameters: int
) -> None:
    with torch.device("meta"):
        if part.startswith("text"):
            network = CLASSES[part](CLIPTextConfig.from_dict(family_config(family, part)))
        else:
            network = CLASSES[part].from_config(family_config(family, part))
    assert sum(value.numel() for value in network.parameters()) == parameters
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    read = {"unet": lambda: unet_config(family, shapes, 1280), "vae": lambda: vae_config(family, shapes)}
    found = read.get(part, lambda: text_config(family, part, shapes))()
    assert found == family_config(family, part), "what is read from shapes is what the family has"


def test_a_full_size_file_is_told_by_its_native_size(tmp_path: Path) -> None:
    source = write_single(tmp_path / "model.safetensors", "sd15")
    made = Foundation.read(imported(source, tmp_path / "out", native_px=0).folder)
    assert (made.native_width_px, made.native_height_px) == (512, 768)


def test_metadata_tell_the_size_and_the_prediction(tmp_path: Path) -> None:
    told = {"modelspec.resolution": "96x64", "modelspec.prediction_type": "v"}
    source = write_single(tmp_path / "model.safetensors", "sd15", **told)
    made = Foundation.read(imported(source, tmp_path / "out", native_px=0).folder)
    assert (made.native_width_px, made.native_height_px, made.prediction_type) == (96, 96, "v_prediction")
    again = imported(source, tmp_path / "told", native_px=64, prediction="epsilon").folder
    assert (Foundation.read(again).native_width_px, Foundation.read(again).prediction_type) == (64, "epsilon")
    wrong = write_single(tmp_path / "wrong.safetensors", "sd15", **{"modelspec.resolution": "large"})
    assert Foundation.read(imported(wrong, tmp_path / "wrong", native_px=0).folder).native_width_px == 512


def test_licences_stay_with_the_model(tmp_path: Path) -> None:
    source = write_single(tmp_path / "model.safetensors", "sd15")
    (tmp_path / "model.LICENSE.txt").write_text("Be kind.")
    (tmp_path / "other.LICENSE.txt").write_text("of something else")
    (tmp_path / "README.md").write_text("of anything")
    made = imported(source, tmp_path / "out")
    assert (made.folder / "model.LICENSE.txt").read_text() == "Be kind."
    assert (made.folder / "licences/clip-vocabulary/LICENSE").read_text() == "do as you like"
    assert not (made.folder / "README.md").exists()
    assert not (made.folder / "other.LICENSE.txt").exists()
    assert not any("licence" in note for note in made.notes)


def test_the_metadata_may_name_a_licence(tmp_path: Path) -> None:
    named = write_single(tmp_path / "named.safetensors", "sd15", **{"modelspec.license": "openrail"})
    assert imported(named, tmp_path / "out").notes[1] == "the file's metadata names its licence: openrail"


def test_the_publishers_digest_is_held_against_the_file(tmp_path: Path) -> None:
    source = write_single(tmp_path / "model.safetensors", "sd15")
    told = hashlib.sha256(source.read_bytes()).hexdigest().upper()
    with pytest.raises(InvalidArgumentError, match="get it again") as caught:
        imported(source, tmp_path / "out", sha256="ab" * 32)
    assert caught.value.reason == "FOUNDATION_DIGEST_WRONG"
    assert not (tmp_path / "out").exists()
    assert imported(source, tmp_path / "out", sha256=told).is_new


def test_old_files_have_more_and_it_is_left_out(tmp_path: Path) -> None:
    found = tensors("sd15")
    found["cond_stage_model.transformer.text_model.embeddings.position_ids"] = torch.arange(77)[None]
    found |= {"model_ema.decay": torch.ones(()), "alphas_cumprod": torch.ones(1000)}
    save_file(found, tmp_path / "model.safetensors")
    folder = imported(tmp_path / "model.safetensors", tmp_path / "out").folder
    assert set(weights(folder / "unet")) == set(networks("sd15")["unet"].state_dict())
    assert not any("position_ids" in name for name in weights(folder / "text_encoder"))


def without(start: str) -> Callable[[TENSORS], TENSORS]:
    return lambda found: {name: value for name, value in found.items() if not name.startswith(start)}


def with_inputs(channels: int) -> Callable[[TENSORS], TENSORS]:
    key = "model.diffusion_model.input_blocks.0.0.weight"
    return lambda found: {**found, key: torch.zeros(32, channels, 3, 3)}


def named(*names: str) -> Callable[[TENSORS], TENSORS]:
    return lambda found: dict.fromkeys(names, torch.zeros(1))


def replaced(key: str, value: torch.Tensor) -> Callable[[TENSORS], TENSORS]:
    return lambda found: {**found, key: value}


UNET = "model.diffusion_model."
REFUSED: list[tuple[Callable[[TENSORS], TENSORS], str, str]] = [
    (with_inputs(9), "FOUNDATION_UNSUPPORTED", "a UNet for inpainting"),
    (with_inputs(8), "FOUNDATION_UNSUPPORTED", "a UNet for editing"),
    (with_inputs(5), "FOUNDATION_UNSUPPORTED", "depth"),
    (named(f"{UNET}double_blocks.0.img_attn.norm.key_norm.scale"), "FOUNDATION_UNSUPPORTED", "FLUX"),
    (named("double_blocks.0.img_attn.qkv.weight"), "FOUNDATION_UNSUPPORTED", "FLUX"),
    (named(f"{UNET}joint_blocks.0.context_block.adaLN_modulation.1.bias"), "FOUNDATION_UNSUPPORTED", "Diffusion 3"),
    (named("transformer_blocks.0.attn.add_q_proj.weight"), "FOUNDATION_UNSUPPORTED", "Qwen-Image"),
    (named(f"{UNET}layers.0.adaLN_modulation.0.weight"), "FOUNDATION_UNSUPPORTED", "Z-Image"),
    (named("control_model.time_embed.0.weight"), "FOUNDATION_UNSUPPORTED", "ControlNet"),
    (named("lora_unet_mid_block_0.lora_down.weight"), "FOUNDATION_UNSUPPORTED", "a LoRA"),
    (named("weight"), "FOUNDATION_UNSUPPORTED", "it lacks the tensors of its UNet"),
    (named("conditioner.embedders.0.model.ln_final.weight"), "FOUNDATION_UNSUPPORTED", "refiner"),
    (named("cond_stage_model.model.ln_final.weight"), "FOUNDATION_UNSUPPORTED", "Stable Diffusion 2"),
    (replaced("edm_mean", torch.zeros(1)), "FOUNDATION_UNSUPPORTED", "Playground"),
    (without("first_stage_model."), "FOUNDATION_INVALID", "lacks its VAE"),
    (without("cond_stage_model."), "FOUNDATION_INVALID", "lacks its text_encoder"),
    (without(f"{UNET}middle_block.1."), "FOUNDATION_INVALID", "its unet is not built as the family's"),
    (without("first_stage_model.decoder.mid"), "FOUNDATION_INVALID", "its vae is not built"),
    (replaced("first_stage_model.extra", torch.zeros(1)), "", ""),
    (replaced(f"{UNET}out.2.bias", torch.zeros(4).to(torch.float8_e4m3fn)), "FOUNDATION_INVALID", "F8_E4M3"),
    (replaced(f"{UNET}out.2.bias", torch.zeros(5)), "FOUNDATION_INVALID", r"conv_out\.bias"),
]


@pytest.mark.parametrize(("spoil", "reason", "words"), REFUSED)
def test_other_kinds_are_refused_by_name_before_anything_is_written(
    tmp_path: Path, spoil: Callable[[TENSORS], TENSORS], reason: str, words: str
) -> None:
    source = tmp_path / "model.safetensors"
    save_file(spoil(tensors("sd15")), source)
    if not reason:
        assert imported(source, tmp_path / "out").is_new, "what no network has is left out"
        return
    with pytest.raises(InvalidArgumentError, match=words) as caught:
        imported(source, tmp_path / "out")
    assert caught.value.reason == reason
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]


def test_a_file_that_is_cut_short_or_a_pickle_by_another_name_is_refused(tmp_path: Path) -> None:
    source = write_single(tmp_path / "model.safetensors", "sd15")
    source.write_bytes(source.read_bytes()[:-1000])
    with pytest.raises(InvalidArgumentError, match="a download that broke off"):
        imported(source, tmp_path / "out")
    torch.save(load_file(write_single(tmp_path / "whole.safetensors", "sd15")), source)
    with pytest.raises(InvalidArgumentError, match="not a whole safetensors file"):
        imported(source, tmp_path / "out")


def test_another_vocabulary_than_clips_is_refused(tmp_path: Path) -> None:
    found = tensors("sd15")
    key = "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight"
    found[key] = torch.cat([found[key], found[key][:2]])
    save_file(found, tmp_path / "model.safetensors")
    with pytest.raises(InvalidArgumentError, match="knows 527 words and CLIP's vocabulary has 525"):
        imported(tmp_path / "model.safetensors", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == []
