"""Converts verdicts, guarantees and acceptance profiles between protobuf and dataclasses."""

from __future__ import annotations

import dataclasses

from headshots.client.convert.labels import labelled
from headshots.client.convert.values import utc_time
from headshots.client.models.verdicts import (
    Acceptance,
    AcceptanceLimits,
    Check,
    Guarantee,
    Profile,
    ProfileRef,
    Verdict,
)
from headshots.client.names import Kind, resource_name
from headshots.v1 import galleries_pb2, images_pb2, profiles_pb2

_ACCEPTANCES = {
    Acceptance.ACCEPTED: images_pb2.ACCEPTANCE_ACCEPTED,
    Acceptance.REFUSED: images_pb2.ACCEPTANCE_REFUSED,
    Acceptance.NOT_MEASURED: images_pb2.ACCEPTANCE_NOT_MEASURED,
}


def verdict(message: images_pb2.Verdict) -> Verdict | None:
    """What a profile says of an image; None where nobody has judged it."""
    if message.acceptance == images_pb2.ACCEPTANCE_UNSPECIFIED:
        return None
    return Verdict(
        acceptance=Acceptance(images_pb2.Acceptance.Name(message.acceptance).removeprefix("ACCEPTANCE_")),
        profile=message.profile,
        profile_version=message.profile_version,
        analyzer=message.analyzer,
        checks=tuple(map(_check, message.checks)),
    )


def _check(message: images_pb2.Check) -> Check:
    return Check(
        reason=message.reason,
        passed=message.passed,
        measured=_decimal(message.measured) if message.HasField("measured") else None,
        limit=_decimal(message.limit) if message.HasField("limit") else None,
        message=message.message,
    )


def wire_acceptance(value: Acceptance | None) -> images_pb2.Acceptance | None:
    """The protobuf value of an outcome; None stays unset."""
    return None if value is None else _ACCEPTANCES[value]


def guarantee(value: galleries_pb2.Guarantee) -> Guarantee | None:
    """Whether what was asked for was delivered; None where it is not known."""
    if value == galleries_pb2.GUARANTEE_UNSPECIFIED:
        return None
    return Guarantee(galleries_pb2.Guarantee.Name(value).removeprefix("GUARANTEE_"))


def profile(message: profiles_pb2.Profile) -> Profile:
    """An acceptance profile."""
    return Profile(
        name=message.name,
        display_name=message.display_name,
        description=message.description,
        version=message.version,
        limits=_limits(message.limits),
        built_in=message.built_in,
        create_time=utc_time(message.create_time),
        **labelled(message),
    )


def wire_limits(limits: AcceptanceLimits | None) -> profiles_pb2.AcceptanceLimits | None:
    """The protobuf value of limits; what is None stays unset."""
    return None if limits is None else profiles_pb2.AcceptanceLimits(**dataclasses.asdict(limits))


def _limits(message: profiles_pb2.AcceptanceLimits) -> AcceptanceLimits:
    return AcceptanceLimits(**{field.name: _decimal(value) for field, value in message.ListFields()})


def _decimal(single: float) -> float:
    """The number that a caller wrote: 0.2, where protobuf's single precision reads 0.20000000298023224."""
    return float(f"{single:.7g}")


def profile_name(profile: ProfileRef) -> str:
    """`profiles/{profile}`; empty stays empty, which takes the server's default."""
    return resource_name(profile, Kind.PROFILE) if profile else ""
