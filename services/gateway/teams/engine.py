"""Creates, finds, watches and cancels teams for the servicer; blocking work runs in threads."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Iterable, Sequence

from sqlalchemy.engine import Engine

from headshots.database import write
from headshots.errors import HeadshotsError
from headshots.styles.library import StyleLibrary
from headshots.threads import in_read_thread, in_write_thread
from services.gateway.api.labels import Labelling
from services.gateway.api.requests import IdempotencyKey
from services.gateway.events.hub import Hub
from services.gateway.events.reads import SharedReads
from services.gateway.metrics import GatewayMetrics
from services.gateway.shoots.engine import ShootEngine
from services.gateway.teams import creating, rows
from services.gateway.teams.models import Member, Team, TeamOrder
from services.gateway.teams.runner import TeamRunner


class TeamEngine:
    """One method an RPC. Tenants see their own teams: everything else is NotFoundError."""

    def __init__(
        self,
        database: Engine,
        styles: StyleLibrary,
        shoots: ShootEngine,
        runner: TeamRunner,
        hub: Hub,
        metrics: GatewayMetrics,
        reads: SharedReads,
    ) -> None:
        self._database = database
        self._styles = styles
        self._shoots = shoots
        self._runner = runner
        self._hub = hub
        self._metrics = metrics
        self._reads = reads

    async def create(self, tenant: str, order: TeamOrder, *, key: IdempotencyKey, validate_only: bool) -> Team:
        """Raises as `creating.look_up` and, of members, as `ShootEngine.create`."""
        found = await in_read_thread(creating.look_up, self._database, self._styles, tenant, order, key)
        if isinstance(found, creating.Made):
            return found.team
        checked = await self._checked(found, found.members, order.members)
        if validate_only:
            return checked
        return await self._woken(await in_write_thread(creating.create_team, self._database, found, key=key))

    async def add(self, tenant: str, team_id: str, members: Sequence[str], *, train: bool, validate_only: bool) -> Team:
        """Raises as `creating.joined` and, of members, as `ShootEngine.create`."""
        named = self._database, tenant, team_id, members
        wanted = await in_read_thread(creating.joined, *named, may_train=train)
        new = [member for member in wanted.members if member.subject_id in members]
        checked = await self._checked(wanted, new, members)
        if validate_only:
            return checked
        return await self._woken(await in_write_thread(creating.add_members, *named, may_train=train))

    async def _checked(self, team: Team, new: Iterable[Member], named: Sequence[str]) -> Team:
        """The team, its new members with their quotes: each waits for those before, who are in no queue yet."""
        refused: list[tuple[int, HeadshotsError]] = []
        quoted: dict[str, Member] = {}
        trainings, images = 0, 0
        for member in new:
            order = dataclasses.replace(team.order_of(member), trainings_ahead=trainings, images_ahead=images)
            who = team.tenant_id, member.subject_id, order
            try:
                shoot = await self._shoots.create(*who, key=IdempotencyKey(), validate_only=True)
            except HeadshotsError as error:
                refused.append((named.index(member.subject_id), error))
            else:
                quoted[member.subject_id] = dataclasses.replace(member, quote=shoot.quote)
                trainings, images = trainings + shoot.trains, images + shoot.quote.images
        if refused:
            raise creating.of_members(refused, named)
        return dataclasses.replace(
            team, members=tuple(quoted.get(member.subject_id, member) for member in team.members)
        )

    async def _woken(self, team: Team) -> Team:
        self._runner.wake()
        self._hub.changed(team.id)
        return team

    async def get(self, tenant: str, team_id: str) -> Team:
        """See `rows.get_team`."""
        return await in_read_thread(rows.get_team, self._database, tenant, team_id)

    async def page(self, tenant: str, wanted: Labelling, size: int, token: str) -> tuple[list[Team], str]:
        """See `rows.list_teams`."""
        return await in_read_thread(rows.list_teams, self._database, tenant, wanted, size, token)

    async def cancel(self, tenant: str, team_id: str) -> Team:
        """Raises as `rows.get_team`."""
        return await self._woken(await in_write_thread(_request_cancel, self._database, tenant, team_id))

    async def watch(self, tenant: str, team_id: str) -> AsyncIterator[Team]:
        """Yields the team, then again whenever it has changed, until it has ended. Raises as `rows.get_team`."""
        with self._hub.subscribe(team_id, kind="team") as subscription, self._metrics.watching("team"):
            sent: int | None = None
            while True:
                team = await self._reads.read(rows.get_team, self._database, tenant, team_id)
                if team.revision != sent:
                    sent = team.revision
                    yield team
                if team.is_terminal:
                    return
                await subscription.wait(team.revision)


def _request_cancel(engine: Engine, tenant_id: str, team_id: str) -> Team:
    with write(engine) as connection:
        team = rows.find_team(connection, tenant_id, team_id, lock=True)
        if team.is_terminal or team.cancel_requested:
            return team
        return rows.save(connection, team, dataclasses.replace(team, cancel_requested=True)) or team
