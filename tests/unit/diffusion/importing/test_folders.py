"""Diffusers folders of every layout become foundations with the same bits; what is none is refused by its name."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline

from headshots.diffusion.foundations.foundation import Foundation
from headshots.diffusion.importing.importer import import_foundation
from headshots.diffusion.importing.request import ImportOptions
from headshots.errors import InvalidArgumentError
from tests.support.foundations.layouts import WEIGHTED, found, same_bits, tiny, weights, with_index

# The layout that each part's bits are those of, where it is not the plain one.
LAYOUTS: dict[str, dict[str, str]] = {
    "fp32": {},
    "fp16": dict.fromkeys(WEIGHTED, "fp16"),
    "sharded": {},
    "sharded-fp16": dict.fromkeys(WEIGHTED, "fp16"),
    "mixed": {"vae": "fp16"},
    "beside": {},
}


def parts(folder: Path) -> list[str]:
    return [part for part in WEIGHTED if (folder / part).is_dir()]


def copied(tmp_path: Path, layout: str = "fp32") -> Path:
    """A layout that the test may change."""
    return shutil.copytree(found("sd15", layout), tmp_path / "source")


@pytest.mark.parametrize(
    ("family", "layout"), [*(("sd15", layout) for layout in LAYOUTS), ("sdxl", "sharded-fp16"), ("sdxl", "mixed")]
)
def test_every_layout_becomes_a_foundation_with_the_same_bits(tmp_path: Path, family: str, layout: str) -> None:
    source = found(family, layout)
    imported = import_foundation(source, tmp_path / "out")
    assert imported.is_new
    made = Foundation.read(imported.folder)
    assert made.family == family
    assert parts(imported.folder) == parts(tiny(family))
    for part in parts(imported.folder):
        plain = LAYOUTS[layout].get(part)
        truth = weights((found(family, plain) if plain else tiny(family)) / part)
        assert same_bits(weights(imported.folder / part), truth), part
    assert (imported.folder / "LICENSE.md").read_text() == "Do as you like."
    assert [path.name for path in tmp_path.iterdir() if not path.name.endswith(".lock")] == ["out"]


@pytest.mark.parametrize("layout", ["sharded-fp16", "mixed"])
def test_stock_diffusers_loads_what_was_made_without_a_hint(tmp_path: Path, layout: str) -> None:
    for family, cls in (("sd15", StableDiffusionPipeline), ("sdxl", StableDiffusionXLPipeline)):
        folder = import_foundation(found(family, layout), tmp_path / family).folder
        pipeline = cls.from_pretrained(folder, use_safetensors=True)
        assert sum(value.numel() for value in pipeline.unet.state_dict().values()) == sum(
            value.numel() for value in weights(tiny(family) / "unet").values()
        )


def test_a_variant_is_taken_where_it_is_asked_for(tmp_path: Path) -> None:
    folder = import_foundation(found("sd15", "beside"), tmp_path / "out", ImportOptions(variant="fp16")).folder
    for part in parts(folder):
        assert same_bits(weights(folder / part), weights(found("sd15", "fp16") / part))


def test_what_was_taken_is_told(tmp_path: Path) -> None:
    source = copied(tmp_path, "mixed")
    (source / "LICENSE.md").unlink()
    imported = import_foundation(source, tmp_path / "out")
    assert imported.notes[0] == "vae: the variant fp16 was taken"
    assert "no licence lies beside the model" in imported.notes[1]


def test_the_familys_defaults_are_written_and_the_sources_own_kept(tmp_path: Path) -> None:
    source = copied(tmp_path)
    folder = import_foundation(source, tmp_path / "defaults").folder
    settings = yaml.safe_load((folder / "headshots.yaml").read_text())
    assert [settings["training"][name] for name in ("steps", "rank", "learning_rate")] == [1200, 16, 0.0001]
    assert "width_px" not in settings, "64 px is not what portraits of SD 1.5 are"
    (source / "headshots.yaml").write_text("steps: 7\n")
    folder = import_foundation(source, tmp_path / "own").folder
    assert (folder / "headshots.yaml").read_text() == "steps: 7\n"


def test_a_sampler_that_is_named_takes_the_place_of_a_scheduler_without_a_table(tmp_path: Path) -> None:
    source = copied(tmp_path)
    with_pndm(source)
    named = ImportOptions(sampler="dpmpp_2m")
    folder = import_foundation(source, tmp_path / "out", named).folder
    assert Foundation.read(folder).sampler == "dpmpp_2m"
    with pytest.raises(InvalidArgumentError, match="'heun'; known are ddim, euler") as caught:
        import_foundation(source, tmp_path / "other", ImportOptions(sampler="heun"))
    assert caught.value.reason == "IMPORT_OPTIONS_INVALID"
    (source / "headshots.yaml").write_text("steps: 7\n")
    with pytest.raises(InvalidArgumentError, match="is taken as it is; name the sampler dpmpp_2m there"):
        import_foundation(source, tmp_path / "other", named)


@pytest.mark.parametrize(("family", "size"), [("sd15", (512, 768)), ("sdxl", (832, 1216))])
def test_foundations_of_full_size_paint_portraits(tmp_path: Path, family: str, size: tuple[int, int]) -> None:
    source = shutil.copytree(found(family, "fp32"), tmp_path / "source")
    config = json.loads((source / "unet/config.json").read_text())
    config["sample_size"] = 128 if family == "sdxl" else 64
    (source / "unet/config.json").write_text(json.dumps(config))
    made = Foundation.read(import_foundation(source, tmp_path / "out").folder)
    assert (made.native_width_px, made.native_height_px) == size


def test_a_safety_checker_is_left_out_and_not_asked_for(tmp_path: Path) -> None:
    source = with_index(copied(tmp_path), safety_checker=["x", "StableDiffusionSafetyChecker"])
    (source / "safety_checker").mkdir()
    (source / "safety_checker/pytorch_model.bin").write_bytes(b"a pickle that nobody opens")
    folder = import_foundation(source, tmp_path / "out").folder
    assert not (folder / "safety_checker").exists()
    assert StableDiffusionPipeline.from_pretrained(folder).safety_checker is None


def rename_to_pickles(source: Path) -> None:
    (source / "unet/diffusion_pytorch_model.safetensors").rename(source / "unet/diffusion_pytorch_model.bin")


def inpainting(source: Path) -> None:
    config = json.loads((source / "unet/config.json").read_text())
    (source / "unet/config.json").write_text(json.dumps(config | {"in_channels": 9}))


def with_pndm(source: Path) -> None:
    """As Stable Diffusion 1.5's own folder has it."""
    config = source / "scheduler/scheduler_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"_class_name": "PNDMScheduler"}))


