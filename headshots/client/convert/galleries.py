"""Converts galleries between protobuf and dataclasses."""

from __future__ import annotations

from typing import Any

from headshots.client.convert.images import image, style_seeds, wire_format
from headshots.client.convert.labels import labelled
from headshots.client.convert.values import job_failure, job_state, utc_time, wire_priority
from headshots.client.convert.verdicts import guarantee, profile_name
from headshots.client.models.images import ImageFormat, PaintedImage, Remix, RemixChange, ShotPreview
from headshots.client.models.jobs import Gallery, GalleryEvent, Priority, TrainingRef
from headshots.client.models.verdicts import ProfileRef
from headshots.client.names import Kind, resource_name
from headshots.v1 import galleries_pb2

_CHANGE = "REMIX_CHANGE_"


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
        style_shots=tuple(message.style_shots),
        profile=message.profile,
        profile_version=message.profile_version,
        max_tries=message.max_tries,
        accepted_shots=message.accepted_shots,
        tries=message.tries,
        guarantee=guarantee(message.guarantee),
        regenerates=message.regenerates,
        images_expire_time=utc_time(message.images_expire_time),
        style_seeds=style_seeds(message.style_seeds),
        **labelled(message),
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
    seed: int,
    format: ImageFormat,
    quality: int,
    priority: Priority,
    remix: Remix | None,
    training: TrainingRef | None,
    profile: ProfileRef,
    max_tries: int,
) -> dict[str, Any]:
    """The fields of a CreateGalleryRequest that say how its images are painted and judged; what is None stays unset."""
    return {
        "seed": seed,
        "format": wire_format(format),
        "quality": quality,
        "priority": wire_priority(priority),
        "remix": None if remix is None else _wire_remix(remix),
        "training": None if training is None else resource_name(training, Kind.TRAINING),
        "profile": profile_name(profile),
        "max_tries": max_tries,
    }


def remix_request(
    remix: Remix, shots: int, seed: int, format: ImageFormat, max_tries: int
) -> galleries_pb2.CreateGalleryRequest:
    """An order that changes one thing of an image, in a gallery of the image's subject."""
    fields = painting_options(seed, format, 0, Priority.STANDARD, remix, None, "", max_tries)
    parent = remix.image.partition("/galleries/")[0]
    return galleries_pb2.CreateGalleryRequest(parent=parent, shots_per_style=shots, **fields)


def _wire_remix(value: Remix) -> galleries_pb2.Remix:
    change = f"{_CHANGE}{value.change or 'UNSPECIFIED'}"
    image = resource_name(value.image, Kind.IMAGE)
    return galleries_pb2.Remix(image=image, repaint=value.repaint, change=change, to=value.to)


def _remix(message: galleries_pb2.Remix) -> Remix:
    change = galleries_pb2.RemixChange.Name(message.change).removeprefix(_CHANGE) if message.change else None
    repaint = message.repaint if message.HasField("repaint") else None
    return Remix(message.image, repaint, RemixChange(change) if change else None, message.to)
