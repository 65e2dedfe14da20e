"""The generator through real gRPC: events, images and adapters."""

from __future__ import annotations

import asyncio
import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from headshots.errors import (
    InvalidAdapterError,
)
from headshots.routing.residents import ToldAdapters
from headshots.v1 import generator_pb2 as pb
from headshots.v1 import images_pb2
from services.gateway.peers import convert
from tests.support.foundations.engines import lora_bytes, peft_unet, tiny_digest
from tests.support.generator.world import Generator, refused


def pixels(content: bytes) -> np.ndarray[Any, Any]:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image)


async def test_the_events_of_a_request(generator: Generator) -> None:
    events = await generator.generate(steps=4, image_count=2, preview_every=2)
    kinds = [event.WhichOneof("event") for event in events]
    assert kinds[:2] == ["queued", "started"]
    assert kinds.count("step") == 8
    assert kinds[-1] == "image"
    assert kinds.count("image") == 2
    assert events[0].queued.position == 0
    for index in (0, 1):
        steps = [e.step for e in events if e.WhichOneof("event") == "step" and e.step.index == index]
        assert [(s.step, s.total_steps, bool(s.preview)) for s in steps] == [
            (1, 4, False),
            (2, 4, True),
            (3, 4, False),
            (4, 4, True),
        ]
        assert pixels(steps[1].preview).shape == (32, 32, 3)


async def test_images_say_what_they_are(generator: Generator) -> None:
    events = await generator.generate(image_count=3, seed=41, width_px=32, height_px=48)
    found = sorted((e.image for e in events if e.WhichOneof("event") == "image"), key=lambda image: image.index)
    assert [image.seed for image in found] == [41, 42, 43]
    assert len({image.sha256 for image in found}) == 3
    for image in found:
        assert image.sha256 == hashlib.sha256(image.content).hexdigest()
        assert (image.size_bytes, image.content_type) == (len(image.content), "image/png")
        assert pixels(image.content).shape == (image.height_px, image.width_px, 3) == (48, 32, 3)
    alone = await generator.image(seed=42, width_px=32, height_px=48)
    assert alone.content == found[1].content, "image i of a request is the image of seed + i"


@pytest.mark.parametrize(
    ("number", "name", "content_type"),
    [
        (images_pb2.IMAGE_FORMAT_JPEG, "JPEG", "image/jpeg"),
        (images_pb2.IMAGE_FORMAT_WEBP, "WEBP", "image/webp"),
    ],
)
async def test_formats_and_quality(generator: Generator, number: int, name: str, content_type: str) -> None:
    fine = await generator.image(format=number, quality=95)
    coarse = await generator.image(format=number, quality=20)
    with Image.open(io.BytesIO(fine.content)) as image:
        assert image.format == name
    assert fine.content_type == content_type
    assert coarse.size_bytes < fine.size_bytes
    truth = pixels((await generator.image()).content).astype(float)
    assert np.abs(pixels(fine.content) - truth).mean() < np.abs(pixels(coarse.content) - truth).mean()


async def test_an_image_is_stored_by_its_content(generator: Generator) -> None:
    image = await generator.image(output_prefix="tenants/acme/subjects/s/images")
    assert image.key == f"tenants/acme/subjects/s/images/{image.sha256}.png"
    assert image.content == b""
    stored = await generator.store.get(image.key)
    assert hashlib.sha256(stored).hexdigest() == image.sha256
    again = await generator.image(output_prefix="tenants/acme/subjects/s/images")
    assert again.key == image.key
    assert await generator.store.list("tenants/acme") == [image.key]


async def test_the_same_request_is_the_same_bytes_alone_or_beside_others(generator: Generator) -> None:
    adapters = [await generator.add(lora_bytes(peft_unet(4, 8.0, seed))) for seed in range(3)]
    samplers = [pb.SAMPLER_DDIM, pb.SAMPLER_EULER, pb.SAMPLER_DPMPP_2M]
    requests: list[dict[str, Any]] = [
        {
            "adapter": adapters[i % 3],
            "seed": i,
            "sampler": samplers[i % 2],
            "steps": 3 + i % 4,
            "guidance_scale": 1.0 if i % 5 == 0 else 2.0 + i,
            "prompt": ["photo of sks man", "portrait of sks woman in suit"][i % 2],
            "tenant": ["acme", "other"][i % 2],
        }
        for i in range(9)
    ]
    together = await asyncio.gather(*(generator.image(**request) for request in requests))
    alone = [await generator.image(**request) for request in requests]
    assert [image.sha256 for image in together] == [image.sha256 for image in alone]
    assert len({image.sha256 for image in alone}) == 9


