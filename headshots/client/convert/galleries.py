"""Protobuf to the SDK's dataclasses and back. Nothing above this module sees a protobuf message."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from headshots.client import images, models
from headshots.client.names import Kind, resource_name
from headshots.client.scores import training_scores
from headshots.v1 import (
    adapters_pb2,
    galleries_pb2,
    images_pb2,
    jobs_pb2,
    photos_pb2,
    styles_pb2,
    subjects_pb2,
    tenants_pb2,
    trainings_pb2,
)

_PRIORITIES = {
    models.Priority.STANDARD: jobs_pb2.PRIORITY_STANDARD,
    models.Priority.HIGH: jobs_pb2.PRIORITY_HIGH,
}
_FORMATS = {
    images.ImageFormat.PNG: images_pb2.IMAGE_FORMAT_PNG,
    images.ImageFormat.JPEG: images_pb2.IMAGE_FORMAT_JPEG,
    images.ImageFormat.WEBP: images_pb2.IMAGE_FORMAT_WEBP,
}


def tenant(message: tenants_pb2.Tenant) -> models.Tenant:
    """A tenant."""
    return models.Tenant(message.name, message.display_name, _time(message.create_time))


def adapter(message: adapters_pb2.Adapter) -> models.Adapter:
    """An adapter."""
    return models.Adapter(
        sha256=message.sha256,
        key=message.key,
        foundation_digest=message.foundation_digest,
        rank=message.rank,
        trigger=message.trigger,
        size_bytes=message.size_bytes,
        kohya_key=message.kohya_key,
        manifest_key=message.manifest_key,
    )


def subject(message: subjects_pb2.Subject) -> models.Subject:
    """A subject."""
    return models.Subject(
        name=message.name,
        display_name=message.display_name,
        class_noun=message.class_noun,
        create_time=_time(message.create_time),
        photo_count=message.photo_count,
        adapter=adapter(message.adapter) if message.HasField("adapter") else None,
    )


def photo(message: photos_pb2.Photo) -> models.Photo:
    """A photo."""
    return models.Photo(
        name=message.name,
        sha256=message.sha256,
        size_bytes=message.size_bytes,
        width_px=message.width_px,
        height_px=message.height_px,
        filename=message.filename,
        create_time=_time(message.create_time),
    )


def training(message: trainings_pb2.Training) -> models.Training:
    """A training."""
    return models.Training(
        name=message.name,
        state=_state(message.state),
        step=message.step,
        total_steps=message.total_steps,
        loss=message.loss,
        eta_seconds=message.eta.ToNanoseconds() / 1e9 if message.HasField("eta") else None,
        queue_place=message.queue_place,
        attempt=message.attempt,
        options=_options(message.options),
        adapter=adapter(message.adapter) if message.HasField("adapter") else None,
        failure=_failure(message.failure) if message.HasField("failure") else None,
        create_time=_time(message.create_time),
        start_time=_time(message.start_time),
        end_time=_time(message.end_time),
        curve=tuple(models.LossPoint(point.step, point.loss) for point in message.curve),
        photo_count=message.photo_count,
        likeness=message.likeness if message.HasField("likeness") else None,
        status_message=message.status_message,
        event_number=message.event_number,
        scores=training_scores(message.scores) if message.HasField("scores") else None,
    )


def training_options(options: models.TrainingOptions) -> trainings_pb2.TrainingOptions:
    """The wire's options; what is None stays unset, so that the recipe's value is taken."""
    return trainings_pb2.TrainingOptions(
        steps=options.steps,
        rank=options.rank,
        learning_rate=options.learning_rate,
        batch_rows=options.batch_rows,
        seed=options.seed,
    )


def style(message: styles_pb2.Style) -> models.Style:
    """A style."""
    return models.Style(
        name=message.name,
        display_name=message.display_name,
        description=message.description,
        version=message.version,
        outfit=message.outfit,
        backdrop=message.backdrop,
        lighting=message.lighting,
        framing=message.framing,
    )


def image(message: images_pb2.Image) -> images.Image:
    """An image, without its file."""
    return images.Image(
        name=message.name,
        style=message.style,
        prompt=message.prompt,
        seed=message.seed,
        width_px=message.width_px,
        height_px=message.height_px,
        content_type=message.content_type,
        size_bytes=message.size_bytes,
        sha256=message.sha256,
        likeness=message.likeness if message.HasField("likeness") else None,
        seconds=message.seconds,
    )


def gallery(message: galleries_pb2.Gallery) -> models.Gallery:
    """A gallery."""
    return models.Gallery(
        name=message.name,
        state=_state(message.state),
        styles=tuple(message.styles),
        shots_per_style=message.shots_per_style,
        seed=message.seed,
        total_shots=message.total_shots,
        completed_shots=message.completed_shots,
        failed_shots=message.failed_shots,
        adapter_sha256=message.adapter_sha256,
        failure=_failure(message.failure) if message.HasField("failure") else None,
        create_time=_time(message.create_time),
        end_time=_time(message.end_time),
        images=tuple(image(each) for each in message.images),
        status_message=message.status_message,
        remix=_remix(message.remix) if message.HasField("remix") else None,
    )


def gallery_event(message: galleries_pb2.WatchGalleryResponse) -> models.GalleryEvent:
    """One change of a gallery: the gallery, an image with its file, or a preview."""
    if message.HasField("gallery"):
        return gallery(message.gallery)
    if message.HasField("image"):
        return images.PaintedImage(image(message.image), message.content)
    preview = message.preview
    return images.ShotPreview(preview.shot, preview.step, preview.total_steps, preview.content)


def remix(value: images.Remix | None) -> galleries_pb2.Remix | None:
    """The wire's remix; what is None stays unset."""
    return (
        None
        if value is None
        else galleries_pb2.Remix(image=resource_name(value.image, Kind.IMAGE), repaint=value.repaint)
    )


def priority(value: models.Priority) -> jobs_pb2.Priority:
    """The wire's priority."""
    return _PRIORITIES[value]


def image_format(value: images.ImageFormat) -> images_pb2.ImageFormat:
    """The wire's image format."""
    return _FORMATS[value]


def _time(message: Timestamp) -> datetime | None:
    # An unset Timestamp reads as the epoch, which no resource of ours can carry.
    if message.seconds == 0 and message.nanos == 0:
        return None
    return message.ToDatetime(tzinfo=UTC)


def _state(value: jobs_pb2.JobState) -> models.JobState:
    return models.JobState(jobs_pb2.JobState.Name(value).removeprefix("JOB_STATE_"))


def _failure(message: jobs_pb2.Failure) -> models.Failure:
    return models.Failure(message.reason, message.message)


def _remix(message: galleries_pb2.Remix) -> images.Remix:
    return images.Remix(message.image, message.repaint if message.HasField("repaint") else None)


def _options(message: trainings_pb2.TrainingOptions) -> models.TrainingOptions:
    return models.TrainingOptions(
        steps=message.steps if message.HasField("steps") else None,
        rank=message.rank if message.HasField("rank") else None,
        learning_rate=message.learning_rate if message.HasField("learning_rate") else None,
        batch_rows=message.batch_rows if message.HasField("batch_rows") else None,
        seed=message.seed if message.HasField("seed") else None,
    )
