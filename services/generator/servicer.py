"""Translates GeneratorService between protobuf and the engine, and does nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import grpc.aio

from headshots.diffusion.package import EnginePackage
from headshots.looks.frame import Frame
from headshots.marking.rights import TenantRights
from headshots.rpc.internal.guard import current_grant
from headshots.v1 import generator_pb2 as pb
from headshots.v1 import generator_pb2_grpc, images_pb2, jobs_pb2, looks_pb2, styles_pb2
from services.generator.adapters.tiers import AdapterRef
from services.generator.engine import Engine
from services.generator.requests.checking import TextCheck
from services.generator.requests.request import (
    Event,
    GeneratedImage,
    GenerationRequest,
    Picture,
    Queued,
    Source,
    Started,
    StepDone,
    StoredPicture,
)

MAX_MESSAGE_BYTES = 24 * 2**20
"""Largest request: a picture, a mask and noise at their limits, sent by value."""
_SAMPLERS = {
    pb.SAMPLER_UNSPECIFIED: "",
    pb.SAMPLER_DDIM: "ddim",
    pb.SAMPLER_EULER: "euler",
    pb.SAMPLER_DPMPP_2M: "dpmpp_2m",
    pb.SAMPLER_EULER_ANCESTRAL: "euler_ancestral",
    pb.SAMPLER_DPMPP_2M_SDE: "dpmpp_2m_sde",
    pb.SAMPLER_LCM: "lcm",
    pb.SAMPLER_TCD: "tcd",
}
_SAMPLER_NUMBERS = {name: number for number, name in _SAMPLERS.items()}
_EXTENSIONS = {
    images_pb2.IMAGE_FORMAT_UNSPECIFIED: "png",
    images_pb2.IMAGE_FORMAT_PNG: "png",
    images_pb2.IMAGE_FORMAT_JPEG: "jpg",
    images_pb2.IMAGE_FORMAT_WEBP: "webp",
}


class GeneratorServicer(generator_pb2_grpc.GeneratorServiceServicer):
    """See protos/headshots/v1/generator.proto."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def Generate(
        self, request: pb.GenerateRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[pb.GenerateResponse]:
        hold_generation(request)
        # A call that is cancelled between two events must close the engine's iterator too, at once.
        async with aclosing(self._engine.generate(_generation_request(request, context.time_remaining()))) as events:
            async for event in events:
                yield _response(event)

    async def CheckGeneration(
        self, request: pb.CheckGenerationRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> pb.CheckGenerationResponse:
        hold_generation(request.request)
        checked = self._engine.check(_generation_request(request.request, None))
        return pb.CheckGenerationResponse(
            prompt=_text_reading(checked.prompt),
            negative_prompt=_text_reading(checked.negative_prompt),
            width_px=checked.plan.width_px,
            height_px=checked.plan.height_px,
            steps=checked.plan.steps,
            guidance_scale=checked.plan.guidance,
            guidance_interval=_interval(checked.plan.interval),
            row_steps=checked.plan.row_steps,
        )

    async def DescribeGenerator(
        self, request: pb.DescribeGeneratorRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> pb.DescribeGeneratorResponse:
        state = self._engine.state()
        package = state.package
        return pb.DescribeGeneratorResponse(
            foundation=package.foundation,
            foundation_digest=package.foundation_digest,
            backend=state.backend,
            slots=package.slots,
            slots_used=state.slots_used,
            max_rank=package.layout.max_rank,
            max_rows=state.max_rows,
            native_width_px=package.native_width_px,
            native_height_px=package.native_height_px,
            sampler=_SAMPLER_NUMBERS[package.sampler],
            steps=package.steps,
            guidance_scale=package.guidance_scale,
            adapter_guidance_scale=package.adapter_guidance_scale,
            adapter_strength=package.adapter_strength,
            negative_adapter_share=package.negative_adapter_share,
            requests_waiting=state.waiting,
            requests_running=state.running,
            prompt_template=package.prompt_template,
            negative_prompt=package.negative_prompt,
            trigger=package.trigger,
            latent_channels=package.latent_channels,
            latent_cell_px=package.vae_scale_factor,
            **_ranges(package),
            size_multiple_px=package.size_multiple_px,
            class_nouns=package.class_nouns,
            vocabulary=package.vocabulary,
            window_tokens=package.window_tokens,
            slot_adapters=state.held.in_slots,
            host_adapters=state.held.in_memory,
            disk_adapters=state.held.on_disk,
            guidance_interval=_interval(package.guidance_interval),
            head_height=package.head_height,
            eye_line=package.eye_line,
        )

    async def EvictAdapter(
        self, request: pb.EvictAdapterRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> pb.EvictAdapterResponse:
        hold_eviction(request)
        return pb.EvictAdapterResponse(evicted=await self._engine.evict(request.sha256))


def register(engine: Engine, server: grpc.aio.Server) -> list[str]:
    """Add the service to ``server``; its full name."""
    generator_pb2_grpc.add_GeneratorServiceServicer_to_server(GeneratorServicer(engine), server)  # type: ignore[no-untyped-call]
    return [pb.DESCRIPTOR.services_by_name["GeneratorService"].full_name]


def hold_generation(request: pb.GenerateRequest) -> None:
    """Hold what a request reads and writes to the call's grant; raises PermissionDeniedError: GRANT_TOO_NARROW."""
    grant = current_grant()
    grant.check_equal("tenant", request.tenant, grant.tenant)
    if request.HasField("adapter"):
        grant.check_readable("adapter.key", request.adapter.key)
    for field, picture in (("source.picture", request.source.picture), ("source.mask", request.source.mask)):
        if picture.WhichOneof("file") == "stored":
            grant.check_readable(f"{field}.stored.key", picture.stored.key)
    # The installation signs what an image says, so the gateway vouches for what is said for a tenant.
    if request.HasField("rights") or grant.rights:
        grant.check_equal("rights", tenant_rights(request).digest, grant.rights)
    # Without one images are answered, not written.
    if request.output_prefix:
        grant.check_writable("output_prefix", request.output_prefix)


def hold_eviction(request: pb.EvictAdapterRequest) -> None:
    """Hold the adapter to the call's grant; raises PermissionDeniedError: GRANT_TOO_NARROW."""
    grant = current_grant()
    grant.check_equal("sha256", request.sha256, grant.adapter)


def _generation_request(request: pb.GenerateRequest, deadline_seconds: float | None) -> GenerationRequest:
    adapter = None
    if request.HasField("adapter"):
        adapter = AdapterRef(request.adapter.sha256, request.adapter.key, request.adapter.foundation_digest)
    return GenerationRequest(
        tenant=request.tenant,
        prompt=request.prompt,
        adapter=adapter,
        adapter_strength=request.adapter_strength if request.HasField("adapter_strength") else None,
        negative_adapter_share=(request.negative_adapter_share if request.HasField("negative_adapter_share") else None),
        negative_prompt=request.negative_prompt,
        source=_source(request.source) if request.HasField("source") else None,
        seed=request.seed,
        noise=request.noise,
        steps=request.steps,
        guidance_scale=request.guidance_scale if request.HasField("guidance_scale") else None,
        guidance_interval=(
            (request.guidance_interval.low, request.guidance_interval.high)
            if request.HasField("guidance_interval")
            else None
        ),
        width_px=request.width_px,
        height_px=request.height_px,
        sampler=_SAMPLERS[request.sampler],
        extension=_EXTENSIONS[request.format],
        quality=request.quality,
        images=request.image_count or 1,
        preview_every=request.preview_every,
        output_prefix=request.output_prefix,
        rights=tenant_rights(request) if request.HasField("rights") else None,
        frame=_frame(request.frame) if request.HasField("frame") else None,
        high=request.priority == jobs_pb2.PRIORITY_HIGH,
        deadline_seconds=deadline_seconds,
    )


def tenant_rights(request: pb.GenerateRequest) -> TenantRights:
    """What a request says of rights for the tenant."""
    given = request.rights
    said = {name: getattr(given, name) for name in ("owner", "usage_terms", "licence") if given.HasField(name)}
    return TenantRights(**said, with_prompts=given.with_prompts)


def _ranges(package: EnginePackage) -> dict[str, int]:
    widths, heights = package.width_range_px, package.height_range_px
    sides = {"min_width_px": widths[0], "max_width_px": widths[1]}
    return {**sides, "min_height_px": heights[0], "max_height_px": heights[1]}


def _interval(value: tuple[float, float]) -> styles_pb2.GuidanceInterval:
    return styles_pb2.GuidanceInterval(low=value[0], high=value[1])


def _text_reading(value: TextCheck) -> pb.TextReading:
    return pb.TextReading(tokens=value.tokens, lost=value.lost, unknown_words=value.unknown_words)


def _frame(frame: looks_pb2.Frame) -> Frame:
    told = {name: getattr(frame, name) for name in ("eye_line", "head_height") if frame.HasField(name)}
    return Frame(frame.width_px, frame.height_px, **told)


def _source(source: pb.Source) -> Source:
    return Source(
        _picture(source.picture),
        source.repaint if source.HasField("repaint") else None,
        _picture(source.mask) if source.HasField("mask") else None,
        source.soft_mask,
        source.whole,
    )


def _picture(picture: pb.Picture) -> Picture:
    if picture.WhichOneof("file") == "stored":
        return StoredPicture(picture.stored.key, picture.stored.sha256)
    return picture.content


def _response(event: Event) -> pb.GenerateResponse:
    match event:
        case Queued(position):
            return pb.GenerateResponse(queued=pb.Queued(position=position))
        case Started(queue_seconds):
            return pb.GenerateResponse(started=pb.Started(queue_seconds=queue_seconds))
        case StepDone(index, step, total, preview):
            done = pb.StepDone(index=index, step=step, total_steps=total, preview=preview)
            return pb.GenerateResponse(step=done)
        case GeneratedImage():
            # Its fields are the message's.
            return pb.GenerateResponse(image=pb.GeneratedImage(**vars(event)))
