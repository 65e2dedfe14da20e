"""Converts galleries and their images between protobuf and dataclasses."""

from __future__ import annotations

from typing import Any

from headshots.client.convert.values import job_failure, job_state, utc_time, wire_priority
from headshots.client.models.images import Image, ImageFormat, PaintedImage, Remix, ShotPreview
from headshots.client.models.jobs import Gallery, GalleryEvent, Priority, TrainingRef
from headshots.client.names import Kind, resource_name
from headshots.v1 import galleries_pb2, images_pb2

_FORMATS = {
    ImageFormat.PNG: images_pb2.IMAGE_FORMAT_PNG,
    ImageFormat.JPEG: images_pb2.IMAGE_FORMAT_JPEG,
    ImageFormat.WEBP: images_pb2.IMAGE_FORMAT_WEBP,
}


def image(message: images_pb2.Image) -> Image:
    """An image, without its file."""
    return Image(
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


def gallery(message: galleries_pb2.Gallery) -> Gallery:
    """A gallery."""
    return Gallery(
        name=message.name,
        state=job_state(message.state),
        styles=tuple(message.styles),
        shots_per_style=message.shots_per_style,
        seed=message.seed,
        total_shots=message.total_shots,
        completed_shots=message.completed_shots,
        failed_shots=message.failed_shots,
        adapter_sha256=message.adapter_sha256,
        failure=job_failure(message.failure) if message.HasField("failure") else None,
        create_time=utc_time(message.create_time),
        end_time=utc_time(message.end_time),
        images=tuple(image(each) for each in message.images),
        status_message=message.status_message,
        remix=_remix(message.remix) if message.HasField("remix") else None,
    )


def gallery_event(message: galleries_pb2.WatchGalleryResponse) -> GalleryEvent:
    """One change of a gallery: the gallery, an image with its file, or a preview."""
    if message.HasField("gallery"):
        return gallery(message.gallery)
    if message.HasField("image"):
        return PaintedImage(image(message.image), message.content)
    preview = message.preview
    return ShotPreview(preview.shot, preview.step, preview.total_steps, preview.content)


def painting_options(
    format: ImageFormat, quality: int, priority: Priority, remix: Remix | None, training: TrainingRef | None
) -> dict[str, Any]:
    """The fields of a CreateGalleryRequest that say how its images are painted; what is None stays unset."""
    return {
        "format": _FORMATS[format],
        "quality": quality,
        "priority": wire_priority(priority),
        "remix": None if remix is None else _wire_remix(remix),
        "training": None if training is None else resource_name(training, Kind.TRAINING),
    }


def _wire_remix(value: Remix) -> galleries_pb2.Remix:
    return galleries_pb2.Remix(image=resource_name(value.image, Kind.IMAGE), repaint=value.repaint)


def _remix(message: galleries_pb2.Remix) -> Remix:
    return Remix(message.image, message.repaint if message.HasField("repaint") else None)
