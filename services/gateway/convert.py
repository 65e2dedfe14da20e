"""The engine's dataclasses <-> the public contract's messages."""

from __future__ import annotations

import datetime

from google.protobuf import duration_pb2, timestamp_pb2
from google.protobuf.json_format import ParseDict

from headshots.schema import CANCELLED, FAILED, PENDING, RUNNING, SUCCEEDED
from headshots.styles import Style
from headshots.v1 import gateway_pb2, resources_pb2
from services.gateway import models
from services.gateway.api import names
from services.gateway.galleries import remix

STATES = {
    PENDING: resources_pb2.JOB_STATE_PENDING,
    RUNNING: resources_pb2.JOB_STATE_RUNNING,
    SUCCEEDED: resources_pb2.JOB_STATE_SUCCEEDED,
    FAILED: resources_pb2.JOB_STATE_FAILED,
    CANCELLED: resources_pb2.JOB_STATE_CANCELLED,
}


def timestamp(seconds: float) -> timestamp_pb2.Timestamp:
    """Seconds since the epoch, to the microsecond."""
    stamp = timestamp_pb2.Timestamp()
    stamp.FromDatetime(datetime.datetime.fromtimestamp(seconds, datetime.UTC))
    return stamp


def optional_timestamp(seconds: float | None) -> timestamp_pb2.Timestamp | None:
    """None stays unset."""
    return None if seconds is None else timestamp(seconds)


def tenant(value: models.Tenant) -> resources_pb2.Tenant:
    """A tenant."""
    return resources_pb2.Tenant(
        name=f"tenants/{value.id}", display_name=value.display_name, create_time=timestamp(value.created_at)
    )


def adapter(value: models.Adapter | None) -> resources_pb2.Adapter | None:
    """An adapter; None stays unset."""
    if value is None:
        return None
    return resources_pb2.Adapter(
        sha256=value.sha256,
        key=value.key,
        foundation_digest=value.foundation_digest,
        rank=value.rank,
        trigger=value.trigger,
        size_bytes=value.size_bytes,
        kohya_key=value.kohya_key,
        manifest_key=value.manifest_key,
    )


def failure(value: models.Failure | None) -> resources_pb2.Failure | None:
    """A failure; None stays unset."""
    return None if value is None else resources_pb2.Failure(reason=value.reason, message=value.message)


def subject(value: models.Subject) -> resources_pb2.Subject:
    """A subject."""
    return resources_pb2.Subject(
        name=names.subject_name(value.id),
        display_name=value.display_name,
        class_noun=value.class_noun,
        create_time=timestamp(value.created_at),
        photo_count=value.photo_count,
        adapter=adapter(value.adapter),
    )


def photo(value: models.Photo) -> resources_pb2.Photo:
    """A photo."""
    return resources_pb2.Photo(
        name=names.photo_name(value.subject_id, value.sha256),
        sha256=value.sha256,
        size_bytes=value.size_bytes,
        width_px=value.width_px,
        height_px=value.height_px,
        filename=value.filename,
        create_time=timestamp(value.created_at),
    )


def training_options(message: resources_pb2.TrainingOptions) -> models.TrainingOptions:
    """What is set in the message."""
    return models.TrainingOptions(
        steps=message.steps if message.HasField("steps") else None,
        rank=message.rank if message.HasField("rank") else None,
        learning_rate=message.learning_rate if message.HasField("learning_rate") else None,
        batch_rows=message.batch_rows if message.HasField("batch_rows") else None,
        seed=message.seed if message.HasField("seed") else None,
    )


