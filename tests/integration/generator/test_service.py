"""The generator through real gRPC: events, images, adapters and everything that must be refused."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import numpy as np
import pytest
from PIL import Image

from headshots.errors import (
    DeadlineExceededError,
    FailedPreconditionError,
    InvalidAdapterError,
    InvalidArgumentError,
    ResourceExhaustedError,
)
from headshots.rpc.channel import error_from_rpc
from headshots.v1 import generator_pb2 as pb
from headshots.v1 import images_pb2, jobs_pb2
from services.generator.engine import EngineLimits
from tests.support.engines import lora_bytes, peft_unet, tiny_digest, with_metadata
from tests.support.generators import Generator, SteppedBackend, ask, refused, running_generator
from tests.support.waiting import PATIENCE_SECONDS, until


@pytest.fixture
async def generator(tmp_path: Path) -> AsyncIterator[Generator]:
    async with running_generator(tmp_path) as made:
        yield made


@pytest.fixture
def backend() -> SteppedBackend:
    return SteppedBackend()


@pytest.fixture
async def stepped(tmp_path: Path, backend: SteppedBackend) -> AsyncIterator[Generator]:
    """A generator on `backend`."""
    async with running_generator(tmp_path, backend=backend) as made:
        yield made


async def reached(call: Any, kind: str) -> None:
    """Returns at the call's first event of that kind."""
    async for event in call:
        if event.WhichOneof("event") == kind:
            return
    raise AssertionError(f"the call ended without the event {kind}")


def pixels(content: bytes) -> np.ndarray[Any, Any]:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image)


async def test_the_events_of_a_request(generator: Generator) -> None:
    events = await generator.paint(steps=4, image_count=2, preview_every=2)
    kinds = [event.WhichOneof("event") for event in events]
    assert kinds[:2] == ["queued", "started"]
    assert kinds.count("step") == 8
    assert kinds[-1] == "image"
    assert kinds.count("image") == 2
    assert events[0].queued.place == 0
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
    events = await generator.paint(image_count=3, seed=41, width_px=32, height_px=48)
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


async def test_the_same_request_is_the_same_bytes_alone_or_in_company(generator: Generator) -> None:
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
    await generator.image(adapter=await generator.add(lora_bytes(peft_unet(2, 2.0, seed=1))))
    found = await generator.stub.DescribeGenerator(pb.DescribeGeneratorRequest())
    assert found.foundation_digest == tiny_digest()
    assert found.backend == "onnxruntime:CPUExecutionProvider"
    assert (found.slots, found.slots_used, found.max_rank, found.max_rows) == (4, 1, 8, 8)
    assert (found.native_width_px, found.native_height_px) == (64, 64)
    assert (found.sampler, found.steps) == (pb.SAMPLER_DDIM, 6)
    assert (found.guidance_scale, found.adapter_guidance_scale, found.negative_adapter_share) == (3.0, 4.0, 1.0)
    assert "{subject}" in found.prompt_template
    assert found.trigger == "sks"
    assert (found.latent_channels, found.latent_cell_px) == (4, 8)


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


async def test_evict_refuses_what_is_in_use(stepped: Generator, backend: SteppedBackend) -> None:
    adapter = await stepped.add(lora_bytes(peft_unet(2, 4.0, seed=9)))
    backend.hold(1)
    call = stepped.stub.Generate(ask(adapter=adapter, steps=150))
    await reached(call, "step")
    with pytest.raises(grpc.RpcError) as caught:
        await stepped.stub.EvictAdapter(pb.EvictAdapterRequest(sha256=adapter.sha256))
    error = error_from_rpc(caught.value)
    assert (type(error), error.reason) == (FailedPreconditionError, "EVICTION_IN_USE")
    call.cancel()


