"""Answers the calls about looks and teams; teams advance while they are watched."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from typing import Any

from headshots.errors import AlreadyExistsError, FailedPreconditionError, FieldViolation, InvalidArgumentError
from headshots.v1 import galleries_pb2, images_pb2, jobs_pb2, looks_pb2, teams_pb2
from tests.support.fake_gateway.pictures import painted_png
from tests.support.fake_gateway.state import FakeState, find, labelled, page

ENDED = (jobs_pb2.JOB_STATE_SUCCEEDED, jobs_pb2.JOB_STATE_FAILED, jobs_pb2.JOB_STATE_CANCELLED)


class FakeTeams(FakeState):
    """The tenant's looks and teams. Who was erased is in none."""

    def __init__(self) -> None:
        super().__init__()
        self.looks: dict[str, looks_pb2.Look] = {}
        self.teams: dict[str, teams_pb2.Team] = {}
        self.failing_members: set[str] = set()
        """Subjects whose shoots fail."""
        self.outlying_members: set[str] = set()
        """Subjects whose portraits fall out, however often they are painted again."""

    async def CreateLook(self, request: looks_pb2.CreateLookRequest, context: Any) -> looks_pb2.CreateLookResponse:
        self.enter("CreateLook", request)
        look = looks_pb2.Look(
            name=f"looks/{request.look_id}",
            display_name=request.display_name or request.look_id,
            description=request.description,
            version=1,
            styles=request.styles,
            portraits=request.portraits or len(request.styles),
            frame=_framed(request.frame),
            profile=request.profile or "profiles/profile-worthy",
            seed_policy=request.seed_policy or looks_pb2.SEED_POLICY_SAME,
            seed=request.seed,
            max_tries=request.max_tries or 3,
            max_repaints=request.max_repaints if request.HasField("max_repaints") else 3,
            format=request.format or 1,
            quality=request.quality,
            **labelled(request),
        )
        look.create_time.GetCurrentTime()
        if not request.validate_only:
            self.looks[look.name] = look
        return looks_pb2.CreateLookResponse(look=look)

    async def ListLooks(self, request: looks_pb2.ListLooksRequest, context: Any) -> looks_pb2.ListLooksResponse:
        self.enter("ListLooks", request)
        shown = [each for each in self.looks.values() if request.include_archived or not each.archived]
        items, token = page(sorted(shown, key=lambda look: str(look.name)), request)
        return looks_pb2.ListLooksResponse(looks=items, next_page_token=token)

    async def GetLook(self, request: looks_pb2.GetLookRequest, context: Any) -> looks_pb2.GetLookResponse:
        self.enter("GetLook", request)
        return looks_pb2.GetLookResponse(look=find(self.looks, request.name, "LOOK_NOT_FOUND"))

    async def UpdateLook(self, request: looks_pb2.UpdateLookRequest, context: Any) -> looks_pb2.UpdateLookResponse:
        self.enter("UpdateLook", request)
        changed = looks_pb2.Look()
        changed.CopyFrom(find(self.looks, request.name, "LOOK_NOT_FOUND"))
        changed.version += 1
        for field, value in request.ListFields():
            if field.name == "styles":
                del changed.styles[:]
                changed.styles.extend(value.styles)
            elif field.name == "frame":
                changed.frame.CopyFrom(_framed(value))
            elif field.name not in ("name", "validate_only"):
                setattr(changed, field.name, value)
        if not request.validate_only:
            self.looks[request.name] = changed
        return looks_pb2.UpdateLookResponse(look=changed)

    async def ArchiveLook(self, request: looks_pb2.ArchiveLookRequest, context: Any) -> looks_pb2.ArchiveLookResponse:
        self.enter("ArchiveLook", request)
        look = find(self.looks, request.name, "LOOK_NOT_FOUND")
        look.archived = True
        return looks_pb2.ArchiveLookResponse(look=look)

    async def CreateTeam(self, request: teams_pb2.CreateTeamRequest, context: Any) -> teams_pb2.CreateTeamResponse:
        self.enter("CreateTeam", request)
        look = find(self.looks, request.look, "LOOK_NOT_FOUND")
        if look.archived:
            raise FailedPreconditionError("LOOK_ARCHIVED", f"{look.name} is archived", metadata={"name": look.name})
        team = teams_pb2.Team(
            name=self.by_request_id.get(request.request_id, f"teams/t{len(self.teams)}"),
            state=jobs_pb2.JOB_STATE_PENDING,
            look=look.name,
            look_version=look.version,
            **labelled(request),
        )
        team.create_time.GetCurrentTime()
        self._join_team(team, request)
        if not request.validate_only:
            self.by_request_id[request.request_id] = team.name
            team = self.teams.setdefault(team.name, team)
        return teams_pb2.CreateTeamResponse(team=team)

    async def GetTeam(self, request: teams_pb2.GetTeamRequest, context: Any) -> teams_pb2.GetTeamResponse:
        self.enter("GetTeam", request)
        return teams_pb2.GetTeamResponse(team=find(self.teams, request.name, "TEAM_NOT_FOUND"))

    async def ListTeams(self, request: teams_pb2.ListTeamsRequest, context: Any) -> teams_pb2.ListTeamsResponse:
        self.enter("ListTeams", request)
        items, token = page(list(self.teams.values())[::-1], request)
        return teams_pb2.ListTeamsResponse(teams=items, next_page_token=token)

    async def WatchTeam(
        self, request: teams_pb2.WatchTeamRequest, context: Any
    ) -> AsyncIterator[teams_pb2.WatchTeamResponse]:
        self.enter("WatchTeam", request)
        team = find(self.teams, request.name, "TEAM_NOT_FOUND")
        yield teams_pb2.WatchTeamResponse(team=team)
        for member in team.members:
            if team.state not in ENDED and member.state not in ENDED:
                team.state = jobs_pb2.JOB_STATE_RUNNING
                self._paint_member(team, member)
                yield teams_pb2.WatchTeamResponse(team=team)
        if team.state not in ENDED:
            self._end_team(team)
            yield teams_pb2.WatchTeamResponse(team=team)

    async def AddTeamMembers(
        self, request: teams_pb2.AddTeamMembersRequest, context: Any
    ) -> teams_pb2.AddTeamMembersResponse:
        self.enter("AddTeamMembers", request)
        team = teams_pb2.Team()
        team.CopyFrom(find(self.teams, request.name, "TEAM_NOT_FOUND"))
        known = {member.subject for member in team.members if member.state != jobs_pb2.JOB_STATE_FAILED}
        if again := sorted(known & set(request.members)):
            told = f"{', '.join(again)} is in {team.name} already"
            raise AlreadyExistsError("MEMBER_EXISTS", told, metadata={"name": team.name})
        # Who failed before begins anew.
        kept = [member for member in team.members if member.subject not in request.members]
        del team.members[:]
        team.members.extend(kept)
        self._join_team(team, request)
        team.state = jobs_pb2.JOB_STATE_RUNNING
        if not request.validate_only:
            self.teams[team.name] = team
        return teams_pb2.AddTeamMembersResponse(team=team)

    async def CancelTeam(self, request: teams_pb2.CancelTeamRequest, context: Any) -> teams_pb2.CancelTeamResponse:
        self.enter("CancelTeam", request)
        team = find(self.teams, request.name, "TEAM_NOT_FOUND")
        if team.state not in ENDED:
            team.state = jobs_pb2.JOB_STATE_CANCELLED
            for member in team.members:
                member.state = jobs_pb2.JOB_STATE_CANCELLED
        return teams_pb2.CancelTeamResponse(team=team)

    def _join_team(
        self, team: teams_pb2.Team, request: teams_pb2.CreateTeamRequest | teams_pb2.AddTeamMembersRequest
    ) -> None:
        for at, name in enumerate(request.members):
            subject = find(self.subjects, name, "SUBJECT_NOT_FOUND")
            if not request.train and not subject.HasField("adapter"):
                told = f"{name} has no adapter of a foundation that is served; create a training, or order with train"
                violations = [FieldViolation(f"members[{at}]", told)]
                raise FailedPreconditionError("SUBJECT_UNTRAINED", told, violations=violations)
            member = team.members.add(
                subject=name, state=jobs_pb2.JOB_STATE_PENDING, asked=self.looks[team.look].portraits
            )
            member.join_time.GetCurrentTime()
            member.quote.images, member.quote.measured_on, member.quote.device_seconds = member.asked, 3, 30.0

    def _paint_member(self, team: teams_pb2.Team, member: teams_pb2.TeamMember) -> None:
        member.shoot = f"{member.subject}/shoots/o0"
        if member.subject in self.failing_members:
            member.state = jobs_pb2.JOB_STATE_FAILED
            member.failure.reason, member.failure.message = "TRAINING_KILLED", "it was killed"
            return
        member.state = jobs_pb2.JOB_STATE_SUCCEEDED
        falls_out = member.subject in self.outlying_members
        gallery = galleries_pb2.Gallery(name=f"{member.subject}/galleries/of-{team.name.split('/')[1]}")
        gallery.state, gallery.total_shots = jobs_pb2.JOB_STATE_SUCCEEDED, member.asked
        self.galleries[gallery.name] = gallery
        for number, style in enumerate(self.looks[team.look].styles):
            name, content = f"{gallery.name}/images/{number}", painted_png(style, number)
            image = images_pb2.Image(name=name, style=style, seed=number, content_type="image/png")
            image.sha256 = hashlib.sha256(content).hexdigest()
            gallery.images.append(image)
            portrait = member.portraits.add(
                image=name,
                style=style,
                accepted=True,
                faults=[teams_pb2.TEAM_FAULT_BACKDROP] if falls_out else [],
                repaints=2 if falls_out else 0,
            )
            portrait.measures.eye_line, portrait.measures.head_height = 0.45, 0.72
            portrait.measures.backdrop_lab.extend((60.0, 0.0, -3.0))
            if falls_out:
                portrait.deviations.add(fault=teams_pb2.TEAM_FAULT_BACKDROP, apart=5.25, allowed=3.0)
        member.delivered = len(member.portraits)

    def _end_team(self, team: teams_pb2.Team) -> None:
        painted = [member for member in team.members if member.portraits]
        team.state = jobs_pb2.JOB_STATE_SUCCEEDED if painted else jobs_pb2.JOB_STATE_FAILED
        team.end_time.GetCurrentTime()
        if not painted:
            team.failure.reason, team.failure.message = "TEAM_WITHOUT_PORTRAITS", "no member has portraits"
            return
        del team.consistency[:]
        for number, style in enumerate(self.looks[team.look].styles):
            told = team.consistency.add(style=style, portraits=len(painted), eye_line_spread=0.002)
            told.medians.CopyFrom(painted[0].portraits[number].measures)
            told.head_height_spread = 0.004
            told.backdrop_delta_e = 0.75
            told.outliers.extend(each.portraits[number].image for each in painted if each.portraits[number].faults)


def _framed(frame: looks_pb2.Frame) -> looks_pb2.Frame:
    """As of a foundation that does not tell how high its heads are."""
    made = looks_pb2.Frame(width_px=frame.width_px, height_px=frame.height_px)
    made.eye_line = frame.eye_line if frame.HasField("eye_line") else 0.45
    made.head_height = frame.head_height if frame.HasField("head_height") else 0.72
    if made.eye_line < 0.35 * made.head_height:
        told = FieldViolation("frame.eye_line", "the crown is cut off")
        message = f"no portrait can have this frame: {told.field}: {told.description}"
        raise InvalidArgumentError("FRAME_IMPOSSIBLE", message, violations=[told])
    return made