def cut(source: Path) -> None:
    file = source / "vae/diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:-1000])


REFUSED: list[tuple[Callable[[Path], object], str, str]] = [
    (rename_to_pickles, "FOUNDATION_PICKLED", r"diffusion_pytorch_model\.bin can run code"),
    (inpainting, "FOUNDATION_INVALID", "UNets for inpainting, depth or editing are not supported"),
    (cut, "FOUNDATION_INVALID", "a download that broke off"),
    (lambda f: with_index(f, _class_name="FluxPipeline"), "FOUNDATION_UNSUPPORTED", "FLUX, a diffusion transformer"),
    (lambda f: with_index(f, _class_name="StableDiffusion3Pipeline"), "FOUNDATION_UNSUPPORTED", "Stable Diffusion 3,"),
    (lambda f: with_index(f, _class_name="QwenImagePipeline"), "FOUNDATION_UNSUPPORTED", "Qwen-Image"),
    (lambda f: with_index(f, _class_name="ZImagePipeline"), "FOUNDATION_UNSUPPORTED", "Z-Image"),
    (lambda f: with_index(f, _class_name="NewPipeline", transformer=["x", "y"]), "FOUNDATION_UNSUPPORTED", "NewPipe"),
    (lambda f: with_index(f, _class_name="StableDiffusionInpaintPipeline"), "FOUNDATION_UNSUPPORTED", "inpainting"),
    (lambda f: with_index(f, _class_name="StableDiffusionControlNetPipeline"), "FOUNDATION_UNSUPPORTED", "ControlNet"),
    (with_pndm, "SCHEDULER_UNSUPPORTED", r"PNDMScheduler has no table here.*import \S+ --sampler dpmpp_2m --out"),
    (lambda f: (f / "headshots.yaml").write_text("prompt_template: '{foo}'"), "FOUNDATION_SETTINGS_INVALID", "{foo}"),
    (lambda f: shutil.rmtree(f / "tokenizer"), "FOUNDATION_INVALID", "tokenizer"),
    (lambda f: (f / "model_index.json").unlink(), "FOUNDATION_NOT_FOUND", "save_pretrained"),
]


@pytest.mark.parametrize(("spoil", "reason", "words"), REFUSED)
def test_what_is_no_foundation_is_refused_by_name(
    tmp_path: Path, spoil: Callable[[Path], object], reason: str, words: str
) -> None:
    source = copied(tmp_path)
    spoil(source)
    with pytest.raises(InvalidArgumentError, match=words) as caught:
        import_foundation(source, tmp_path / "out")
    assert caught.value.reason == reason
    assert [path.name for path in tmp_path.iterdir()] == ["source"], "before anything was copied"


def test_a_refusal_tells_what_is_supported(tmp_path: Path) -> None:
    source = with_index(copied(tmp_path), _class_name="FluxPipeline")
    with pytest.raises(InvalidArgumentError, match=r"Stable Diffusion 1\.5 and SDXL families are supported"):
        import_foundation(source, tmp_path / "out")
    with pytest.raises(InvalidArgumentError, match=r"Stable Diffusion 1\.5 and SDXL families are supported"):
        Foundation.read(source)


def test_a_missing_shard_is_told_and_one_that_nobody_needs_is_not(tmp_path: Path) -> None:
    source = copied(tmp_path, "sharded")
    next(iter(sorted((source / "unet").glob("*-00002-*")))).unlink()
    with pytest.raises(InvalidArgumentError, match="the shard 2 of"):
        import_foundation(source, tmp_path / "out")
    shutil.copy(found("sd15", "fp16") / "unet/diffusion_pytorch_model.fp16.safetensors", source / "unet")
    folder = import_foundation(source, tmp_path / "out").folder
    assert same_bits(weights(folder / "unet"), weights(found("sd15", "fp16") / "unet"))


def test_an_index_that_names_what_no_shard_has_is_refused(tmp_path: Path) -> None:
    source = copied(tmp_path, "sharded")
    index = source / "unet/diffusion_pytorch_model.safetensors.index.json"
    value = json.loads(index.read_text())
    value["weight_map"]["conv_lost.weight"] = "diffusion_pytorch_model-00001-of-00002.safetensors"
    index.write_text(json.dumps(value))
    with pytest.raises(InvalidArgumentError, match=r"no shard has conv_lost\.weight"):
        import_foundation(source, tmp_path / "out")


def test_a_folder_of_a_variant_alone_is_not_taken_for_a_foundation(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="headshots foundation import"):
        Foundation.read(found("sd15", "fp16"))
