"""Converts teams and their orders between dataclasses and protobuf."""

from __future__ import annotations

from headshots.looks.consistency import Consistency, Fault
from headshots.looks.measures import Measures
from headshots.v1 import teams_pb2
from services.gateway.api import names
from services.gateway.api.convert import STATES, optional_timestamp, timestamp
from services.gateway.api.labels import Labelling
from services.gateway.peers.convert import failure
from services.gateway.peers.models import PRIORITY_STANDARD
from services.gateway.shoots.convert import quote
from services.gateway.teams.models import ImageRef, Member, Portrait, Team, TeamOrder

_FAULTS = {
    Fault.NOT_MEASURED: teams_pb2.TEAM_FAULT_NOT_MEASURED,
    Fault.NOT_ACCEPTED: teams_pb2.TEAM_FAULT_NOT_ACCEPTED,
    Fault.EYE_LINE: teams_pb2.TEAM_FAULT_EYE_LINE,
    Fault.HEAD_HEIGHT: teams_pb2.TEAM_FAULT_HEAD_HEIGHT,
    Fault.BACKDROP: teams_pb2.TEAM_FAULT_BACKDROP,
    Fault.LIGHT: teams_pb2.TEAM_FAULT_LIGHT,
}


def team_order(request: teams_pb2.CreateTeamRequest) -> TeamOrder:
    """A team's order; the contract's defaults replace zeros."""
    return TeamOrder(
        look=names.ids(request.look)[0],
        members=members(request),
        train=request.train,
        priority=int(request.priority) or PRIORITY_STANDARD,
        labelling=Labelling.of_request(request),
    )


def members(request: teams_pb2.CreateTeamRequest | teams_pb2.AddTeamMembersRequest) -> tuple[str, ...]:
    """The ids of the subjects that a request names."""
    return tuple(names.ids(name)[0] for name in request.members)


def team(value: Team) -> teams_pb2.Team:
    """A team."""
    owners = {portrait.image: member.subject_id for member in value.members for portrait in member.portraits}
    waits = [member.note for member in value.members if member.note]
    return teams_pb2.Team(
        name=names.team_name(value.id),
        state=STATES[value.state],
        look=names.look_name(value.look.name),
        look_version=value.look.version,
        members=[_member(value, each) for each in value.members],
        consistency=[_consistency(style, told, owners, value) for style, told in value.consistency.items()],
        failure=failure(value.failure),
        status_message=waits[0] if waits and not value.is_terminal else "",
        create_time=timestamp(value.created_at),
        end_time=optional_timestamp(value.ended_at),
        **value.labelling.fields,
    )


def _member(of: Team, value: Member) -> teams_pb2.TeamMember:
    return teams_pb2.TeamMember(
        subject=names.subject_name(value.subject_id),
        state=STATES[value.state],
        shoot=names.shoot_name(value.subject_id, value.shoot_id) if value.shoot_id is not None else "",
        failure=failure(value.failure),
        status_message=value.note,
        asked=of.look.portraits,
        delivered=value.delivered,
        portraits=[_portrait(of, value, each) for each in value.portraits],
        join_time=timestamp(value.joined_at),
        quote=quote(value.quote) if value.quote is not None else None,
    )


def _portrait(of: Team, member: Member, value: Portrait) -> teams_pb2.TeamPortrait:
    seen = of.seen[value.image]
    return teams_pb2.TeamPortrait(
        image=names.image_name(member.subject_id, *value.image),
        style=names.style_name(value.style),
        accepted=seen.accepted,
        measures=_measures(seen.measures),
        faults=[_FAULTS[fault] for fault in of.faults_of(value)],
        repaints=value.repaints,
        deviations=[
            teams_pb2.TeamDeviation(fault=_FAULTS[each.fault], apart=each.apart, allowed=each.allowed)
            for each in of.deviations_of(value)
        ],
    )


def _measures(value: Measures | None) -> teams_pb2.TeamMeasures | None:
    if value is None:
        return None
    return teams_pb2.TeamMeasures(
        eye_line=value.eye_line,
        head_height=value.head_height,
        light_balance=value.light,
        backdrop_lab=value.backdrop or (),
    )


def _consistency(
    style: str, value: Consistency[ImageRef], owners: dict[ImageRef, str], of: Team
) -> teams_pb2.StyleConsistency:
    middle = value.middle
    outliers = value.faults if of.has_all else {}
    return teams_pb2.StyleConsistency(
        style=names.style_name(style),
        portraits=value.portraits,
        medians=_measures(Measures(middle.eye_line, middle.head_height, middle.light, middle.backdrop)),
        eye_line_spread=value.eye_line_spread,
        head_height_spread=value.head_height_spread,
        light_balance_spread=value.light_spread,
        backdrop_delta_e=value.backdrop_delta_e,
        outliers=[names.image_name(owners[image], *image) for image in outliers],
    )
