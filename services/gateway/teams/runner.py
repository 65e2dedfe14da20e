"""Takes teams further whenever a shoot or a repainting of theirs has changed, whichever gateway saw it."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Callable, Hashable

from sqlalchemy.engine import Engine

from headshots.errors import HeadshotsError, ResourceExhaustedError, UnavailableError
from headshots.pauses import pause
from headshots.telemetry.origins import resumed
from headshots.threads import in_read_thread, in_write_thread
from services.gateway.api.requests import IdempotencyKey
from services.gateway.events.hub import Hub
from services.gateway.galleries.engine import GalleryEngine
from services.gateway.galleries.orders.regenerating import Disliked
from services.gateway.peers.models import Failure
from services.gateway.shoots.engine import ShootEngine
from services.gateway.teams import advancing, noting
from services.gateway.teams.advancing import Step
from services.gateway.teams.models import Member, Portrait, Team

_LOG = logging.getLogger(__name__)
# What ends by itself: the step is tried again.
_PASSING = (UnavailableError, ResourceExhaustedError)


class TeamRunner:
    """Works from `run` until it is cancelled, which loses nothing at any point: the rows tell what is next.

    Several gateways may run the same team, see `advancing`.
    """

    def __init__(
        self, engine: Engine, hub: Hub, shoots: ShootEngine, galleries: GalleryEngine, *, poll_seconds: float
    ) -> None:
        self._engine = engine
        self._hub = hub
        self._shoots = shoots
        self._galleries = galleries
        self._poll_seconds = poll_seconds
        self._woken = asyncio.Event()
        self._seen: dict[str, Hashable] = {}
        """What each team was last taken on with, where nothing was left to do."""

    def wake(self) -> None:
        """Reads the table at once: a team was made or changed."""
        self._woken.set()

    async def run(self) -> None:
        """Looks every `poll_seconds`, and when it is woken."""
        while True:
            try:
                await self._look()
            except Exception:  # noqa: BLE001 - whatever it was, teams have to go on
                _LOG.exception("cannot read the teams under way; trying again")
            await pause(self._woken, self._poll_seconds)
            self._woken.clear()

    async def _look(self) -> None:
        found = await in_read_thread(advancing.standings, self._engine)
        self._seen = {key: seen for key, seen in self._seen.items() if key in found}
        for team_id, standing in found.items():
            if self._seen.get(team_id) != standing:
                try:
                    await self._advance(team_id, standing)
                except Exception:  # noqa: BLE001 - one team's defect holds up no other
                    _LOG.exception("team %s cannot go on; trying again", team_id)

    async def _advance(self, team_id: str, standing: Hashable) -> None:
        step = await in_write_thread(advancing.advance, self._engine, team_id)
        if step is None:
            return
        if step.is_done:
            self._seen[team_id] = standing
            return
        # What it makes is of the call that ordered the team, too.
        with resumed(step.team.origin):
            done = await self._work(step)
        self._hub.changed(team_id)
        if done:
            self._woken.set()

    async def _work(self, step: Step) -> bool:
        """Makes what is next; whether all of it was made, so that there may be more at once."""
        done = [await self._order(step.team, member) for member in step.to_order]
        done += [await self._repaint(step.team, *each) for each in step.to_repaint]
        done += [await self._cancel(step.team, member) for member in step.to_cancel]
        return all(done)

    async def _order(self, team: Team, member: Member) -> bool:
        key = IdempotencyKey(team.shoot_key(member))
        who = team.tenant_id, member.subject_id, team.order_of(member)
        try:
            shoot = await self._shoots.create(*who, key=key, validate_only=False)
        except _PASSING as error:
            await self._note(noting.note_waiting, team, member, error.message)
            return False
        except HeadshotsError as error:
            await self._note(noting.note_failure, team, member, Failure(error.reason, error.message))
            return True
        if not await self._note(noting.note_shoot, team, member, shoot.id):
            await self._cancel(team, dataclasses.replace(member, shoot_id=shoot.id))
        return True

    async def _repaint(self, team: Team, member: Member, portrait: Portrait) -> bool:
        gallery, number = portrait.image
        key = IdempotencyKey(portrait.repaint_key)
        disliked = Disliked(member.subject_id, gallery, number, max_tries=team.look.max_tries)
        try:
            made = await self._galleries.regenerate(team.tenant_id, disliked, key=key, validate_only=False)
        except _PASSING as error:
            await self._note(noting.note_waiting, team, member, error.message)
            return False
        except HeadshotsError as error:
            _LOG.warning("an image of teams/%s is not painted again: %s", team.id, error)
            await self._note(noting.note_repainting, team, member, portrait, None)
            return True
        if not await self._note(noting.note_repainting, team, member, portrait, made.id):
            again = dataclasses.replace(portrait, repainting=made.id)
            await self._cancel(team, dataclasses.replace(member, portraits=(again,)))
        return True

    async def _cancel(self, team: Team, member: Member) -> bool:
        """Asks to stop; that it has is seen in the rows, so there is nothing to be done at once."""
        try:
            if member.shoot_id is not None and not member.is_terminal:
                await self._shoots.cancel(team.tenant_id, member.subject_id, member.shoot_id)
            for portrait in member.portraits:
                if portrait.repainting is not None:
                    await self._galleries.cancel(team.tenant_id, member.subject_id, portrait.repainting)
        except HeadshotsError as error:
            # Erased or past its time meanwhile: what stops it then does so without us.
            _LOG.warning("a member of teams/%s cannot be stopped: %s", team.id, error)
        return False

    async def _note(self, note: Callable[..., bool], team: Team, member: Member, *told: object) -> bool:
        """Whether the team goes on with it. Where not, it was cancelled meanwhile: what was made has to be stopped."""
        return await in_write_thread(note, self._engine, team.id, member.number, *told)
