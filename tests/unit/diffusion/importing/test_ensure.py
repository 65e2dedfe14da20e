"""A foundation is used as it was named: where it lies, or imported once, by its digest, in a process of its own."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

from headshots.diffusion.child_errors import run_child
from headshots.diffusion.foundations.foundation import Foundation, foundation_digest
from headshots.diffusion.importing.ensure import usable_foundation
from headshots.errors import HeadshotsError, InvalidArgumentError, UnavailableError
from services.generator.__main__ import with_foundation
from services.generator.settings import GeneratorSettings
from services.trainer.__main__ import with_usable_foundation
from services.trainer.settings import TrainerSettings
from tests.support.foundations.clip import clip_links
from tests.support.foundations.engines import tiny_foundation, tiny_package
from tests.support.foundations.layouts import found, same_bits, weights
from tests.support.foundations.loras import layers_of, random_lora, write_kohya
from tests.support.foundations.single_files import write_single


def usable(source: Path, cache: Path, **environ: str) -> tuple[Path, list[str]]:
    """The folder, and what was told meanwhile: nothing where nothing was imported."""
    told: list[str] = []
    folder = usable_foundation(
        source, cache, {**os.environ, **environ}, lambda what, share: told.append(what), told.append
    )
    return folder, told


@pytest.mark.parametrize("layout", ["fp32", "sharded"])
def test_a_folder_with_plain_names_is_used_where_it_lies(tmp_path: Path, layout: str) -> None:
    assert usable(found("sd15", layout), tmp_path / "cache") == (found("sd15", layout), [])
    assert not (tmp_path / "cache").exists()


def test_other_layouts_are_imported_once_by_their_bytes(tmp_path: Path) -> None:
    source, cache = shutil.copytree(found("sd15", "mixed"), tmp_path / "model"), tmp_path / "home" / "foundations"
    folder, told = usable(source, cache)
    assert folder.parent == cache
    assert folder.name.startswith("model-")
    assert "unet/config.json" in told
    assert Foundation.read(folder).family == "sd15"
    assert same_bits(weights(folder / "vae"), weights(found("sd15", "fp16") / "vae"))
    assert usable(source, cache) == (folder, []), "the second time nothing is done"
    moved = source.rename(tmp_path / "elsewhere")
    assert usable(moved, cache)[0].name.partition("-")[2] == folder.name.partition("-")[2], "the same bytes"
    (moved / "scheduler/scheduler_config.json").write_text('{"_class_name": "DDIMScheduler"}')
    changed, told = usable(moved, cache)
    assert told
    assert changed.name.partition("-")[2] != folder.name.partition("-")[2]


def test_a_single_file_works_with_the_published_vocabulary(tmp_path: Path) -> None:
    source = write_single(tmp_path / "portraits.safetensors", "sdxl", "v_pred", half=True, all_words=True)
    folder, told = usable(source, tmp_path / "cache", PIP_FIND_LINKS=str(clip_links()), PIP_NO_INDEX="1")
    made = Foundation.read(folder)
    assert (made.family, made.prediction_type) == ("sdxl", "v_prediction")
    assert "unet/diffusion_pytorch_model.safetensors" in told
    assert "Permission is hereby granted" in (folder / "licences/clip-vocabulary/LICENSE").read_text()


def test_what_cannot_be_imported_is_told_as_by_the_command(tmp_path: Path) -> None:
    (tmp_path / "model.ckpt").write_bytes(b"\x80\x02.")
    with pytest.raises(InvalidArgumentError, match=r"model\.ckpt can run code"):
        usable(tmp_path / "model.ckpt", tmp_path / "cache")
    source = write_single(tmp_path / "model.safetensors", "sd15")
    with pytest.raises(HeadshotsError) as caught:
        usable(source, tmp_path / "cache", PIP_NO_INDEX="1", PIP_FIND_LINKS="")
    assert caught.value.reason == "PACKAGE_MISSING"


def test_what_is_not_there_is_left_to_whoever_reads_it(tmp_path: Path) -> None:
    assert usable(tmp_path / "none", tmp_path / "cache") == (tmp_path / "none", [])


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import os; os.kill(os.getpid(), 9)", f"status {-signal.SIGKILL}: it was killed, as a system does"),
        ("raise SystemExit('no such thing')", "status 1: no such thing"),
    ],
)
def test_a_child_that_ends_without_a_word_is_told(code: str, words: str) -> None:
    with pytest.raises(UnavailableError, match=words):
        run_child(
            [sys.executable, "-c", code],
            os.environ,
            lambda what, share: None,
            lambda status, end: UnavailableError("X", f"{status}: {end}"),
        )


def test_the_generator_imports_what_it_is_to_export_and_nothing_else(tmp_path: Path) -> None:
    named = {"HEADSHOTS_HOME": str(tmp_path), "HEADSHOTS_FOUNDATION": str(found("sd15", "fp16"))}
    settings = GeneratorSettings.from_environment(named)
    imported = with_foundation(settings)
    assert imported.foundation.parent == tmp_path / "foundations"
    assert Foundation.read(imported.foundation).family == "sd15"
    package = GeneratorSettings.from_environment({**named, "HEADSHOTS_GENERATOR_PACKAGE": str(tiny_package().folder)})
    assert with_foundation(package) == package, "a package needs no foundation"
    plain = GeneratorSettings.from_environment({**named, "HEADSHOTS_FOUNDATION": str(tiny_foundation())})
    assert with_foundation(plain) == plain


def test_trainers_and_generators_that_fuse_the_same_have_the_same_foundation(tmp_path: Path) -> None:
    layers = layers_of(found("sd15", "fp32"), "unet", "to_q")
    loras = {module: random_lora(shape, 2, 1.0, 0) for module, shape in layers.items()}
    lora = write_kohya(tmp_path / "lora.safetensors", {"lora_unet_": loras})
    named = {
        "HEADSHOTS_FOUNDATION": str(found("sd15", "fp32")),
        "HEADSHOTS_FUSE": f"{lora}@0.5",
        "HEADSHOTS_FEW_STEPS": "none",
    }
    generator = GeneratorSettings.from_environment({**named, "HEADSHOTS_HOME": str(tmp_path / "one")})
    trainer = TrainerSettings.from_environment({**named, "HEADSHOTS_HOME": str(tmp_path / "two")})
    folders = [with_foundation(generator).foundation, with_usable_foundation(trainer).foundation]
    assert [folder.parent for folder in folders] == [tmp_path / "one/foundations", tmp_path / "two/foundations"]
    digests = {foundation_digest(folder) for folder in folders}
    assert len(digests) == 1
    assert digests != {foundation_digest(found("sd15", "fp32"))}
    own = TrainerSettings.from_environment({**named, "HEADSHOTS_TRAINER_FUSE": "nowhere.safetensors"})
    with pytest.raises(InvalidArgumentError) as caught:
        with_usable_foundation(own)
    assert caught.value.reason == "FUSE_NOT_FOUND"
