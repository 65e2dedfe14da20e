"""A training's files in the store: files that a killed attempt left are completed, or replaced."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from headshots.artifacts import ArtifactStore
from headshots.diffusion.foundations.foundation import Foundation
from headshots.diffusion.lora.layout import ATTENTION_LAYERS
from headshots.diffusion.safetensors_io import read_arrays
from headshots.errors import FailedPreconditionError
from services.trainer.lora.recipe import Recipe, TrainingOptions
from services.trainer.output.adapter_files import (
    Extras,
    finished_adapter,
    remove_artefacts,
    remove_late,
    take_prefix,
    write_adapter,
)
from services.trainer.output.provenance import Provenance, fingerprint, provenance_of
from services.trainer.queue.job import AdapterFiles, JobRequest, PhotoRef
from services.trainer.selection.choosing import not_measured
from services.trainer.selection.scores import TrainingScores

PREFIX = "tenants/t/adapters/a"
REQUEST = JobRequest((PhotoRef("p/1.png", "1" * 64),), PREFIX, "man", TrainingOptions())
PROVENANCE = Provenance(
    "tiny",
    "f" * 64,
    "sd15",
    False,
    (64, 64),
    "sks",
    ATTENTION_LAYERS,
    "a" * 64,
    (2.0, 0.5),
    Recipe(steps=3, rank=2),
    "{}",
)
NAMES = ("adapter.safetensors", "adapter.kohya.safetensors", "manifest.json", "sheet.jpg", "README.md")
CURVE = [(1, 0.5), (3, 0.25)]


@pytest.fixture
def store() -> ArtifactStore:
    return ArtifactStore.open("memory:///")


def weights(value: float) -> dict[str, np.ndarray]:
    return {
        "mid.to_q.lora_A.weight": np.full((2, 3), value, np.float32),
        "mid.to_q.lora_B.weight": np.full((4, 2), value, np.float32),
    }


def write(
    store: ArtifactStore, *, value: float = 1.0, step: int = 3, provenance: Provenance = PROVENANCE
) -> tuple[AdapterFiles, TrainingScores]:
    extras = Extras(f"sheet of {value}".encode(), lambda scores, sheet: f"{scores.chosen_step} {sheet}")
    return write_adapter(store, REQUEST, provenance, weights(value), CURVE, not_measured("why", step), extras)


def get(store: ArtifactStore, name: str) -> bytes:
    return store.get_sync(f"{PREFIX}/{name}")


def must_belong_together(store: ArtifactStore, value: float) -> None:
    """All files are of one run with the weights ``value``, and the manifest has their digests."""
    manifest = json.loads(get(store, "manifest.json"))
    for name, data in (
        (manifest["adapter"]["sha256"], "adapter.safetensors"),
        (manifest["kohya_sha256"], "adapter.kohya.safetensors"),
        (manifest["sheet_sha256"], "sheet.jpg"),
        (manifest["card_sha256"], "README.md"),
    ):
        assert name == hashlib.sha256(get(store, data)).hexdigest()
    for name, key in (
        ("adapter.safetensors", "unet.mid.to_q.lora_A.weight"),
        ("adapter.kohya.safetensors", "lora_unet_mid_to_q.lora_down.weight"),
    ):
        arrays, metadata = read_arrays(get(store, name))
        assert (arrays[key] == value).all()
        assert metadata["step"] == str(manifest["scores"]["chosen_step"])
        assert metadata["fingerprint"] == manifest["fingerprint"]


@pytest.mark.parametrize("missing", [NAMES[2:3], NAMES[1:], ("manifest.json", "sheet.jpg"), NAMES])
def test_missing_files_are_completed_and_the_others_kept(store: ArtifactStore, missing: tuple[str, ...]) -> None:
    files, scores = write(store)
    before = {name: get(store, name) for name in NAMES}
    for name in missing:
        store.delete_sync(f"{PREFIX}/{name}")
    assert write(store) == (files, scores)
    assert {name: get(store, name) for name in NAMES} == before
    must_belong_together(store, 1.0)
    assert finished_adapter(store, REQUEST, PROVENANCE) == (files, CURVE, scores)


def test_the_files_beside_the_adapter_are_told_as_the_store_holds_them(store: ArtifactStore) -> None:
    files, _ = write(store)
    told = {file.key: (file.sha256, file.size_bytes) for file in files.others}
    beside = {name: get(store, name) for name in NAMES if name != "adapter.safetensors"}
    assert told == {f"{PREFIX}/{name}": (hashlib.sha256(data).hexdigest(), len(data)) for name, data in beside.items()}


@pytest.mark.parametrize("left", [NAMES[:1], NAMES[:2], NAMES[:2] + NAMES[3:]])
@pytest.mark.parametrize("upgraded", [True, False])
def test_files_of_another_result_are_all_replaced(store: ArtifactStore, left: tuple[str, ...], upgraded: bool) -> None:
    """As left by a trainer before an upgrade, or by a device that chose another checkpoint the first time."""
    other = dataclasses.replace(PROVENANCE, recipe=Recipe(steps=3, rank=2, face_weight=1.0))
    write(store, value=7.0, step=3 if upgraded else 2, provenance=other if upgraded else PROVENANCE)
    for name in set(NAMES) - set(left):
        store.delete_sync(f"{PREFIX}/{name}")
    files, _ = write(store)
    must_belong_together(store, 1.0)
    assert files.sha256 == hashlib.sha256(get(store, "adapter.safetensors")).hexdigest()


def test_a_finished_result_of_another_request_is_not_used(store: ArtifactStore) -> None:
    write(store, value=7.0)
    other = dataclasses.replace(PROVENANCE, trigger="ohwx")
    with pytest.raises(FailedPreconditionError, match="OUTPUT_TAKEN"):
        finished_adapter(store, REQUEST, other)


def test_a_job_removes_what_it_wrote_and_nothing_of_another_job(store: ArtifactStore) -> None:
    """The same request under another job id has the same fingerprint; it is another job all the same."""
    take_prefix(store, PREFIX, "mine")
    write(store, value=7.0)
    store.put_sync(f"{REQUEST.checkpoint_folder}/1.safetensors", b"half")
    before = store.list_sync(PREFIX)
    with pytest.raises(FailedPreconditionError, match="OUTPUT_TAKEN"):
        take_prefix(store, PREFIX, "other")
    remove_artefacts(store, REQUEST, "other")
    assert store.list_sync(PREFIX) == before
    take_prefix(store, PREFIX, "mine")
    remove_artefacts(store, REQUEST, "mine")
    assert store.list_sync(PREFIX) == []


def test_what_an_erased_job_wrote_late_goes_unless_the_prefix_is_another_jobs(store: ArtifactStore) -> None:
    store.put_sync(f"{PREFIX}/sheet.jpg", b"late")
    remove_late(store, REQUEST, "mine")
    assert store.list_sync(PREFIX) == []
    take_prefix(store, PREFIX, "other")
    remove_late(store, REQUEST, "mine")
    assert len(store.list_sync(PREFIX)) == 1


def test_a_result_without_an_owner_is_of_an_earlier_version_and_taken(store: ArtifactStore) -> None:
    write(store, value=7.0)
    with pytest.raises(FailedPreconditionError, match="OUTPUT_TAKEN"):
        take_prefix(store, PREFIX, "other")
    remove_artefacts(store, REQUEST, "other")
    must_belong_together(store, 7.0)


@pytest.mark.parametrize(
    "changed",
    [
        {"guidance_interval": [0.0, 0.5]},
        {"guidance_scale": 3.5, "adapter_guidance_scale": 7.5},
        {"sampler": "euler_ancestral"},
        {"spacing": "trailing"},
        {"sampler": "ddim", "eta": 0.5},
        {"prompt_template": "a photo of {subject} in a {outfit}"},
        {"negative_prompt": "cartoon"},
        {"head_height": 0.7},
    ],
    ids=lambda changed: "-".join(changed),
)
def test_what_decides_how_photos_are_cut_and_portraits_painted_makes_another_run(
    foundation: Path, tmp_path: Path, changed: dict[str, object]
) -> None:
    """Else an interrupted training would go on, and be judged by portraits that its first checkpoints did not have."""
    other = Path(shutil.copytree(foundation, tmp_path / "other"))

    def mark() -> str:
        return fingerprint(REQUEST, provenance_of(Foundation.read(other), "f" * 64, REQUEST))

    before = mark()
    assert mark() == before
    settings = yaml.safe_load((other / "headshots.yaml").read_text())
    (other / "headshots.yaml").write_text(yaml.safe_dump({**settings, **changed}))
    assert mark() != before


def test_other_initial_weights_or_guidance_are_another_run(store: ArtifactStore) -> None:
    others = (
        dataclasses.replace(PROVENANCE, start_sha256="b" * 64),
        dataclasses.replace(PROVENANCE, guidance=(2.0, 1.0)),
        dataclasses.replace(PROVENANCE, painting="{1}"),
        dataclasses.replace(PROVENANCE, adapter_strength=0.5),
    )
    assert len({fingerprint(REQUEST, provenance) for provenance in (PROVENANCE, *others)}) == 5
    write(store)
    for name in NAMES[:2]:
        assert read_arrays(get(store, name))[1]["start_sha256"] == "a" * 64
