"""Converts what the gateway exchanges with trainers and generators between dataclasses and protobuf."""

from __future__ import annotations

import dataclasses
import re
from typing import cast

from google.protobuf.json_format import MessageToDict

from headshots.errors import InternalError
from headshots.routing.fleet import Answer
from headshots.routing.residents import ToldAdapters
from headshots.v1 import adapters_pb2, generator_pb2, images_pb2, jobs_pb2, looks_pb2, trainer_pb2, trainings_pb2
from services.gateway.api.convert import STATES, interval, progress_from, wire_interval
from services.gateway.peers.events import GenerationEvent, ImageDone, StepDone, Waiting
from services.gateway.peers.models import (
    Adapter,
    Failure,
    GenerationCheck,
    GenerationRequest,
    GeneratorDescription,
    SourceImage,
    TextReading,
    TrainingJob,
    TrainingOptions,
    TrainingRequest,
)
from services.gateway.peers.stored_files import StoredFile

_SHA256 = re.compile("[0-9a-f]{64}")
_STATES = {number: state for state, number in STATES.items()}


def adapter(value: Adapter | None) -> adapters_pb2.Adapter | None:
    """An adapter; None stays unset."""
    if value is None:
        return None
    return adapters_pb2.Adapter(
        sha256=value.sha256,
        key=value.key,
        foundation_digest=value.foundation_digest,
        rank=value.rank,
        trigger=value.trigger,
        size_bytes=value.size_bytes,
        kohya_key=value.kohya_key,
        manifest_key=value.manifest_key,
    )


def failure(value: Failure | None) -> jobs_pb2.Failure | None:
    """A failure; None stays unset."""
    return None if value is None else jobs_pb2.Failure(reason=value.reason, message=value.message)


def options(value: TrainingOptions) -> trainings_pb2.TrainingOptions:
    """Training options; what is None stays unset."""
    return trainings_pb2.TrainingOptions(
        steps=value.steps,
        rank=value.rank,
        learning_rate=value.learning_rate,
        batch_rows=value.batch_rows,
        seed=value.seed,
    )


def training_request(value: TrainingRequest) -> trainer_pb2.StartTrainingRequest:
    """A request to a trainer."""
    return trainer_pb2.StartTrainingRequest(
        job_id=value.job_id,
        tenant=value.tenant,
        photos=[trainer_pb2.PhotoRef(key=key, sha256=sha256) for key, sha256 in value.photos],
        output_prefix=value.output_prefix,
        class_noun=value.class_noun,
        options=options(value.options),
        priority=cast(jobs_pb2.Priority, value.priority),
    )


def generation_request(value: GenerationRequest) -> generator_pb2.GenerateRequest:
    """A request to a generator."""
    return generator_pb2.GenerateRequest(
        tenant=value.tenant,
        adapter=adapter(value.adapter),
        prompt=value.prompt,
        negative_prompt=value.negative_prompt,
        seed=value.seed,
        steps=value.steps,
        guidance_scale=value.guidance_scale,
        guidance_interval=wire_interval(value.guidance_interval),
        negative_adapter_share=value.negative_adapter_share,
        width_px=value.width_px,
        height_px=value.height_px,
        format=cast(images_pb2.ImageFormat, value.image_format),
        quality=value.quality,
        image_count=1,
        preview_every=value.preview_every,
        output_prefix=value.output_prefix,
        priority=cast(jobs_pb2.Priority, value.priority),
        source=_source(value.source),
        rights=generator_pb2.TenantRights(**dataclasses.asdict(value.rights)) if value.rights is not None else None,
        frame=looks_pb2.Frame(**value.frame.to_json()) if value.frame is not None else None,
    )


def _source(value: SourceImage | None) -> generator_pb2.Source | None:
    if value is None:
        return None
    stored = generator_pb2.StoredPicture(key=value.key, sha256=value.sha256)
    mask = generator_pb2.Picture(content=value.mask) if value.mask else None
    picture = generator_pb2.Picture(stored=stored)
    return generator_pb2.Source(
        picture=picture, repaint=value.repaint, mask=mask, soft_mask=mask is not None, whole=value.whole
    )