async def test_subjects_prompts_and_strength_change_the_image(generator: Generator) -> None:
    first, second = [await generator.add(lora_bytes(peft_unet(4, 8.0, seed))) for seed in (1, 2)]
    images = [
        await generator.image(),
        await generator.image(adapter=first),
        await generator.image(adapter=second),
        await generator.image(adapter=first, adapter_strength=0.5),
        await generator.image(adapter=first, negative_adapter_share=0.0),
        await generator.image(adapter=first, prompt="studio light"),
        await generator.image(adapter=first, negative_prompt="grey"),
    ]
    assert len({image.sha256 for image in images}) == len(images)
    nothing = await generator.image(adapter=first, adapter_strength=0.0)
    assert nothing.sha256 == images[0].sha256, "an adapter at strength 0 is the bare foundation"


async def test_describe_says_what_runs(generator: Generator) -> None:
    adapter = await generator.add(lora_bytes(peft_unet(2, 2.0, seed=1)))
    await generator.image(adapter=adapter)
    found = await generator.stub.DescribeGenerator(pb.DescribeGeneratorRequest())
    assert found.foundation_digest == tiny_digest()
    assert found.backend == "onnxruntime:CPUExecutionProvider"
    assert (found.slots, found.slots_used, found.max_rank, found.max_rows) == (4, 1, 8, 8)
    assert (found.native_width_px, found.native_height_px) == (64, 64)
    assert (found.sampler, found.steps) == (pb.SAMPLER_DDIM, 6)
    assert (found.guidance_scale, found.adapter_guidance_scale) == (3.0, 4.0)
    assert (found.adapter_strength, found.negative_adapter_share) == (1.0, 1.0)
    assert "{subject}" in found.prompt_template
    assert found.trigger == "sks"
    assert (found.latent_channels, found.latent_cell_px) == (4, 8)
    assert list(found.slot_adapters) == list(found.host_adapters) == list(found.disk_adapters) == [adapter.sha256]
    understood = convert.answer(found, is_serving=True)
    assert understood.adapters == ToldAdapters(*[(adapter.sha256,)] * 3, slots=3), "as gateways read it"


async def test_guidance_by_default_is_the_foundations_and_with_an_adapter_its_own_for_these(
    generator: Generator,
) -> None:
    adapter = await generator.add(lora_bytes(peft_unet(2, 2.0, seed=1)))
    for request, default, other in (({}, 3.0, 4.0), ({"adapter": adapter}, 4.0, 3.0)):
        unset = await generator.image(seed=5, **request)
        assert unset.content == (await generator.image(seed=5, guidance_scale=default, **request)).content
        assert unset.content != (await generator.image(seed=5, guidance_scale=other, **request)).content


async def test_adapters_pass_through_the_tiers(generator: Generator, tmp_path: Path) -> None:
    """Five subjects, three slots: each load is counted where it happened, and evicted ones come back right."""
    adapters = [await generator.add(lora_bytes(peft_unet(2, 4.0, seed))) for seed in range(5)]
    first = [await generator.image(adapter=adapter) for adapter in adapters]
    assert generator.metric("slots_used") == 3
    assert generator.metric("adapter_loads_total", tier="store") == 5
    again = [await generator.image(adapter=adapter) for adapter in adapters]
    assert [i.sha256 for i in again] == [i.sha256 for i in first]
    assert generator.metric("adapter_loads_total", tier="store") == 5
    assert generator.metric("adapter_loads_total", tier="host") == 10, "least recently used: each came back"
    await generator.image(adapter=adapters[4])
    assert generator.metric("adapter_loads_total", tier="host") == 10, "resident: nothing moved"
    assert len(list((tmp_path / "adapters").glob("*.safetensors"))) == 5


async def test_evict_forgets_everywhere(generator: Generator, tmp_path: Path) -> None:
    adapter = await generator.add(lora_bytes(peft_unet(2, 4.0, seed=9)))
    await generator.image(adapter=adapter)
    request = pb.EvictAdapterRequest(sha256=adapter.sha256)
    assert (await generator.stub.EvictAdapter(request)).evicted
    assert generator.metric("slots_used") == 0
    assert not list((tmp_path / "adapters").iterdir())
    assert not (await generator.stub.EvictAdapter(request)).evicted
    await generator.store.delete(adapter.key)
    error = await refused(generator, adapter=adapter)
    assert (type(error), error.reason) == (InvalidAdapterError, "ADAPTER_NOT_FOUND")
