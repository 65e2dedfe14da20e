"""LoRA files that cannot be fused are refused by what they are, before anything is written."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from headshots.diffusion.importing.fusing.request import read_fusion
from headshots.diffusion.importing.importer import import_foundation
from headshots.diffusion.importing.request import ImportOptions
from headshots.errors import InvalidArgumentError
from tests.support.foundations.layouts import found
from tests.support.foundations.loras import layers_of, random_lora, write_kohya

Q = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"
A, B = f"{Q}.lora_down.weight", f"{Q}.lora_up.weight"
GOOD = {A: torch.ones(2, 32) * 0.01, B: torch.ones(32, 2) * 0.01}
SAME = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
TEXT = "lora_te2_text_model_encoder_layers_0_mlp_fc1"
OTHER = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"


def refusal(source: Path, out: Path, *named: object, few_steps: str = "none") -> InvalidArgumentError:
    """Why nothing is fused, and nothing is left behind."""
    with pytest.raises(InvalidArgumentError) as caught:
        import_foundation(source, out, ImportOptions(fusion=read_fusion([str(name) for name in named], few_steps)))
    assert not [path for path in out.parent.iterdir() if "unfinished" in path.name or path == out]
    return caught.value


@pytest.mark.parametrize(
    ("reason", "told", "tensors"),
    [
        ("FUSE_UNSUPPORTED", "is DoRA", {**GOOD, f"{Q}.dora_scale": torch.ones(32, 1)}),
        ("FUSE_UNSUPPORTED", "is DoRA", {**GOOD, "unet.mid.to_q.lora_magnitude_vector.weight": torch.ones(1)}),
        ("FUSE_UNSUPPORTED", "is LoHa", {f"{Q}.hada_w1_a": torch.ones(32, 2)}),
        ("FUSE_UNSUPPORTED", "is LoKr", {f"{Q}.lokr_w1": torch.ones(4, 4)}),
        ("FUSE_UNSUPPORTED", "is IA3", {f"{Q}.on_input": torch.ones(1), f"{Q}.weight": torch.ones(32)}),
        ("FUSE_UNSUPPORTED", "whole differences", {f"{Q}.diff": torch.ones(32, 32)}),
        ("FUSE_UNSUPPORTED", "no part of a LoRA", {"conv_in.weight": torch.ones(32, 4, 3, 3)}),
        (
            "FUSE_OTHER_FAMILY",
            "diffusion transformer",
            {"transformer.blocks.0.attn.to_q.lora_A.weight": torch.ones(2, 32)},
        ),
        (
            "FUSE_OTHER_FAMILY",
            "diffusion transformer",
            {"lora_unet_double_blocks_0_q.lora_up.weight": torch.ones(2, 2)},
        ),
        (
            "FUSE_OTHER_FAMILY",
            "text of width 768, and this foundation's of 32",
            {f"{OTHER}.lora_down.weight": torch.ones(2, 768), f"{OTHER}.lora_up.weight": torch.ones(32, 2)},
        ),
        (
            "FUSE_UNKNOWN_LAYERS",
            "1 of its 2 layers are none of this foundation (lora_unet_nowhere)",
            {
                **GOOD,
                "lora_unet_nowhere.lora_down.weight": torch.ones(2, 3),
                "lora_unet_nowhere.lora_up.weight": torch.ones(3, 2),
            },
        ),
        (
            "FUSE_UNKNOWN_LAYERS",
            TEXT,
            {f"{TEXT}.lora_down.weight": torch.ones(2, 3), f"{TEXT}.lora_up.weight": torch.ones(3, 2)},
        ),
        ("FUSE_SHAPE_MISMATCH", "down [2, 31] and up [32, 2]", {**GOOD, A: torch.ones(2, 31)}),
        ("FUSE_SHAPE_MISMATCH", "down [3, 32] and up [32, 2]", {**GOOD, A: torch.ones(3, 32)}),
        ("FUSE_SHAPE_MISMATCH", "up [31, 2]", {**GOOD, B: torch.ones(31, 2)}),
        ("FUSE_CORRUPT", "lacks its up (B) matrix", {A: GOOD[A]}),
        ("FUSE_CORRUPT", "lacks its down (A) and up (B) matrix", {f"{Q}.alpha": torch.ones(())}),
        ("FUSE_CORRUPT", "alpha of shape [2]", {**GOOD, f"{Q}.alpha": torch.ones(2)}),
        ("FUSE_CORRUPT", "matrices of shapes", {**GOOD, A: torch.ones(0, 32), B: torch.ones(32, 0)}),
        ("FUSE_CORRUPT", "it holds no tensors", {}),
        (
            "FUSE_CORRUPT",
            "is there twice, under two names",
            {**GOOD, f"{SAME}.lora_A.weight": GOOD[A], f"{SAME}.lora_B.weight": GOOD[B]},
        ),
        ("FUSE_CORRUPT", "holds U8", {**GOOD, A: torch.ones(2, 32, dtype=torch.uint8)}),
        ("FUSE_NOT_FINITE", "holds NaN", {**GOOD, A: torch.full((2, 32), torch.nan)}),
        ("FUSE_NOT_FINITE", "holds NaN", {**GOOD, B: torch.full((32, 2), torch.inf)}),
        ("FUSE_NOT_FINITE", "holds NaN", {**GOOD, f"{Q}.alpha": torch.tensor(torch.nan)}),
    ],
)
def test_files_that_are_no_lora_for_this_foundation(
    tmp_path: Path, reason: str, told: str, tensors: dict[str, Tensor]
) -> None:
    path = tmp_path / "lora.safetensors"
    save_file({name: tensor.clone() for name, tensor in tensors.items()}, path)
    error = refusal(found("sd15", "fp32"), tmp_path / "out", path)
    assert error.reason == reason
    assert told in error.message
    assert str(path) in error.message


@pytest.mark.parametrize(
    "metadata",
    [{"ss_base_model_version": "sdxl_base_v1-0"}, {"modelspec.architecture": "stable-diffusion-xl-v1-base/lora"}],
)
def test_a_file_that_says_that_it_is_for_the_other_family(tmp_path: Path, metadata: dict[str, str]) -> None:
    save_file(GOOD, tmp_path / "lora.safetensors", metadata=metadata)
    error = refusal(found("sd15", "fp32"), tmp_path / "out", tmp_path / "lora.safetensors")
    assert error.reason == "FUSE_OTHER_FAMILY"
    assert "its metadata say that it is for SDXL" in error.message
    ours = {"ss_base_model_version": "sd_v1", "modelspec.architecture": "stable-diffusion-v1/lora"}
    save_file(GOOD, tmp_path / "own.safetensors", metadata={key: ours[key] for key in metadata})
    fusion = read_fusion([str(tmp_path / "own.safetensors")], "none")
    assert import_foundation(found("sd15", "fp32"), tmp_path / "out", ImportOptions(fusion=fusion)).is_new


def test_a_lora_of_stable_diffusion_on_sdxl(tmp_path: Path) -> None:
    layers = layers_of(found("sd15", "fp32"), "unet", "to_k", "to_v")
    loras = {module: random_lora(shape, 2, 1.0, 0) for module, shape in layers.items()}
    path = write_kohya(tmp_path / "lora.safetensors", {"lora_unet_": loras})
    error = refusal(found("sdxl", "fp32"), tmp_path / "out", path)
    assert error.reason == "FUSE_OTHER_FAMILY"
    assert "text of width 32, and this foundation's of 64; get the file that is made for SDXL" in error.message


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def _pickle(path: Path) -> None:
    torch.save(GOOD, path)


@pytest.mark.parametrize("damage", [_cut, _pickle, lambda path: path.write_bytes(b"")])
def test_what_is_no_whole_safetensors_file(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    path = tmp_path / "lora.safetensors"
    save_file(GOOD, path)
    damage(path)
    error = refusal(found("sd15", "fp32"), tmp_path / "out", path)
    assert error.reason == "FUSE_CORRUPT"
    assert "no whole safetensors file" in error.message


@pytest.mark.parametrize(
    ("name", "reason", "told"),
    [
        ("missing.safetensors", "FUSE_NOT_FOUND", "there is no file"),
        ("missing.safetensors@0.5", "FUSE_NOT_FOUND", "missing.safetensors;"),
        ("lora.ckpt@0.5", "FUSE_PICKLED", "can run code"),
        ("lora.pt", "FUSE_PICKLED", "can run code"),
        ("lora.gguf", "FUSE_CORRUPT", "is no .safetensors file"),
        ("lora.safetensors@0", "FUSE_STRENGTH_INVALID", "the strength is '0'"),
        ("lora.safetensors@-1", "FUSE_STRENGTH_INVALID", "above 0 and at most 2"),
        ("lora.safetensors@2.5", "FUSE_STRENGTH_INVALID", "'2.5'"),
        ("lora.safetensors@half", "FUSE_STRENGTH_INVALID", "'half'"),
        ("lora.safetensors@nan", "FUSE_STRENGTH_INVALID", "'nan'"),
        ("lora.safetensors@", "FUSE_STRENGTH_INVALID", "''"),
    ],
)
def test_what_is_named_wrongly(tmp_path: Path, name: str, reason: str, told: str) -> None:
    for there in ("lora.safetensors", "lora.gguf"):
        save_file(GOOD, tmp_path / there)
    with pytest.raises(InvalidArgumentError) as caught:
        read_fusion([str(tmp_path / name)], "none")
    assert caught.value.reason == reason
    assert told in caught.value.message


def test_a_path_may_have_an_at_sign_and_a_strength_after_it(tmp_path: Path) -> None:
    path = tmp_path / "me@home" / "v1@2.safetensors"
    path.parent.mkdir()
    save_file(GOOD, path)
    fusions = [read_fusion([name], "none") for name in (str(path), f"{path}@0.25")]
    assert [(lora.path, lora.strength) for fusion in fusions if fusion for lora in fusion.loras] == [
        (path, 1.0),
        (path, 0.25),
    ]


def test_the_same_file_twice(tmp_path: Path) -> None:
    save_file(GOOD, tmp_path / "one.safetensors")
    shutil.copy(tmp_path / "one.safetensors", tmp_path / "two.safetensors")
    with pytest.raises(InvalidArgumentError, match="are the same LoRA; name it once") as caught:
        read_fusion([f"{tmp_path / 'one.safetensors'}@0.5", str(tmp_path / "two.safetensors")], "none")
    assert caught.value.reason == "FUSE_TWICE"


def test_weights_that_overflow_in_half_precision(tmp_path: Path) -> None:
    save_file({A: torch.full((2, 32), 300.0), B: torch.full((32, 2), 300.0)}, tmp_path / "lora.safetensors")
    with pytest.raises(InvalidArgumentError) as caught:
        import_foundation(
            found("sd15", "fp16"),
            tmp_path / "out",
            ImportOptions(fusion=read_fusion([str(tmp_path / "lora.safetensors")], "none")),
        )
    assert caught.value.reason == "FUSE_NOT_FINITE"
    assert "lower strength" in caught.value.message
    assert not (tmp_path / "out").exists()
