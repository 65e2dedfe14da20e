"""Weights with LoRA fused in: those of stock diffusers where stock is right, and of plain arithmetic everywhere."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from headshots.diffusion.importing.fusing.request import read_fusion
from headshots.diffusion.importing.importer import import_foundation
from headshots.diffusion.importing.request import ImportOptions
from tests.support.foundations.layouts import found, same_bits, weights
from tests.support.foundations.loras import (
    LCM_LAYERS,
    Lora,
    changed,
    layers_of,
    original_names,
    pipeline_class,
    random_lora,
    write_kohya,
    write_stock,
)
from tests.support.foundations.single_files import original_unet_name, toy_packages, write_single


def fuse(source: Path, out: Path, *named: object, few_steps: str = "none", **options: Any) -> Path:
    """The foundation ``source`` with LoRA fused in."""
    fusion = read_fusion([str(name) for name in named], few_steps)
    return import_foundation(source, out, ImportOptions(fusion=fusion, **options), packages=toy_packages()).folder


def random_loras(
    folder: Path, part: str, endings: Sequence[str], *, alpha: float | None = 2.0, tucker: bool = False
) -> dict[str, Lora]:
    """Of the ranks 1 to 4, of every layer with such an ending."""
    layers = layers_of(folder, part, *endings)
    assert layers
    return {
        module: random_lora(shape, 1 + number % 4, alpha, number, tucker=tucker and len(shape) == 4)
        for number, (module, shape) in enumerate(layers.items())
    }


def assert_adds(plain: Path, fused: Path, part: str, loras: Mapping[str, Lora], strength: float = 1.0) -> None:
    """The part's weights differ by the LoRA and by nothing else."""
    found = changed(plain, fused, part)
    assert set(found) == {f"{module}.weight" for module in loras}
    for module, lora in loras.items():
        wanted = strength * lora.delta().numpy()
        np.testing.assert_allclose(found[f"{module}.weight"], wanted, rtol=1e-4, atol=1e-6, err_msg=module)


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_stock_diffusers_fuses_the_same(tmp_path: Path, family: str) -> None:
    source = found(family, "fp32")
    file = write_stock(source, tmp_path / "lora.safetensors", text=True)
    fused = fuse(source, tmp_path / "out", f"{file}@0.7")
    pipeline: Any = pipeline_class(source).from_pretrained(source)
    pipeline.load_lora_weights(file)
    pipeline.fuse_lora(lora_scale=0.7)
    pipeline.unload_lora_weights()
    for part, least in (("unet", 40), ("text_encoder", 4)):
        stock, ours = getattr(pipeline, part).state_dict(), weights(fused / part)
        assert set(ours) == set(stock)
        assert len(changed(source, fused, part)) >= least
        for name, tensor in stock.items():
            torch.testing.assert_close(ours[name], tensor, rtol=1e-5, atol=1e-7, msg=name)


@pytest.mark.parametrize("names", ["diffusers", "original"])
def test_kohyas_files_with_convolutions_text_encoders_and_alphas(tmp_path: Path, names: str) -> None:
    """Mixed ranks with own alphas: stock diffusers paints something else of those."""
    source = found("sdxl", "fp32")
    unet = random_loras(source, "unet", [*LCM_LAYERS, "time_embedding.linear_1"])
    first = random_loras(source, "text_encoder", ["q_proj", "fc2"], alpha=None)
    second = random_loras(source, "text_encoder_2", ["out_proj"])
    named = unet if names == "diffusers" else original_names(source, unet)
    file = write_kohya(
        tmp_path / "lora.safetensors",
        {
            "lora_unet_": named,
            "lora_te1_text_model_": {name.removeprefix("text_model."): lora for name, lora in first.items()},
            "lora_te2_text_model_": {name.removeprefix("text_model."): lora for name, lora in second.items()},
        },
    )
    fused = fuse(source, tmp_path / "out", file)
    for part, loras in (("unet", unet), ("text_encoder", first), ("text_encoder_2", second)):
        assert_adds(source, fused, part, loras)
    assert not changed(source, fused, "vae")


def test_kernels_in_a_matrix_of_their_own(tmp_path: Path) -> None:
    source = found("sd15", "fp32")
    loras = random_loras(source, "unet", ["conv1", "conv_shortcut"], alpha=3.0, tucker=True)
    assert {lora.mid is not None and lora.mid.shape[2:] for lora in loras.values()} == {(1, 1), (3, 3)}
    file = write_kohya(tmp_path / "lora.safetensors", {"lora_unet_": loras})
    assert_adds(source, fuse(source, tmp_path / "out", f"{file}@1.5"), "unet", loras, 1.5)


