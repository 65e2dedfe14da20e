"""The headers of an adapter's files, as ModelSpec and kohya's tools read them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.numpy

from headshots.artifacts import ArtifactStore
from services.trainer.queue.job import AdapterFiles
from tests.support.trainer.runs import finish, training_task

pytestmark = pytest.mark.usefixtures("one_thread")


# The keys that ModelSpec requires, and those of its optional ones that we set.
MODELSPEC = [
    f"modelspec.{name}"
    for name in (
        "sai_model_spec",
        "architecture",
        "implementation",
        "title",
        "resolution",
        "prediction_type",
        "trigger_phrase",
    )
]


# The keys by which kohya's tools recognise the network and its base model.
KOHYA = {
    "ss_network_module": "networks.lora",
    "ss_network_dim": "2",
    "ss_network_alpha": "2.0",
    "ss_base_model_version": "sd_v1",
    "ss_v2": "False",
    "ss_steps": "4",
    "ss_resolution": "(64, 64)",
}


def test_the_headers_and_the_manifest_describe_the_adapter(foundation: Path, tmp_path: Path) -> None:
    task = training_task(foundation, tmp_path, steps=4, rank=2)
    files = finish(task).adapter
    store = ArtifactStore.open(task.store_url)
    data, kohya = store.get_sync(files.key), store.get_sync(files.kohya_key)
    manifest = json.loads(store.get_sync(files.manifest_key))
    assert files.sha256 == hashlib.sha256(data).hexdigest() == manifest["adapter"]["sha256"]
    for name, key in (("kohya", "adapter.kohya.safetensors"), ("sheet", "sheet.jpg"), ("card", "README.md")):
        stored = store.get_sync(f"{task.request.output_prefix}/{key}")
        assert manifest[f"{name}_sha256"] == hashlib.sha256(stored).hexdigest()
    assert AdapterFiles(**manifest["adapter"]) == replace(files, others=())
    assert (files.size_bytes, files.rank, files.trigger) == (len(data), 2, "sks")
    assert manifest["photos"] == [photo.sha256 for photo in task.request.photos]
    assert [point[0] for point in manifest["curve"]] == [1, 2, 3, 4]
    header, kohya_header = _header(data), _header(kohya)
    for facts in (header, kohya_header):
        assert facts["foundation_digest"] == task.foundation_digest
        assert (facts["rank"], facts["alpha"], facts["trigger"]) == ("2", "2", "sks")
        assert json.loads(facts["recipe"])["steps"] == 4
        assert {key.removeprefix("modelspec."): value for key, value in facts.items() if key in MODELSPEC} == {
            "sai_model_spec": "1.0.1",
            "architecture": "stable-diffusion-v1/lora",
            "implementation": "diffusers",
            "title": "headshots of a man",
            "resolution": "64x64",
            "prediction_type": "v",
            "trigger_phrase": "sks man",
        }
    assert json.loads(header["lora_adapter_metadata"])["unet.lora_alpha"] == 2
    assert {key: kohya_header[key] for key in KOHYA} == KOHYA
    assert not any(key.startswith("ss_") for key in header)
    assert "lora_adapter_metadata" not in kohya_header
    assert not any(name.endswith(".alpha") for name in safetensors.numpy.load(data))


def _header(data: bytes) -> dict[str, str]:
    metadata: dict[str, str] = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]
    return metadata
