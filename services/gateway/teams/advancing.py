"""Takes teams on: what their shoots and repaintings have come to, and what is next. Blocking SQL; `runner` calls it.

A step is one transaction under the lock of the team's row. What it finds to be made is made by others, idempotently by
a key, and noted by another step: so it is made once, whoever is killed and however many gateways try it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable
from dataclasses import dataclass
from functools import partial

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from headshots.database import read, write
from headshots.schema import (
    CANCELLED,
    FAILED,
    PENDING,
    RUNNING,
    SUCCEEDED,
    TERMINAL_STATES,
    galleries,
    shoots,
    shots,
    team_members,
    teams,
)
from services.gateway.peers.models import Failure
from services.gateway.teams import rows
from services.gateway.teams.models import ImageRef, Member, Portrait, Team
from services.gateway.teams.report import is_nearer, to_repaint, with_consistency

_NO_PORTRAITS = Failure("TEAM_WITHOUT_PORTRAITS", "no member has portraits; the failure of each tells why")
_GONE = Failure("SHOOT_GONE", "its shoot is there no more; add the member again")


@dataclass(frozen=True)
class Step:
    """What is next for a team."""

    team: Team
    changed: bool
    to_order: tuple[Member, ...] = ()
    """Members whose shoot has to be made."""
    to_repaint: tuple[tuple[Member, Portrait], ...] = ()
    to_cancel: tuple[Member, ...] = ()
    """Members whose shoot, or whose repaintings, have to be stopped."""

    @property
    def is_done(self) -> bool:
        """Whether only what others do changes the team now."""
        return not (self.changed or self.to_order or self.to_repaint or self.to_cancel)


def standings(engine: Engine) -> dict[str, Hashable]:
    """What each team that has not ended was last taken on with; whatever takes it further changes that."""
    members = (
        sa.select(team_members.c.team_id, team_members.c.subject_id, shoots.c.revision, team_members.c.portraits)
        .join(teams, teams.c.id == team_members.c.team_id)
        .outerjoin(shoots, shoots.c.id == team_members.c.shoot_id)
        .where(teams.c.state.not_in(TERMINAL_STATES))
        .order_by(team_members.c.number)
    )
    with read(engine) as connection:
        active = sa.select(teams.c.id, teams.c.revision).where(teams.c.state.not_in(TERMINAL_STATES))
        found: dict[str, list[Hashable]] = {row.id: [row.revision] for row in connection.execute(active)}
        repainting: dict[str, str] = {}
        for row in connection.execute(members):
            found.get(row.team_id, []).append((row.subject_id, row.revision))
            repainting |= {each["repainting"]: row.team_id for each in row.portraits if each["repainting"]}
        painted = sa.select(galleries.c.id, galleries.c.revision).where(galleries.c.id.in_(list(repainting)))
        for gallery in connection.execute(painted.order_by(galleries.c.id)) if repainting else ():
            found.get(repainting[gallery.id], []).append((gallery.id, gallery.revision))
    return {team_id: tuple(standing) for team_id, standing in found.items()}


def advance(engine: Engine, team_id: str) -> Step | None:
    """Takes a team as far as its shoots and repaintings allow, and tells what is next; None where it has ended."""
    with write(engine) as connection:
        team = rows.lock_active(connection, team_id)
        if team is None:
            return None
        now = _followed(connection, team)
        now, repaint = _next(now)
        saved = rows.save(connection, team, now)
        if now.is_terminal:
            return Step(saved or now, changed=True)
        return Step(
            team=saved or now,
            changed=saved is not None,
            to_order=tuple(each for each in now.members if each.state == PENDING and each.shoot_id is None),
            to_repaint=repaint,
            to_cancel=tuple(filter(_is_running, now.members)) if now.cancel_requested else (),
        )


def _is_running(member: Member) -> bool:
    return (not member.is_terminal and member.shoot_id is not None) or any(each.repainting for each in member.portraits)


def _followed(connection: Connection, team: Team) -> Team:
    """The team with what its shoots and repaintings have come to."""
    follow = partial(_followed_member, connection, team)
    team = dataclasses.replace(team, members=tuple(map(follow, team.members)))
    refs = {portrait.image for member in team.members for portrait in member.portraits}
    repainted: dict[str, ImageRef] = {}
    for member in team.members:
        for portrait in member.portraits:
            if portrait.repainting is not None and _has_ended(connection, portrait.repainting):
                repainted[portrait.repainting] = (portrait.repainting, 0)
    # With the medians of before: a repainting is held to those.
    seen = rows.read_images(connection, {*refs, *repainted.values()})
    known = with_consistency(_only(dataclasses.replace(team, seen=seen)))
    known = dataclasses.replace(known, seen=seen)
    members = tuple(_with_repainted(known, member, repainted) for member in known.members)
    return with_consistency(_only(dataclasses.replace(known, members=members)))


def _followed_member(connection: Connection, team: Team, member: Member) -> Member:
    if member.is_terminal:
        return _with_unnoted(connection, member) if team.cancel_requested else member
    if member.shoot_id is None and team.cancel_requested:
        # Whoever made it may have died before it was noted.
        member = dataclasses.replace(member, shoot_id=_made(connection, shoots, member, team.shoot_key(member)))
        if member.shoot_id is None:
            return dataclasses.replace(member, state=CANCELLED, note="")
    if member.shoot_id is None:
        return member
    shoot = connection.execute(sa.select(shoots).where(shoots.c.id == member.shoot_id)).first()
    if shoot is None:
        return dataclasses.replace(member, state=FAILED, failure=_GONE, note="")
    member = dataclasses.replace(member, shoot_revision=shoot.revision)
    if shoot.state not in TERMINAL_STATES:
        return dataclasses.replace(member, state=shoot.state, note=shoot.note)
    failure = Failure(shoot.failure_reason, shoot.failure_message) if shoot.failure_reason else None
    if shoot.state != SUCCEEDED:
        return dataclasses.replace(member, state=shoot.state, failure=failure, note="")
    portraits = _portraits(connection, shoot.gallery_id)
    return dataclasses.replace(member, state=SUCCEEDED, portraits=portraits, note="")


def _with_unnoted(connection: Connection, member: Member) -> Member:
    """The member with repaintings that were made and not noted, as whoever made them died in between."""
    portraits = (
        dataclasses.replace(each, repainting=each.repainting or _made(connection, galleries, member, each.repaint_key))
        for each in member.portraits
    )
    return dataclasses.replace(member, portraits=tuple(portraits))


def _made(connection: Connection, table: sa.Table, member: Member, key: str) -> str | None:
    """The id of what was made for a member under this key; None where nothing was."""
    mine = sa.and_(table.c.subject_id == member.subject_id, table.c.request_id == key)
    return connection.execute(sa.select(table.c.id).where(mine)).scalar()


def _portraits(connection: Connection, gallery_id: str) -> tuple[Portrait, ...]:
    finished = sa.and_(shots.c.gallery_id == gallery_id, shots.c.state == SUCCEEDED, shots.c.image_key.is_not(None))
    query = sa.select(shots.c.number, shots.c.style).where(finished).order_by(shots.c.number)
    return tuple(Portrait(row.style, (gallery_id, row.number)) for row in connection.execute(query))


def _has_ended(connection: Connection, gallery_id: str) -> bool:
    """Whether a gallery has ended, or is there no more."""
    state = connection.execute(sa.select(galleries.c.state).where(galleries.c.id == gallery_id)).scalar()
    return state is None or state in TERMINAL_STATES


def _only(team: Team) -> Team:
    """The team without what is no portrait of it, and without portraits that were erased."""
    members = tuple(
        dataclasses.replace(each, portraits=tuple(one for one in each.portraits if one.image in team.seen))
        for each in team.members
    )
    images = {portrait.image for member in members for portrait in member.portraits}
    return dataclasses.replace(
        team, members=members, seen={image: found for image, found in team.seen.items() if image in images}
    )


def _with_repainted(team: Team, member: Member, repainted: dict[str, ImageRef]) -> Member:
    """The nearer of each portrait and what was painted in its place."""
    portraits = []
    for portrait in member.portraits:
        if portrait.repainting in repainted:
            new = repainted[portrait.repainting]
            image = new if is_nearer(team, portrait, new) else portrait.image
            portrait = dataclasses.replace(portrait, image=image, repaints=portrait.repaints + 1, repainting=None)
        portraits.append(portrait)
    return dataclasses.replace(member, portraits=tuple(portraits))


def _next(team: Team) -> tuple[Team, tuple[tuple[Member, Portrait], ...]]:
    """The team as it stands, and what is to be painted again."""
    if not team.is_painted:
        begun = any(each.shoot_id is not None for each in team.members)
        return dataclasses.replace(team, state=RUNNING if begun else team.state), ()
    if team.cancel_requested or not team.members:
        return dataclasses.replace(team, state=CANCELLED), ()
    if not any(member.state == SUCCEEDED for member in team.members):
        return dataclasses.replace(team, state=FAILED, failure=_NO_PORTRAITS), ()
    if repaint := tuple(to_repaint(team)):
        return dataclasses.replace(team, state=RUNNING), repaint
    return dataclasses.replace(team, state=SUCCEEDED), ()