async def test_cancelling_frees_the_rows_and_the_slot(stepped: Generator, backend: SteppedBackend) -> None:
    adapter = await stepped.add(lora_bytes(peft_unet(2, 4.0, seed=9)))
    backend.hold(1)
    calls = []
    for kind in ("step", "queued", "queued"):  # one after another: calls made at once may arrive in any order
        calls.append(stepped.stub.Generate(ask(adapter=adapter, steps=150, image_count=4)))
        await reached(calls[-1], kind)
    await until(lambda: backend.stands)
    for call in calls:
        call.cancel()
    await until(lambda: stepped.metric("requests_total", status="cancelled") == 3)
    # In the middle of a step, after which its rows are free.
    assert (stepped.metric("requests_running"), stepped.metric("requests_waiting")) == (1, 0)
    backend.let_go()
    await until(lambda: stepped.metric("requests_running") == 0)
    assert (await stepped.stub.EvictAdapter(pb.EvictAdapterRequest(sha256=adapter.sha256))).evicted
    assert (await stepped.image()).content, "the batch goes on"


async def test_a_full_queue_says_when_to_come_back(tmp_path: Path, backend: SteppedBackend) -> None:
    async with running_generator(
        tmp_path, backend=backend, limits=EngineLimits(max_rows=2, max_waiting=2)
    ) as generator:
        backend.hold(1)
        calls = []
        for number in range(3):
            calls.append(generator.stub.Generate(ask(steps=150)))
            await reached(calls[-1], "step" if number == 0 else "queued")
        error = await refused(generator)
        assert (type(error), error.reason) == (ResourceExhaustedError, "QUEUE_FULL")
        assert error.retry_after_seconds is not None
        assert error.retry_after_seconds >= 1
        for call in calls:
            call.cancel()


async def test_tenants_take_turns_and_high_priority_goes_first(tmp_path: Path, backend: SteppedBackend) -> None:
    """One image at a time fits, and steps are made for one at a time."""
    async with running_generator(tmp_path, backend=backend, limits=EngineLimits(max_rows=2)) as generator:
        backend.hold()
        done: list[str] = []

        async def paint(name: str, **request: Any) -> None:
            await generator.paint(steps=2, **request)
            done.append(name)

        asked = [
            ("greedy 1", {"tenant": "greedy"}),
            ("greedy 2", {"tenant": "greedy"}),
            ("greedy 3", {"tenant": "greedy"}),
            ("modest", {"tenant": "modest"}),
            ("urgent", {"tenant": "greedy", "priority": jobs_pb2.PRIORITY_HIGH}),
        ]
        tasks = []
        for number, (name, request) in enumerate(asked):
            tasks.append(asyncio.create_task(paint(name, **request)))
            # The first starts, the others wait with all that they need.
            await until(
                lambda number=number: (
                    generator.metric("requests_running") == 1
                    and generator.metric("requests_waiting") == number == ready(generator)
                )
            )
        for count in range(1, 1 + len(asked)):
            backend.permits.release(2)
            await until(lambda count=count: len(done) == count)
        await asyncio.gather(*tasks)
    assert done == ["greedy 1", "urgent", "modest", "greedy 2", "greedy 3"]


def ready(generator: Generator) -> int:
    """Waiting requests that have all they need."""
    return sum(job.ticket.ready for job in generator.engine._loop._admission.jobs)


async def test_a_deadline_that_cannot_be_met_is_refused_at_once(generator: Generator) -> None:
    """The refusal has minutes to come before the deadline does."""
    generator.engine._loop._admission.took(seconds=1e6, rows=1)
    call = generator.stub.Generate(ask(steps=150, image_count=4), timeout=PATIENCE_SECONDS)
    with pytest.raises(grpc.RpcError) as caught:
        _ = [event async for event in call]
    error = error_from_rpc(caught.value)
    assert isinstance(error, DeadlineExceededError)
    assert error.reason == "DEADLINE_TOO_SHORT"
    assert float(error.metadata["estimate_seconds"]) > PATIENCE_SECONDS
    assert generator.metric("requests_waiting") == generator.metric("steps_total") == 0