def test_older_names_of_diffusers_and_those_of_comfyui(tmp_path: Path) -> None:
    source = found("sd15", "fp32")
    loras = random_loras(source, "unet", ["attn1.to_out.0", "attn2.to_k", "conv2"], alpha=None)
    original = original_unet_name(source)
    tensors = {}
    for module, lora in loras.items():
        if module.endswith("conv2"):
            stem = f"diffusion_model.{original(f'{module}.weight').removesuffix('.weight')}"
            down, up = ".lora_A.weight", ".lora_B.weight"
        elif module.endswith("to_out.0"):
            stem = f"unet.{module.removesuffix('.to_out.0')}.processor.to_out"
            down, up = "_lora.down.weight", "_lora.up.weight"
        else:
            stem, down, up = f"base_model.model.{module}", ".lora_A.default.weight", ".lora_B.default.weight"
        tensors |= {stem + down: lora.down, stem + up: lora.up}
    save_file(tensors, tmp_path / "lora.safetensors")
    assert_adds(source, fuse(source, tmp_path / "out", tmp_path / "lora.safetensors"), "unet", loras)


def test_a_single_file_is_converted_and_fused(tmp_path: Path) -> None:
    single = write_single(tmp_path / "model.safetensors", "sdxl")
    plain = import_foundation(single, tmp_path / "plain", ImportOptions(native_px=64), packages=toy_packages()).folder
    unet = random_loras(plain, "unet", LCM_LAYERS)
    file = write_kohya(tmp_path / "lora.safetensors", {"lora_unet_": original_names(plain, unet)})
    fused = fuse(single, tmp_path / "fused", file, native_px=64)
    assert_adds(plain, fused, "unet", unet)
    assert not [path for path in fused.rglob("*") if path.name.endswith((".plain", ".partial"))]


def test_two_files_add_up_and_what_they_leave_alone_keeps_its_bits(tmp_path: Path) -> None:
    source = found("sd15", "fp32")
    loras = [random_loras(source, "unet", [ending]) for ending in ("to_q", "to_k")]
    both = random_loras(source, "unet", ["to_q", "to_k"], alpha=0.5)
    one = write_kohya(tmp_path / "one.safetensors", {"lora_unet_": loras[0] | loras[1]})
    two = write_kohya(tmp_path / "two.safetensors", {"lora_unet_": both})
    fused = fuse(source, tmp_path / "out", f"{one}@0.5", two)
    differences = changed(source, fused, "unet")
    for module, lora in both.items():
        wanted = 0.5 * (loras[0] | loras[1])[module].delta() + lora.delta()
        np.testing.assert_allclose(differences[f"{module}.weight"], wanted.numpy(), rtol=1e-4, atol=1e-6)
    assert set(differences) == {f"{module}.weight" for module in both}
    assert same_bits(weights(source / "vae"), weights(fused / "vae"))


def test_half_precision_is_rounded_once_and_bfloat16_is_widened(tmp_path: Path) -> None:
    source = tmp_path / "source"
    for path in sorted(found("sd15", "sharded").rglob("*")):
        target = source / path.relative_to(found("sd15", "sharded"))
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".safetensors":
            kind = torch.bfloat16 if path.parent.name == "unet" else torch.float16
            save_file({name: tensor.to(kind) for name, tensor in load_file(path).items()}, target)
        elif path.is_file():
            target.write_bytes(path.read_bytes())
    unet = random_loras(source, "unet", ["to_q", "conv1"])
    text = random_loras(source, "text_encoder", ["q_proj"])
    prefixes = {"lora_unet_": unet, "lora_te_text_model_": {k.removeprefix("text_model."): v for k, v in text.items()}}
    fused = fuse(source, tmp_path / "out", write_kohya(tmp_path / "lora.safetensors", prefixes))
    ours, before = weights(fused / "unet"), weights(source / "unet")
    assert {name for name, tensor in ours.items() if tensor.dtype == torch.float32} == {f"{m}.weight" for m in unet}
    for module, lora in unet.items():
        torch.testing.assert_close(ours[f"{module}.weight"], before[f"{module}.weight"].float() + lora.delta())
    plain_index, index = (
        json.loads((folder / "unet/diffusion_pytorch_model.safetensors.index.json").read_text())
        for folder in (import_foundation(source, tmp_path / "plain").folder, fused)
    )
    grown = sum(tensor.nbytes for tensor in ours.values()) - sum(tensor.nbytes for tensor in before.values())
    assert index["metadata"]["total_size"] == plain_index["metadata"]["total_size"] + grown
    assert index["weight_map"] == plain_index["weight_map"]
    encoder, plain = weights(fused / "text_encoder"), weights(source / "text_encoder")
    for module, lora in text.items():
        exact = plain[f"{module}.weight"].float() + lora.delta()
        torch.testing.assert_close(encoder[f"{module}.weight"], exact.half(), rtol=1e-3, atol=0)
