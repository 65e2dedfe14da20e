"""LoRA are fused into a hub's model as into a folder; what cannot be used is refused before any weights."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from huggingface_hub import constants

from headshots.diffusion.foundations.foundation import Foundation, foundation_digest
from headshots.diffusion.importing.ensure import find_place
from headshots.diffusion.importing.fusing.request import Fusion, read_fusion
from headshots.diffusion.importing.hub.repository import Hub
from headshots.diffusion.importing.importer import import_foundation
from headshots.diffusion.importing.request import ImportOptions
from headshots.errors import HeadshotsError
from tests.support.foundations.hub_server import HubServer
from tests.support.foundations.layouts import found
from tests.support.foundations.loras import Lora, layers_of, random_lora, write_kohya
from tests.support.foundations.paper import paper_pipeline
from tests.support.foundations.single_files import toy_packages, write_single

NAME = Path("org/model")
UNET = "unet/diffusion_pytorch_model.safetensors"
CROSS = "down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
SAMPLED = {"sampler", "steps", "guidance_scale", "adapter_guidance_scale"}


def fused(path: Path, loras: dict[str, Lora], few_steps: str = "none") -> Fusion:
    """A fusion of one file with these layers of the UNet."""
    fusion = read_fusion([str(write_kohya(path / "lora.safetensors", {"lora_unet_": loras}))], few_steps)
    assert fusion is not None
    return fusion


def fitting(path: Path, few_steps: str = "none") -> Fusion:
    layers = layers_of(found("sd15", "fp32"), "unet", "to_q")
    return fused(path, {module: random_lora(shape, 2, 1.0, 0) for module, shape in layers.items()}, few_steps)


def of_other_width(path: Path) -> Fusion:
    return fused(path, {CROSS: random_lora((32, 768), 2, 1.0, 0)})


def of_other_layers(path: Path) -> Fusion:
    return fused(path, {"down_blocks_7_to_q": random_lora((32, 32), 2, 1.0, 0)})


def of_other_kind(path: Path) -> Fusion:
    return fitting(path, "lightning-4")


def test_a_hubs_model_is_fused_as_a_folder_is_and_keeps_its_prompts(
    server: HubServer, hub: Hub, tmp_path: Path
) -> None:
    commit = server.publish("org/model", found("sd15", "fp32"))
    fusion = fitting(tmp_path, "lcm-4")
    options = ImportOptions(fusion=fusion)
    place = find_place(NAME, tmp_path / "foundations", fusion, hub)
    assert place.folder.name.startswith("model-lcm-4-")
    import_foundation(NAME, place.folder, options, hub=hub)
    assert find_place(NAME, tmp_path / "foundations", fusion, hub).is_there
    assert not find_place(NAME, tmp_path / "foundations", None, hub).is_there
    record = yaml.safe_load((place.folder / "import.yaml").read_text())
    assert record["hub"]["commit"] == commit
    assert record["fused"] == fusion.to_json()

    folder = import_foundation(found("sd15", "fp32"), tmp_path / "folder", options).folder
    assert foundation_digest(place.folder) == foundation_digest(folder)
    plain = import_foundation(found("sd15", "fp32"), tmp_path / "plain").folder
    before, after = (yaml.safe_load((each / "headshots.yaml").read_text()) for each in (plain, place.folder))
    assert {key: value for key, value in after.items() if key not in SAMPLED} == {
        key: value for key, value in before.items() if key not in SAMPLED
    }
    assert not any(path.is_symlink() for path in place.folder.rglob("*")), "the cache may be cleared"
    made = Foundation.read(place.folder)
    assert (made.sampler, made.steps, made.guidance_scale) == ("lcm", 4, 1.0)
    assert "plastic skin" in made.negative_prompt


@pytest.mark.parametrize("is_file", [False, True])
@pytest.mark.parametrize(
    ("fusion", "told"),
    [
        (of_other_width, r"FUSE_OTHER_FAMILY: .* takes text of width 768, and this foundation's of (32|64)"),
        (of_other_layers, r"FUSE_UNKNOWN_LAYERS: .* 1 of its 1 layers are none of this foundation"),
        (of_other_kind, r"FUSE_OTHER_FAMILY: lightning-4 is published for sdxl alone"),
    ],
)
def test_what_cannot_be_fused_is_refused_before_any_weights(
    server: HubServer, hub: Hub, tmp_path: Path, fusion: Callable[[Path], Fusion], told: str, is_file: bool
) -> None:
    if is_file:
        model = write_single(tmp_path / "model.safetensors", "sd15").read_bytes()
        server.repositories["org/model"].commit({"model.safetensors": model})
    else:
        server.publish("org/model", found("sd15", "sharded-fp16"))
    with pytest.raises(HeadshotsError) as caught:
        import_foundation(
            NAME, tmp_path / "out", ImportOptions(fusion=fusion(tmp_path)), packages=toy_packages(), hub=hub
        )
    assert re.match(told, str(caught.value))
    only_headers(server)


def test_a_scheduler_without_a_table_is_refused_before_any_weights(server: HubServer, hub: Hub, tmp_path: Path) -> None:
    scheduler = json.dumps({"_class_name": "PNDMScheduler"}).encode()
    files = {**paper_pipeline(), "scheduler/scheduler_config.json": scheduler}
    server.repositories["org/model"].commit(files)
    with pytest.raises(HeadshotsError) as caught:
        import_foundation(NAME, tmp_path / "out", hub=hub)
    assert caught.value.reason == "SCHEDULER_UNSUPPORTED"
    assert re.search(r"`headshots foundation import org/model@\w+ --sampler dpmpp_2m --out FOLDER`", str(caught.value))
    only_headers(server)
    assert import_foundation(NAME, tmp_path / "out", ImportOptions(sampler="ddim"), hub=hub).is_new


def test_a_fused_foundation_on_a_hub_stays_the_same_one(server: HubServer, hub: Hub, tmp_path: Path) -> None:
    options = ImportOptions(fusion=fitting(tmp_path))
    made = import_foundation(found("sd15", "fp32"), tmp_path / "made", options).folder
    server.publish("org/model", made)
    with pytest.raises(HeadshotsError, match="FUSE_TWICE"):
        import_foundation(NAME, tmp_path / "twice", options, hub=hub)
    only_headers(server)
    fetched = import_foundation(NAME, tmp_path / "fetched", hub=hub).folder
    assert foundation_digest(fetched) == foundation_digest(made)


def test_offline_a_refusal_is_told_as_what_it_is(
    server: HubServer, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_foundation(NAME, tmp_path / "out", hub=hub)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(HeadshotsError) as caught:
        import_foundation(NAME, tmp_path / "other", ImportOptions(fusion=of_other_kind(tmp_path)), hub=hub)
    assert caught.value.reason == "FUSE_OTHER_FAMILY"


def only_headers(server: HubServer) -> None:
    """A header is a range of a file; no file of weights came whole."""
    weights = [ranged for _, path, ranged in server.calls if "/resolve/" in path and path.endswith(".safetensors")]
    assert all(weights)