@pytest.mark.parametrize(
    ("request_fields", "reason"),
    [
        ({"width_px": 40}, "SIZE_INVALID"),
        ({"height_px": 4096}, "SIZE_INVALID"),
        ({"output_prefix": "tenants/../secret"}, "OUTPUT_PREFIX_INVALID"),
        ({"output_prefix": "/tenants"}, "OUTPUT_PREFIX_INVALID"),
        ({"output_prefix": "tenants/"}, "OUTPUT_PREFIX_INVALID"),
    ],
)
async def test_what_the_engine_cannot_paint(generator: Generator, request_fields: dict[str, Any], reason: str) -> None:
    error = await refused(generator, **request_fields)
    assert (type(error), error.reason) == (InvalidArgumentError, reason)


@pytest.mark.parametrize(
    "request_fields",
    [
        {"tenant": "Not Valid"},
        {"prompt": ""},
        {"steps": 151},
        {"seed": -1},
        {"image_count": 5},
        {"sampler": 77},
        {"negative_adapter_share": 1.5},
    ],
    ids=str,
)
async def test_constraints_of_the_contract_hold(generator: Generator, request_fields: dict[str, Any]) -> None:
    error = await refused(generator, **request_fields)
    assert isinstance(error, InvalidArgumentError)
    assert next(iter(request_fields)) in {violation.field for violation in error.violations}


def _garbage() -> bytes:
    return b"\x80\x04pickle of something"


def _foreign() -> bytes:
    return with_metadata(lora_bytes(peft_unet(2, 2.0, seed=3)), {"foundation_digest": "ab" * 32})


def _too_high() -> bytes:
    return lora_bytes(peft_unet(16, 2.0, seed=3))


def _not_finite() -> bytes:
    unet = peft_unet(2, 2.0, seed=3)
    parameter = next(p for name, p in unet.named_parameters() if "lora_B" in name)
    parameter.data[0, 0] = float("nan")
    return lora_bytes(unet)


def _unknown_layers() -> bytes:
    from safetensors.torch import load, save

    tensors = load(lora_bytes(peft_unet(2, 2.0, seed=3)))
    return save({key.replace("attn1", "attn9"): value for key, value in tensors.items()})


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_garbage, "ADAPTER_CORRUPT"),
        (_foreign, "ADAPTER_FOREIGN_FOUNDATION"),
        (_too_high, "ADAPTER_RANK_TOO_HIGH"),
        (_not_finite, "ADAPTER_NOT_FINITE"),
        (_unknown_layers, "ADAPTER_UNKNOWN_LAYERS"),
    ],
)
async def test_bad_adapters_are_refused_and_leave_nothing_behind(generator: Generator, make: Any, reason: str) -> None:
    adapter = await generator.add(make())
    error = await refused(generator, adapter=adapter)
    assert (type(error), error.reason) == (InvalidAdapterError, reason)
    assert generator.metric("slots_used") == 0
    assert generator.metric("requests_waiting") == generator.metric("requests_running") == 0
    assert (await generator.image()).content, "others are served"


async def test_an_adapter_that_was_changed_or_claims_another_foundation(generator: Generator) -> None:
    good = await generator.add(lora_bytes(peft_unet(2, 2.0, seed=3)))
    changed = await generator.add(lora_bytes(peft_unet(2, 2.0, seed=4)))
    changed.sha256 = good.sha256
    error = await refused(generator, adapter=changed)
    assert (type(error), error.reason) == (InvalidAdapterError, "ADAPTER_DIGEST_MISMATCH")
    good.foundation_digest = "ab" * 32
    error = await refused(generator, adapter=good)
    assert (type(error), error.reason) == (InvalidAdapterError, "ADAPTER_FOREIGN_FOUNDATION")
    assert error.metadata["engine_foundation_digest"] == tiny_digest()
