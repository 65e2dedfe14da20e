"""A fused foundation is another one than the plain one, and the same one on every machine."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from headshots.diffusion.foundations.files import INITIAL_WEIGHTS
from headshots.diffusion.foundations.foundation import Foundation, file_digest, foundation_digest
from headshots.diffusion.foundations.fusions import FUSION, read_fusions
from headshots.diffusion.importing.fusing.request import read_fusion
from headshots.diffusion.importing.importer import import_foundation
from headshots.diffusion.importing.record import import_key
from headshots.diffusion.importing.request import ImportOptions
from headshots.diffusion.lora.files import DIGEST_KEY
from headshots.errors import FailedPreconditionError, HeadshotsError, InvalidArgumentError
from tests.support.foundations.layouts import found
from tests.support.foundations.loras import layers_of, random_lora, write_kohya

NEWER = '{"format": 2, "loras": [], "few_steps": "", "files": {}}'
UNET = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fused")


def a_lora(path: Path, seed: int = 0, ending: str = "to_q") -> Path:
    layers = layers_of(found("sd15", "fp32"), "unet", ending)
    loras = {module: random_lora(shape, 2, 1.0, seed + number) for number, (module, shape) in enumerate(layers.items())}
    return write_kohya(path, {"lora_unet_": loras})


@pytest.fixture(scope="module")
def lora(folder: Path) -> Path:
    return a_lora(folder / "lora.safetensors")


@pytest.fixture(scope="module")
def fused(folder: Path, lora: Path) -> Path:
    return fuse(found("sd15", "fp32"), folder / "fused", lora)


def fuse(source: Path, out: Path, *named: object) -> Path:
    return import_foundation(source, out, ImportOptions(fusion=read_fusion([str(n) for n in named], "none"))).folder


def test_strength_and_file_make_another_foundation(tmp_path: Path, lora: Path, fused: Path) -> None:
    other = a_lora(tmp_path / "other.safetensors", seed=7)
    source = found("sd15", "fp32")
    digests = {
        foundation_digest(source),
        foundation_digest(fused),
        foundation_digest(fuse(source, tmp_path / "half", f"{lora}@0.5")),
        foundation_digest(fuse(source, tmp_path / "other", other)),
        foundation_digest(fuse(source, tmp_path / "both", other, lora)),
    }
    assert len(digests) == 5
    turned = ImportOptions(fusion=read_fusion([str(lora), str(other)], "none"))
    assert not import_foundation(source, tmp_path / "both", turned).is_new, "their order changes nothing"


@pytest.mark.parametrize(("metadata", "stays"), [({DIGEST_KEY: "ab" * 32}, False), ({}, True)])
def test_a_start_of_adapters_that_was_learned_on_the_plain_one_is_left_out(
    tmp_path: Path, lora: Path, metadata: dict[str, str], stays: bool
) -> None:
    source = shutil.copytree(found("sd15", "fp32"), tmp_path / "source")
    save_file({"a": torch.zeros(1)}, source / INITIAL_WEIGHTS, metadata)
    made = import_foundation(source, tmp_path / "made", ImportOptions(fusion=read_fusion([str(lora)], "none")))
    assert (made.folder / INITIAL_WEIGHTS).is_file() == stays
    assert any(INITIAL_WEIGHTS in note for note in made.notes) != stays
    assert (import_foundation(source, tmp_path / "plain").folder / INITIAL_WEIGHTS).is_file()


def test_a_last_bit_that_another_machine_rounds_otherwise_changes_nothing(fused: Path, tmp_path: Path) -> None:
    there = shutil.copytree(fused, tmp_path / "there")
    tensors = load_file(there / UNET)
    tensors["conv_in.weight"][0, 0, 0, 0] += 1e-7
    save_file(tensors, there / UNET)
    assert foundation_digest(there) != foundation_digest(fused), "what fusing did not write counts as it is"
    record = json.loads((there / FUSION).read_text())
    record["files"][UNET]["sha256"] = file_digest(there / UNET)
    (there / FUSION).write_text(json.dumps(record))
    assert foundation_digest(there) == foundation_digest(fused)


def test_the_digest_follows_from_the_plain_one_the_file_and_the_strength(fused: Path, lora: Path) -> None:
    record = read_fusions(fused)
    (file,) = (record.files or {}).values()
    assert file.of == file_digest(found("sd15", "fp32") / UNET)
    assert file.loras == (f"{file_digest(lora)}@1.0",)
    assert record.loras == ({"name": lora.name, "sha256": file_digest(lora), "strength": 1.0},)


def test_where_the_plain_foundation_lies_and_what_files_are_called_changes_nothing(
    tmp_path: Path, lora: Path, fused: Path
) -> None:
    copy = shutil.copytree(found("sd15", "fp32"), tmp_path / "elsewhere")
    named = shutil.copy(lora, tmp_path / "downloaded (1).safetensors")
    assert foundation_digest(fuse(copy, tmp_path / "out", named)) == foundation_digest(fused)
    again = import_foundation(copy, tmp_path / "out", ImportOptions(fusion=read_fusion([str(lora)], "none")))
    assert not again.is_new, "the same import"


def test_a_fused_folder_is_imported_and_fused_further(tmp_path: Path, lora: Path, fused: Path) -> None:
    assert foundation_digest(import_foundation(fused, tmp_path / "copy").folder) == foundation_digest(fused)
    text = a_lora(tmp_path / "more.safetensors", seed=3, ending="to_k")
    more = fuse(fused, tmp_path / "more", text)
    record = read_fusions(more)
    assert [each["name"] for each in record.loras] == [lora.name, text.name]
    assert foundation_digest(more) not in {foundation_digest(fused), foundation_digest(found("sd15", "fp32"))}
    with pytest.raises(InvalidArgumentError, match="is fused into this foundation already") as caught:
        fuse(more, tmp_path / "twice", f"{lora}@0.5")
    assert caught.value.reason == "FUSE_TWICE"


def test_weights_that_nothing_is_fused_into_take_no_room(fused: Path) -> None:
    source = found("sd15", "fp32")
    file = "vae/diffusion_pytorch_model.safetensors"
    assert (fused / file).stat().st_ino == (source / file).stat().st_ino
    assert (fused / UNET).stat().st_ino != (source / UNET).stat().st_ino
    config = "unet/config.json"
    assert (fused / config).stat().st_ino != (source / config).stat().st_ino, "whoever edits one edits one"
    assert Foundation.read(fused).family == "sd15"


def test_an_import_that_was_stopped_goes_on_with_the_same_result(tmp_path: Path, lora: Path, fused: Path) -> None:
    options = ImportOptions(fusion=read_fusion([str(lora)], "none"))

    def stop(what: str, share: float) -> None:
        if what == "vae/config.json":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_foundation(found("sd15", "fp32"), tmp_path / "out", options, stop)
    assert not (tmp_path / "out").exists()
    written = (tmp_path / ".out.unfinished" / UNET).stat().st_ino
    out = import_foundation(found("sd15", "fp32"), tmp_path / "out", options).folder
    assert (out / UNET).stat().st_ino == written, "it was whole"
    assert foundation_digest(out) == foundation_digest(fused)
    assert (out / FUSION).read_bytes() == (fused / FUSION).read_bytes()


def test_a_lora_or_a_model_that_changes_meanwhile_is_refused(tmp_path: Path, lora: Path) -> None:
    own = Path(shutil.copy(lora, tmp_path / "own.safetensors"))
    options = ImportOptions(fusion=read_fusion([str(own)], "none"))
    a_lora(own, seed=9)
    with pytest.raises(FailedPreconditionError) as caught:
        import_foundation(found("sd15", "fp32"), tmp_path / "out", options)
    assert caught.value.reason == "FUSE_CHANGED"
    source = shutil.copytree(found("sd15", "fp32"), tmp_path / "source")

    def change(what: str, share: float) -> None:
        if what == UNET:
            save_file(load_file(found("sd15", "fp32") / "vae/diffusion_pytorch_model.safetensors"), source / UNET)

    with pytest.raises(HeadshotsError) as again:
        import_foundation(source, tmp_path / "out", ImportOptions(fusion=read_fusion([str(lora)], "none")), change)
    assert again.value.reason == "FOUNDATION_CHANGED"
    assert not (tmp_path / "out").exists()


def test_an_import_without_lora_is_known_by_the_key_that_it_had_before() -> None:
    asked = {"variant": None, "sha256": "", "prediction": "", "zero_terminal_snr": None, "native_px": 0}
    was = hashlib.sha256(json.dumps([[["a", "b"]], asked, 1]).encode()).hexdigest()
    assert import_key({"a": "b"}, ImportOptions()) == was


@pytest.mark.parametrize("text", ["{", "[]", NEWER, '{"format": 1}'])
def test_a_damaged_record_is_refused(tmp_path: Path, fused: Path, text: str) -> None:
    broken = shutil.copytree(fused, tmp_path / "broken", ignore=shutil.ignore_patterns("*.safetensors"))
    (broken / FUSION).write_text(text)
    with pytest.raises(InvalidArgumentError) as caught:
        foundation_digest(broken)
    assert caught.value.reason == "FOUNDATION_INVALID"
