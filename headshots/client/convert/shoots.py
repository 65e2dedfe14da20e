"""Converts shoots from protobuf."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp

from headshots.client.convert.images import image, style_seeds, wire_format, wire_style_seeds
from headshots.client.convert.labels import labelled
from headshots.client.convert.trainings import training_progress
from headshots.client.convert.values import job_failure, job_state, span_seconds, utc_time, wire_priority
from headshots.client.convert.verdicts import guarantee, profile_name
from headshots.client.models.shoots import Quote, Shoot, ShootEvent, ShootOptions, ShootStage
from headshots.client.names import Kind, resource_name, several
from headshots.errors import InvalidArgumentError
from headshots.v1 import shoots_pb2


def shoot(message: shoots_pb2.Shoot) -> Shoot:
    """A shoot."""
    return Shoot(
        name=message.name,
        state=job_state(message.state),
        stage=ShootStage(shoots_pb2.ShootStage.Name(message.stage).removeprefix("SHOOT_STAGE_")),
        training=message.training,
        trains=message.trains,
        gallery=message.gallery,
        pack=message.pack,
        pack_version=message.pack_version,
        styles=tuple(message.styles),
        style_shots=tuple(message.style_shots),
        style_seeds=style_seeds(message.style_seeds),
        asked=message.asked,
        delivered=message.delivered,
        tries=message.tries,
        max_tries=message.max_tries,
        profile=message.profile,
        profile_version=message.profile_version,
        guarantee=guarantee(message.guarantee),
        training_step=message.training_step,
        training_total_steps=message.training_total_steps,
        training_phase_message=message.training_phase_message,
        training_progress=training_progress(message.training_progress),
        training_eta_seconds=span_seconds(message, "training_eta"),
        completed_shots=message.completed_shots,
        quote=quote(message.quote),
        deadline=utc_time(message.deadline),
        failure=job_failure(message.failure) if message.HasField("failure") else None,
        status_message=message.status_message,
        create_time=utc_time(message.create_time),
        end_time=utc_time(message.end_time),
        event_number=message.event_number,
        **labelled(message),
    )


def shoot_event(message: shoots_pb2.WatchShootResponse) -> ShootEvent:
    """One change of a shoot."""
    return ShootEvent(shoot(message.shoot), tuple(map(image, message.images)))


def wire_options(options: ShootOptions) -> dict[str, Any]:
    """The fields of a CreateShootRequest that options fill; what is None stays unset.

    Raises:
        InvalidArgumentError: NAME_INVALID, TIME_WITHOUT_ZONE.
    """
    return {
        "photos": [resource_name(photo, Kind.PHOTO) for photo in several(options.photos, "photos")],
        "retrain": options.retrain,
        "profile": profile_name(options.profile),
        "max_tries": options.max_tries,
        "seed": options.seed,
        "format": wire_format(options.format),
        "quality": options.quality,
        "priority": wire_priority(options.priority),
        "deadline": _wire_time(options.deadline),
        "allow_unjudged": options.allow_unjudged,
        "style_seeds": wire_style_seeds(options.style_seeds),
        "foundation": resource_name(options.foundation, Kind.FOUNDATION) if options.foundation else "",
    }


def _wire_time(value: datetime | None) -> Timestamp | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise InvalidArgumentError(
            "TIME_WITHOUT_ZONE", f"{value.isoformat()} has no time zone; datetime.now(UTC) and .astimezone() give one"
        )
    message = Timestamp()
    message.FromDatetime(value)
    return message


def quote(message: shoots_pb2.Quote) -> Quote:
    """What a shoot will take."""
    return Quote(
        queue_place=message.queue_place,
        expected_finish_time=utc_time(message.expected_finish_time),
        latest_finish_time=utc_time(message.latest_finish_time),
        training_steps=message.training_steps,
        images=message.images,
        device_seconds=message.device_seconds if message.measured_on else None,
        measured_on=message.measured_on,
        beyond_expiry=message.beyond_expiry,
    )