def training_job(message: trainer_pb2.TrainingJob) -> TrainingJob:
    """A trainer's job."""
    return TrainingJob(
        state=_STATES[message.state],
        step=message.step,
        total_steps=message.total_steps,
        loss=message.loss,
        eta_seconds=message.eta.ToTimedelta().total_seconds() if message.HasField("eta") else None,
        queue_position=message.queue_position,
        attempt=message.attempt,
        adapter=adapter_from(message.adapter) if message.HasField("adapter") else None,
        failure=(Failure(message.failure.reason, message.failure.message) if message.HasField("failure") else None),
        started_at=message.start_time.ToNanoseconds() / 1e9 if message.HasField("start_time") else None,
        ended_at=message.end_time.ToNanoseconds() / 1e9 if message.HasField("end_time") else None,
        curve=tuple((point.step, point.loss) for point in message.curve),
        revision=message.revision,
        likeness=message.likeness if message.HasField("likeness") else None,
        phase_message=message.phase_message,
        progress=progress_from(message.progress) if message.HasField("progress") else None,
        scores=MessageToDict(message.scores) if message.HasField("scores") else None,
        others=tuple(StoredFile(each.key, each.sha256, each.size_bytes) for each in message.adapter.others),
    )


def adapter_from(message: adapters_pb2.Adapter) -> Adapter:
    """An adapter from protobuf."""
    return Adapter(
        sha256=message.sha256,
        key=message.key,
        foundation_digest=message.foundation_digest,
        rank=message.rank,
        trigger=message.trigger,
        size_bytes=message.size_bytes,
        kohya_key=message.kohya_key,
        manifest_key=message.manifest_key,
    )


def generation_event(message: generator_pb2.GenerateResponse) -> GenerationEvent:
    """An event of a generator's stream.

    Raises:
        InternalError: GENERATOR_PROTOCOL.
    """
    kind = message.WhichOneof("event")
    if kind == "step":
        return StepDone(message.step.step, message.step.total_steps, message.step.preview)
    if kind == "image":
        image = message.image
        if not image.key:
            raise InternalError("GENERATOR_PROTOCOL", "the generator sent an image by value, asked by reference")
        return ImageDone(
            key=image.key,
            sha256=image.sha256,
            size_bytes=image.size_bytes,
            content_type=image.content_type,
            width_px=image.width_px,
            height_px=image.height_px,
            mark_id=image.mark_id,
            frame_missed=image.frame_missed,
        )
    return Waiting()


def description(message: generator_pb2.DescribeGeneratorResponse) -> GeneratorDescription:
    """What a generator runs."""
    return GeneratorDescription(
        foundation_digest=message.foundation_digest,
        max_rank=message.max_rank,
        prompt_template=message.prompt_template,
        trigger=message.trigger,
        native_width_px=message.native_width_px,
        native_height_px=message.native_height_px,
        foundation=message.foundation,
        width_range_px=(message.min_width_px, message.max_width_px),
        height_range_px=(message.min_height_px, message.max_height_px),
        size_multiple_px=message.size_multiple_px,
        steps=message.steps,
        adapter_guidance_scale=message.adapter_guidance_scale,
        guidance_interval=interval(message),
        class_nouns=tuple(message.class_nouns),
        vocabulary=tuple(message.vocabulary),
        window_tokens=message.window_tokens,
        sampler=int(message.sampler),
        negative_prompt=message.negative_prompt,
        head_height=_share(message, "head_height"),
        eye_line=_share(message, "eye_line"),
    )


def _share(message: generator_pb2.DescribeGeneratorResponse, field: str) -> float | None:
    # A float of the contract has seven digits: 0.39 comes as 0.389999986.
    return float(f"{getattr(message, field):.6g}") if message.HasField(field) else None


def generation_check(message: generator_pb2.CheckGenerationResponse) -> GenerationCheck:
    """What a request would become."""
    return GenerationCheck(
        prompt=_text_reading(message.prompt),
        negative_prompt=_text_reading(message.negative_prompt),
        width_px=message.width_px,
        height_px=message.height_px,
        steps=message.steps,
        guidance_scale=message.guidance_scale,
        guidance_interval=interval(message),
    )


def _text_reading(message: generator_pb2.TextReading) -> TextReading:
    return TextReading(message.tokens, message.lost, tuple(message.unknown_words))


def answer(message: generator_pb2.DescribeGeneratorResponse, *, is_serving: bool) -> Answer:
    """What a generator says of itself, for routing.

    Raises:
        InternalError: GENERATOR_PROTOCOL.
    """
    told = [message.slot_adapters, message.host_adapters, message.disk_adapters]
    digests = [message.foundation_digest, *(sha256 for tier in told for sha256 in tier)]
    if any(_SHA256.fullmatch(digest) is None for digest in digests):
        raise InternalError("GENERATOR_PROTOCOL", "the generator names its foundation or an adapter by no digest")
    slots, host, disk = (tuple(tier) for tier in told)
    # Slot 0 is the bare foundation's.
    adapters = ToldAdapters(slots, host, disk, max(message.slots - 1, 0))
    requests = message.requests_waiting + message.requests_running
    return Answer(message.foundation_digest, is_serving, adapters, requests)
