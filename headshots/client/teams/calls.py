"""Calls the gateway about looks and teams, and waits for teams."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable

from headshots.client.calls.galleries import style_names
from headshots.client.connection import Connection, new_request_id
from headshots.client.convert.labels import wire_labelling
from headshots.client.convert.values import TERMINAL_STATES, wire_priority
from headshots.client.models.jobs import Priority
from headshots.client.models.labels import Labelling
from headshots.client.models.styles import Style
from headshots.client.models.subjects import SubjectRef
from headshots.client.names import Kind, resource_name, several
from headshots.client.teams import convert
from headshots.client.teams.models import Frame, Look, LookOptions, LookRef, Team, TeamRef
from headshots.v1 import looks_pb2, teams_pb2


class TeamCalls(Connection):
    """Several people in one look."""

    async def create_look(
        self,
        look_id: str,
        styles: Iterable[Style | str],
        frame: Frame,
        *,
        display_name: str = "",
        description: str = "",
        options: LookOptions | None = None,
        labelling: Labelling | None = None,
        request_id: str | None = None,
        validate_only: bool = False,
    ) -> Look:
        """Make a look of the tenant's, usable at once.

        Args:
            look_id: the last part of its name, 1 to 64 characters of a-z, 0-9 and -.
            styles, frame: 1 to 8 distinct ones; the size of the portraits, and where the head stands in them.
            display_name, description: for people, at most 256 characters each.
            options: all that may be left to the server.
            labelling, request_id, validate_only: as for `create_pack`.

        Raises:
            AlreadyExistsError: a look has that name.
            InvalidArgumentError: no style, one that there is not, or a frame that cuts off the head.
            FailedPreconditionError: a style is archived, or portraits of no foundation have room for the frame.
            UnavailableError: the frame leaves something to the default foundation, and no generator has told of it.
        """
        request = looks_pb2.CreateLookRequest(
            look_id=look_id,
            styles=style_names(styles),
            frame=convert.wire_frame(frame),
            display_name=display_name,
            description=description,
            request_id=request_id or new_request_id(),
            validate_only=validate_only,
            **convert.wire_options(options or LookOptions()),
            **wire_labelling(labelling),
        )
        return convert.look((await self._unary("CreateLook", request)).look)

    async def list_looks(
        self, *, labelling: Labelling | None = None, page_size: int = 0, include_archived: bool = False
    ) -> AsyncIterator[Look]:
        """The tenant's looks, by name, each in its newest version."""
        request = looks_pb2.ListLooksRequest(
            page_size=page_size, include_archived=include_archived, **wire_labelling(labelling)
        )
        async for item in self._pages("ListLooks", request, "looks"):
            yield convert.look(item)

    async def get_look(self, look: LookRef, *, version: int = 0) -> Look:
        """One look, by `looks/{look}` or its bare id; version 0 is the newest.

        Raises:
            NotFoundError: no such look, or no such version of it.
        """
        request = looks_pb2.GetLookRequest(name=resource_name(look, Kind.LOOK), version=version)
        return convert.look((await self._unary("GetLook", request)).look)

    async def update_look(
        self,
        look: LookRef,
        *,
        styles: Iterable[Style | str] | None = None,
        frame: Frame | None = None,
        display_name: str | None = None,
        description: str | None = None,
        options: LookOptions | None = None,
        validate_only: bool = False,
    ) -> Look:
        """Make a new version of a look; what is None stays as it is. Teams keep theirs.

        Raises:
            NotFoundError: no such look.
            FailedPreconditionError: it is archived, or one of the styles is; and as `create_look`.
            InvalidArgumentError, UnavailableError: as `create_look`.
        """
        request = looks_pb2.UpdateLookRequest(
            name=resource_name(look, Kind.LOOK),
            styles=None if styles is None else looks_pb2.LookStyles(styles=style_names(styles)),
            frame=convert.wire_frame(frame),
            display_name=display_name,
            description=description,
            validate_only=validate_only,
            **convert.wire_options(options or LookOptions()),
        )
        return convert.look((await self._unary("UpdateLook", request)).look)

    async def archive_look(self, look: LookRef) -> Look:
        """Take a look out of use. There is no way back; teams that were made with it go on.

        Raises:
            NotFoundError: no such look.
        """
        request = looks_pb2.ArchiveLookRequest(name=resource_name(look, Kind.LOOK))
        return convert.look((await self._unary("ArchiveLook", request)).look)

    async def create_team(
        self,
        look: LookRef,
        members: Iterable[SubjectRef],
        *,
        train: bool = False,
        priority: Priority = Priority.STANDARD,
        labelling: Labelling | None = None,
        request_id: str | None = None,
        validate_only: bool = False,
    ) -> Team:
        """Order portraits of 1 to 50 people in one look: all of them, or none where one cannot be ordered.

        Args:
            look: in its newest version, which all later members get too.
            members: who is painted.
            train: train those who have no adapter; without it they are refused.
            priority: HIGH is a right of some tenants.
            labelling, request_id: as for `create_shoot`.
            validate_only: check everything and answer the team as it would be, each member with a quote.

        Raises:
            NotFoundError: no such look or subject.
            FailedPreconditionError: a member has no adapter, too few usable photos or given no consent; the look is
                archived; or no generator can cut portraits to a frame. Violations tell of each member.
            InvalidArgumentError: a style or the profile of the look is no more there, or the foundation was not taught
                its words.
            PermissionDeniedError: the tenant has no right to high priority.
            AlreadyExistsError: REQUEST_ID_REUSED, for another order.
        """
        request = teams_pb2.CreateTeamRequest(
            look=resource_name(look, Kind.LOOK),
            members=_names(members),
            train=train,
            priority=wire_priority(priority),
            request_id=request_id or new_request_id(),
            validate_only=validate_only,
            **wire_labelling(labelling),
        )
        return convert.team((await self._unary("CreateTeam", request)).team)

    async def get_team(self, team: TeamRef) -> Team:
        """One team as it stands.

        Raises:
            NotFoundError: no such team in this tenant.
        """
        request = teams_pb2.GetTeamRequest(name=resource_name(team, Kind.TEAM))
        return convert.team((await self._unary("GetTeam", request)).team)

    async def list_teams(self, *, labelling: Labelling | None = None, page_size: int = 0) -> AsyncIterator[Team]:
        """All teams, newest first."""
        request = teams_pb2.ListTeamsRequest(page_size=page_size, **wire_labelling(labelling))
        async for item in self._pages("ListTeams", request, "teams"):
            yield convert.team(item)

    async def watch_team(self, team: TeamRef) -> AsyncIterator[Team]:
        """The team now and on every change, until it has ended; a gateway that goes away meanwhile is waited for.

        Raises:
            UnavailableError: no gateway answered for `reconnect_seconds`.
            NotFoundError: no such team in this tenant.
        """
        request = teams_pb2.WatchTeamRequest(name=resource_name(team, Kind.TEAM))
        async for message in self._watch("WatchTeam", request, lambda message: message.team.state in TERMINAL_STATES):
            yield convert.team(message.team)

    async def wait_team(self, team: TeamRef, *, on_progress: Callable[[Team], None] | None = None) -> Team:
        """The team once it has succeeded, which some members may not have; `on_progress` is called with each change.

        Raises:
            JobFailedError: no member has portraits.
            CancelledByCallerError: it was cancelled.
            NotFoundError: no such team in this tenant.
        """
        latest: Team | None = None
        async for latest in self.watch_team(team):
            if on_progress is not None:
                on_progress(latest)
        assert latest is not None, "a watch ends with a terminal message"
        latest.raise_for_state()
        return latest

    async def add_team_members(
        self, team: TeamRef, members: Iterable[SubjectRef], *, train: bool = False, validate_only: bool = False
    ) -> Team:
        """Order the same look, in the same version, for 1 to 50 people who join later, or failed before.

        Raises:
            AlreadyExistsError: one of them is in the team.
            InvalidArgumentError: the team would be too large.
            NotFoundError: no such team or subject.
            FailedPreconditionError: as `create_team`; the team was cancelled.
            PermissionDeniedError: the team has high priority, to which the tenant has no right any more.
        """
        request = teams_pb2.AddTeamMembersRequest(
            name=resource_name(team, Kind.TEAM), members=_names(members), train=train, validate_only=validate_only
        )
        return convert.team((await self._unary("AddTeamMembers", request)).team)

    async def cancel_team(self, team: TeamRef) -> Team:
        """Ask a team to stop, its members' shoots with it; answers at once. A terminal one is left as it is.

        Raises:
            NotFoundError: no such team in this tenant.
        """
        request = teams_pb2.CancelTeamRequest(name=resource_name(team, Kind.TEAM))
        return convert.team((await self._unary("CancelTeam", request)).team)


def _names(members: Iterable[SubjectRef]) -> list[str]:
    return [resource_name(member, Kind.SUBJECT) for member in several(members, "members")]
