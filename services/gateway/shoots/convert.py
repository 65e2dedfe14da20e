"""Converts shoots and their orders between dataclasses and protobuf."""

from __future__ import annotations

from collections.abc import Iterable

from headshots.v1 import images_pb2, shoots_pb2
from services.gateway.api import names
from services.gateway.api.convert import (
    STATES,
    optional_timestamp,
    seconds_as_duration,
    seconds_of,
    timestamp,
    training_progress,
)
from services.gateway.api.labels import Labelling
from services.gateway.galleries.convert import GUARANTEES, STYLE_SEEDS, WIRE_STYLE_SEEDS, image
from services.gateway.galleries.limits import DEFAULT_PROFILE
from services.gateway.galleries.models import Image
from services.gateway.galleries.orders.seeds import StyleSeeds
from services.gateway.peers.convert import failure
from services.gateway.peers.models import PRIORITY_STANDARD
from services.gateway.shoots.models import DEFAULT_TRIES, Shoot, ShootOrder
from services.gateway.shoots.quote import Quote


def shoot_order(request: shoots_pb2.CreateShootRequest) -> ShootOrder:
    """A shoot's order; the contract's defaults replace zeros.

    Raises:
        InvalidArgumentError: CONSTRAINT_VIOLATED, the deadline is no timestamp.
    """
    return ShootOrder(
        count=request.count,
        pack="".join(names.ids(request.pack)),
        styles=tuple(names.ids(name)[0] for name in request.styles),
        photos=tuple(request.photos),
        retrain=request.retrain,
        profile="".join(names.ids(request.profile)) or DEFAULT_PROFILE,
        max_tries=request.max_tries or DEFAULT_TRIES,
        seed=request.seed,
        image_format=int(request.format) or int(images_pb2.IMAGE_FORMAT_PNG),
        quality=request.quality,
        priority=int(request.priority) or PRIORITY_STANDARD,
        deadline=seconds_of(request, "deadline"),
        allow_unjudged=request.allow_unjudged,
        foundation=names.foundation_of(request.foundation),
        style_seeds=STYLE_SEEDS[request.style_seeds] or StyleSeeds.VARIED,
        labelling=Labelling.of_request(request),
    )


def shoot(value: Shoot) -> shoots_pb2.Shoot:
    """A shoot."""
    plan, progress = value.plan, value.progress
    return shoots_pb2.Shoot(
        name=names.shoot_name(value.subject_id, value.id),
        state=STATES[value.state],
        stage=_stage(value),
        training=names.training_name(value.subject_id, value.training_id),
        trains=value.trains,
        gallery=names.gallery_name(value.subject_id, value.gallery_id) if value.gallery_id is not None else "",
        pack=names.pack_name(plan.pack) if plan.pack else "",
        pack_version=plan.pack_version,
        styles=[names.style_name(recipe.name) for recipe in plan.recipes],
        style_shots=plan.style_shots,
        style_seeds=WIRE_STYLE_SEEDS[plan.style_seeds],
        asked=plan.asked,
        delivered=progress.delivered,
        tries=progress.tries,
        max_tries=plan.max_tries,
        profile=names.profile_name(plan.profile.name),
        profile_version=plan.profile.version,
        guarantee=GUARANTEES[progress.guarantee],
        training_step=progress.training_step,
        training_total_steps=progress.training_total_steps,
        training_phase_message=progress.training_phase_message,
        training_progress=training_progress(progress.training),
        training_eta=seconds_as_duration(progress.training_eta_seconds),
        completed_shots=len(progress.images),
        quote=quote(value.quote),
        deadline=optional_timestamp(value.deadline),
        failure=failure(value.failure),
        status_message=value.status_message,
        create_time=timestamp(value.created_at),
        end_time=optional_timestamp(value.ended_at),
        event_number=value.revision,
        **value.labelling.fields,
    )


def _stage(value: Shoot) -> shoots_pb2.ShootStage:
    if value.is_terminal:
        return shoots_pb2.SHOOT_STAGE_ENDED
    return shoots_pb2.SHOOT_STAGE_TRAINING if value.gallery_id is None else shoots_pb2.SHOOT_STAGE_PAINTING


def quote(value: Quote) -> shoots_pb2.Quote:
    """A quote."""
    return shoots_pb2.Quote(
        queue_place=value.queue_place,
        expected_finish_time=optional_timestamp(value.expected_at),
        latest_finish_time=optional_timestamp(value.latest_at),
        training_steps=value.training_steps,
        images=value.images,
        device_seconds=value.device_seconds,
        measured_on=value.measured_on,
        beyond_expiry=value.beyond_expiry,
    )


def event(value: Shoot, images: Iterable[Image]) -> shoots_pb2.WatchShootResponse:
    """A shoot as of an event, with the images that the event tells of."""
    told = [image(value.subject_id, value.gallery_id or "", each) for each in images]
    return shoots_pb2.WatchShootResponse(shoot=shoot(value), images=told)