def training(value: models.Training) -> resources_pb2.Training:
    """A training."""
    job, options = value.job, value.request.options
    eta = None
    if job.eta_seconds is not None:
        eta = duration_pb2.Duration()
        eta.FromMilliseconds(round(job.eta_seconds * 1000))
    return resources_pb2.Training(
        name=names.training_name(value.subject_id, value.id),
        state=STATES[job.state],
        step=job.step,
        total_steps=job.total_steps,
        loss=job.loss,
        eta=eta,
        queue_place=job.queue_place,
        attempt=job.attempt,
        options=resources_pb2.TrainingOptions(
            steps=options.steps,
            rank=options.rank,
            learning_rate=options.learning_rate,
            batch_rows=options.batch_rows,
            seed=options.seed,
        ),
        adapter=adapter(job.adapter),
        failure=failure(job.failure),
        create_time=timestamp(value.created_at),
        start_time=optional_timestamp(job.started_at),
        end_time=optional_timestamp(value.ended_at),
        curve=[resources_pb2.LossPoint(step=step, loss=loss) for step, loss in job.curve],
        photo_count=len(value.request.photos),
        likeness=job.likeness,
        status_message=value.note,
        event_number=value.revision,
        scores=ParseDict(job.scores, resources_pb2.TrainingScores()) if job.scores is not None else None,
    )


def gallery_order(request: gateway_pb2.CreateGalleryRequest) -> models.GalleryOrder:
    """What is asked for, zeros replaced by the contract's defaults."""
    return models.GalleryOrder(
        styles=tuple(names.ids(name)[0] for name in request.styles),
        shots_per_style=request.shots_per_style or models.DEFAULT_SHOTS_PER_STYLE,
        seed=request.seed,
        image_format=int(request.format) or int(resources_pb2.IMAGE_FORMAT_PNG),
        quality=request.quality,
        priority=int(request.priority) or models.PRIORITY_STANDARD,
        remix=_remix_order(request.remix) if request.HasField("remix") else None,
    )


def _remix_order(message: resources_pb2.Remix) -> remix.RemixOrder:
    subject_id, gallery_id, number = names.ids(message.image)
    repaint = message.repaint if message.HasField("repaint") else None
    return remix.RemixOrder(subject_id, gallery_id, int(number), repaint)


def _remix(subject_id: str, value: remix.Remix | None) -> resources_pb2.Remix | None:
    if value is None:
        return None
    image = names.image_name(subject_id, value.gallery_id, value.number)
    return resources_pb2.Remix(image=image, repaint=value.repaint)


def gallery(value: models.Gallery) -> resources_pb2.Gallery:
    """A gallery with the images that it carries."""
    return resources_pb2.Gallery(
        name=names.gallery_name(value.subject_id, value.id),
        state=STATES[value.state],
        styles=[names.style_name(style) for style in value.styles],
        shots_per_style=value.shots_per_style,
        seed=value.seed,
        total_shots=value.total_shots,
        completed_shots=value.completed_shots,
        failed_shots=value.failed_shots,
        adapter_sha256=value.adapter.sha256,
        failure=failure(value.failure),
        create_time=timestamp(value.created_at),
        end_time=optional_timestamp(value.ended_at),
        images=[image(value.subject_id, value.id, one) for one in value.images],
        status_message=value.note,
        remix=_remix(value.subject_id, value.remix),
    )


def image(subject_id: str, gallery_id: str, value: models.Image) -> resources_pb2.Image:
    """An image of a gallery."""
    return resources_pb2.Image(
        name=names.image_name(subject_id, gallery_id, value.number),
        style=names.style_name(value.style),
        prompt=value.prompt,
        seed=value.seed,
        width_px=value.width_px,
        height_px=value.height_px,
        content_type=value.content_type,
        size_bytes=value.size_bytes,
        sha256=value.sha256,
        likeness=value.likeness,
        seconds=value.seconds,
    )


def preview(value: models.ShotPreview) -> gateway_pb2.ShotPreview:
    """A glimpse of a shot."""
    return gateway_pb2.ShotPreview(
        shot=value.shot, step=value.step, total_steps=value.total_steps, content=value.content
    )


def style(value: Style) -> resources_pb2.Style:
    """A style."""
    return resources_pb2.Style(
        name=names.style_name(value.name),
        display_name=value.display_name,
        description=value.description,
        version=value.version,
        outfit=value.outfit,
        backdrop=value.backdrop,
        lighting=value.lighting,
        framing=value.framing,
    )
