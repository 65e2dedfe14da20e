"""Answers the RPCs of teams: decode, one engine call, encode."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio

from headshots.rpc.auth import current_tenant
from headshots.v1 import teams_pb2, teams_pb2_grpc
from services.gateway.api.convert import idempotency_key
from services.gateway.api.labels import Labelling
from services.gateway.api.names import ids
from services.gateway.api.pages import DEFAULT_PAGE
from services.gateway.teams import convert
from services.gateway.teams.engine import TeamEngine


class TeamServicer(teams_pb2_grpc.TeamServiceServicer):
    """Every method raises `HeadshotsError`s; the server's interceptors turn them into statuses."""

    def __init__(self, engine: TeamEngine) -> None:
        self._engine = engine

    def register(self, server: grpc.aio.Server) -> list[str]:
        """Adds the service to a server; full names of what was added."""
        teams_pb2_grpc.add_TeamServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        return [teams_pb2.DESCRIPTOR.services_by_name["TeamService"].full_name]

    async def CreateTeam(self, request: teams_pb2.CreateTeamRequest, context: Any) -> teams_pb2.CreateTeamResponse:
        """Orders portraits of several people in one look."""
        made = await self._engine.create(
            current_tenant(),
            convert.team_order(request),
            key=idempotency_key(request),
            validate_only=request.validate_only,
        )
        return teams_pb2.CreateTeamResponse(team=convert.team(made))

    async def GetTeam(self, request: teams_pb2.GetTeamRequest, context: Any) -> teams_pb2.GetTeamResponse:
        """One team."""
        found = await self._engine.get(current_tenant(), *ids(request.name))
        return teams_pb2.GetTeamResponse(team=convert.team(found))

    async def ListTeams(self, request: teams_pb2.ListTeamsRequest, context: Any) -> teams_pb2.ListTeamsResponse:
        """A page of teams."""
        page, token = await self._engine.page(
            current_tenant(),
            Labelling.of_request(request),
            request.page_size or DEFAULT_PAGE,
            request.page_token,
        )
        return teams_pb2.ListTeamsResponse(teams=map(convert.team, page), next_page_token=token)

    async def WatchTeam(
        self, request: teams_pb2.WatchTeamRequest, context: Any
    ) -> AsyncIterator[teams_pb2.WatchTeamResponse]:
        """The team, change by change."""
        watch = self._engine.watch(current_tenant(), *ids(request.name))
        async with contextlib.aclosing(watch) as changes:  # type: ignore[type-var]
            async for found in changes:
                yield teams_pb2.WatchTeamResponse(team=convert.team(found))

    async def AddTeamMembers(
        self, request: teams_pb2.AddTeamMembersRequest, context: Any
    ) -> teams_pb2.AddTeamMembersResponse:
        """Orders the same look for more people."""
        (team_id,) = ids(request.name)
        found = await self._engine.add(
            current_tenant(),
            team_id,
            convert.members(request),
            train=request.train,
            validate_only=request.validate_only,
        )
        return teams_pb2.AddTeamMembersResponse(team=convert.team(found))

    async def CancelTeam(self, request: teams_pb2.CancelTeamRequest, context: Any) -> teams_pb2.CancelTeamResponse:
        """Asks a team to stop."""
        found = await self._engine.cancel(current_tenant(), *ids(request.name))
        return teams_pb2.CancelTeamResponse(team=convert.team(found))
