"""Converts galleries, their images and their orders between dataclasses and protobuf."""

from __future__ import annotations

from headshots.acceptance.verdict import Acceptance, Verdict
from headshots.v1 import galleries_pb2, images_pb2
from services.gateway.api import names
from services.gateway.api.convert import STATES, optional_timestamp, timestamp
from services.gateway.api.labels import Labelling
from services.gateway.events.models import ShotPreview
from services.gateway.galleries.images.listing import ImageQuery
from services.gateway.galleries.limits import DEFAULT_CHANGE_TRIES, DEFAULT_PROFILE
from services.gateway.galleries.models import Gallery, GalleryOrder, Image
from services.gateway.galleries.orders.seeds import StyleSeeds
from services.gateway.galleries.remix import Remix, RemixOrder
from services.gateway.galleries.state import MET, NOT_MEASURED, NOT_MET
from services.gateway.peers.convert import failure
from services.gateway.peers.models import PRIORITY_STANDARD
from services.gateway.remixes.changes import Change

_ACCEPTANCES = {
    Acceptance.ACCEPTED: images_pb2.ACCEPTANCE_ACCEPTED,
    Acceptance.REFUSED: images_pb2.ACCEPTANCE_REFUSED,
    Acceptance.NOT_MEASURED: images_pb2.ACCEPTANCE_NOT_MEASURED,
}
_OUTCOMES = {images_pb2.ACCEPTANCE_UNSPECIFIED: "", **{number: each.value for each, number in _ACCEPTANCES.items()}}
GUARANTEES = {
    None: galleries_pb2.GUARANTEE_UNSPECIFIED,
    MET: galleries_pb2.GUARANTEE_MET,
    NOT_MET: galleries_pb2.GUARANTEE_NOT_MET,
    NOT_MEASURED: galleries_pb2.GUARANTEE_NOT_MEASURED,
}
_CHANGES = {
    galleries_pb2.REMIX_CHANGE_BACKDROP: Change.BACKDROP,
    galleries_pb2.REMIX_CHANGE_OUTFIT: Change.OUTFIT,
    galleries_pb2.REMIX_CHANGE_LIGHT: Change.LIGHT,
}
_CHANGE_NUMBERS = {change: number for number, change in _CHANGES.items()}

WIRE_STYLE_SEEDS = {
    StyleSeeds.SAME: galleries_pb2.STYLE_SEEDS_SAME,
    StyleSeeds.VARIED: galleries_pb2.STYLE_SEEDS_VARIED,
}
STYLE_SEEDS = {
    galleries_pb2.STYLE_SEEDS_UNSPECIFIED: None,
    **{number: each for each, number in WIRE_STYLE_SEEDS.items()},
}


def gallery_order(request: galleries_pb2.CreateGalleryRequest) -> GalleryOrder:
    """A gallery's order; the contract's defaults replace zeros."""
    return GalleryOrder(
        styles=tuple(names.ids(name)[0] for name in request.styles),
        shots_per_style=request.shots_per_style,
        style_shots=tuple(request.style_shots),
        seed=request.seed,
        image_format=int(request.format) or int(images_pb2.IMAGE_FORMAT_PNG),
        quality=request.quality,
        priority=int(request.priority) or PRIORITY_STANDARD,
        remix=_remix_order(request.remix) if request.HasField("remix") else None,
        training=_training(request.training),
        profile="".join(names.ids(request.profile)) or DEFAULT_PROFILE,
        max_tries=request.max_tries or (DEFAULT_CHANGE_TRIES if request.remix.change else 1),
        allow_unjudged=request.allow_unjudged,
        style_seeds=STYLE_SEEDS[request.style_seeds] or StyleSeeds.SAME,
        labelling=Labelling.of_request(request),
    )


def image_query(request: galleries_pb2.ListImagesRequest) -> ImageQuery:
    """Which images are asked for."""
    return ImageQuery(
        by_rank=request.order == galleries_pb2.IMAGE_ORDER_RANK,
        acceptance=_OUTCOMES[request.acceptance],
        styles=tuple(names.ids(name)[0] for name in request.styles),
        max_rank=request.max_rank,
        wanted=Labelling.of_request(request),
    )


def _training(name: str) -> tuple[str, str] | None:
    if not name:
        return None
    subject_id, training_id = names.ids(name)
    return subject_id, training_id


def _remix_order(message: galleries_pb2.Remix) -> RemixOrder:
    subject_id, gallery_id, number = names.ids(message.image)
    repaint = message.repaint if message.HasField("repaint") else None
    return RemixOrder(subject_id, gallery_id, int(number), repaint, _CHANGES.get(message.change), message.to)


def _remix(subject_id: str, value: Remix | None) -> galleries_pb2.Remix | None:
    if value is None:
        return None
    image = names.image_name(subject_id, value.gallery_id, value.number)
    change = _CHANGE_NUMBERS[value.change] if value.change is not None else galleries_pb2.REMIX_CHANGE_UNSPECIFIED
    return galleries_pb2.Remix(image=image, repaint=value.repaint, change=change, to=value.to)


def gallery(value: Gallery) -> galleries_pb2.Gallery:
    """A gallery with its images."""
    return galleries_pb2.Gallery(
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
        status_message=value.status_message,
        remix=_remix(value.subject_id, value.remix),
        style_shots=value.style_shots,
        profile=names.profile_name(value.profile.name) if value.profile is not None else "",
        profile_version=value.profile.version if value.profile is not None else 0,
        max_tries=value.max_tries,
        accepted_shots=value.accepted_shots,
        tries=value.tries,
        guarantee=GUARANTEES[value.guarantee],
        regenerates=value.regenerates,
        images_expire_time=optional_timestamp(value.images_expire_at),
        style_seeds=WIRE_STYLE_SEEDS[value.style_seeds],
        **value.labelling.fields,
    )


def image(subject_id: str, gallery_id: str, value: Image) -> images_pb2.Image:
    """An image of a gallery."""
    return images_pb2.Image(
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
        verdict=verdict(value.judgement.verdict) if value.judgement is not None else None,
        rank=value.rank,
        tries=value.tries,
        **value.labelling.fields,
    )


def verdict(value: Verdict) -> images_pb2.Verdict:
    """What an acceptance profile says of an image."""
    checks = [
        images_pb2.Check(
            reason=check.reason, passed=check.passed, measured=check.measured, limit=check.limit, message=check.message
        )
        for check in value.checks
    ]
    return images_pb2.Verdict(
        acceptance=_ACCEPTANCES[value.acceptance],
        profile=names.profile_name(value.profile),
        profile_version=value.profile_version,
        analyzer=value.analyzer,
        checks=checks,
    )


def preview(value: ShotPreview) -> galleries_pb2.ShotPreview:
    """A preview of a shot."""
    return galleries_pb2.ShotPreview(
        shot=value.shot, step=value.step, total_steps=value.total_steps, content=value.content
    )
