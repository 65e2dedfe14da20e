"""Converts looks and teams between SDK objects and protobuf."""

from __future__ import annotations

from typing import Any

from headshots.client.convert.images import wire_format
from headshots.client.convert.labels import labelled
from headshots.client.convert.shoots import quote
from headshots.client.convert.values import job_failure, job_state, six_digits, utc_time
from headshots.client.convert.verdicts import profile_name
from headshots.client.models.images import ImageFormat
from headshots.client.teams.models import (
    Frame,
    Look,
    LookOptions,
    SeedPolicy,
    StyleConsistency,
    Team,
    TeamDeviation,
    TeamFault,
    TeamMeasures,
    TeamMember,
    TeamPortrait,
)
from headshots.v1 import looks_pb2, teams_pb2

_FORMATS = {wire_format(each): each for each in ImageFormat}


def look(message: looks_pb2.Look) -> Look:
    """A look."""
    frame = message.frame
    return Look(
        name=message.name,
        display_name=message.display_name,
        description=message.description,
        version=message.version,
        styles=tuple(message.styles),
        portraits=message.portraits,
        frame=Frame(frame.width_px, frame.height_px, six_digits(frame.eye_line), six_digits(frame.head_height)),
        profile=message.profile,
        seed_policy=SeedPolicy(looks_pb2.SeedPolicy.Name(message.seed_policy).removeprefix("SEED_POLICY_")),
        seed=message.seed,
        max_tries=message.max_tries,
        max_repaints=message.max_repaints,
        format=_FORMATS[message.format],
        quality=message.quality,
        archived=message.archived,
        create_time=utc_time(message.create_time),
        **labelled(message),
    )


def wire_frame(value: Frame | None) -> looks_pb2.Frame | None:
    """A frame; what is None stays unset."""
    return None if value is None else looks_pb2.Frame(**vars(value))


def wire_options(options: LookOptions) -> dict[str, Any]:
    """The fields of a request that options fill; what is None stays unset. Raises as `resource_name`."""
    told = {name: value for name, value in vars(options).items() if value is not None}
    if "profile" in told:
        told["profile"] = profile_name(told["profile"])
    if "seed_policy" in told:
        told["seed_policy"] = looks_pb2.SeedPolicy.Value(f"SEED_POLICY_{told['seed_policy']}")
    if "format" in told:
        told["format"] = wire_format(told["format"])
    return told


def team(message: teams_pb2.Team) -> Team:
    """A team."""
    return Team(
        name=message.name,
        state=job_state(message.state),
        look=message.look,
        look_version=message.look_version,
        members=tuple(map(_member, message.members)),
        consistency=tuple(map(_consistency, message.consistency)),
        failure=job_failure(message.failure) if message.HasField("failure") else None,
        status_message=message.status_message,
        create_time=utc_time(message.create_time),
        end_time=utc_time(message.end_time),
        **labelled(message),
    )


def _member(message: teams_pb2.TeamMember) -> TeamMember:
    return TeamMember(
        subject=message.subject,
        state=job_state(message.state),
        shoot=message.shoot,
        failure=job_failure(message.failure) if message.HasField("failure") else None,
        status_message=message.status_message,
        asked=message.asked,
        delivered=message.delivered,
        portraits=tuple(map(_portrait, message.portraits)),
        join_time=utc_time(message.join_time),
        quote=quote(message.quote) if message.HasField("quote") else None,
    )


def _portrait(message: teams_pb2.TeamPortrait) -> TeamPortrait:
    return TeamPortrait(
        image=message.image,
        style=message.style,
        accepted=message.accepted,
        measures=_measures(message.measures) if message.HasField("measures") else None,
        faults=tuple(map(_fault, message.faults)),
        repaints=message.repaints,
        deviations=tuple(map(_deviation, message.deviations)),
    )


def _deviation(message: teams_pb2.TeamDeviation) -> TeamDeviation:
    return TeamDeviation(_fault(message.fault), message.apart, message.allowed)


def _fault(value: teams_pb2.TeamFault) -> TeamFault:
    return TeamFault(teams_pb2.TeamFault.Name(value).removeprefix("TEAM_FAULT_"))


def _measures(message: teams_pb2.TeamMeasures) -> TeamMeasures:
    lab = message.backdrop_lab
    backdrop = (lab[0], lab[1], lab[2]) if lab else None
    return TeamMeasures(message.eye_line, message.head_height, message.light_balance, backdrop)


def _consistency(message: teams_pb2.StyleConsistency) -> StyleConsistency:
    return StyleConsistency(
        style=message.style,
        portraits=message.portraits,
        medians=_measures(message.medians),
        eye_line_spread=message.eye_line_spread,
        head_height_spread=message.head_height_spread,
        light_balance_spread=message.light_balance_spread,
        backdrop_delta_e=message.backdrop_delta_e if message.HasField("backdrop_delta_e") else None,
        outliers=tuple(message.outliers),
    )
