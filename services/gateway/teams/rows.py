"""Finds, lists and changes teams, and removes the members of erased subjects. Blocking SQL; `advancing` takes them on.

Whoever changes a team or its members has locked its row, and gives it a new revision.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, Row

from headshots.acceptance.profiles import Profile
from headshots.acceptance.verdict import Acceptance
from headshots.database import database_now, read
from headshots.looks.consistency import Seen
from headshots.looks.look import Look
from headshots.schema import SUCCEEDED, TERMINAL_STATES, shoots, shots, team_members, teams
from headshots.styles.recipe import Style
from services.gateway.api.errors import not_found
from services.gateway.api.labels import Labelling
from services.gateway.api.names import team_name
from services.gateway.api.pages import NewestFirst
from services.gateway.api.requests import IdempotencyKey
from services.gateway.events.poller import read_revisions
from services.gateway.galleries.images.tries import Judgement
from services.gateway.peers.models import Failure
from services.gateway.shoots.models import Progress
from services.gateway.shoots.quote import Quote
from services.gateway.teams.models import ImageRef, Member, Portrait, Team
from services.gateway.teams.report import with_consistency


def revisions(engine: Engine, ids: Sequence[str]) -> dict[str, int]:
    """The revisions of teams of whichever tenants; those that are gone are left out."""
    return read_revisions(engine, teams, ids)


def get_team(engine: Engine, tenant_id: str, team_id: str) -> Team:
    """One team.

    Raises:
        NotFoundError: TEAM_NOT_FOUND.
    """
    with read(engine) as connection:
        return find_team(connection, tenant_id, team_id)


def find_team(connection: Connection, tenant_id: str, team_id: str, *, lock: bool = False) -> Team:
    """:func:`get_team` within a transaction; `lock` blocks every other change of it until that ends."""
    query = sa.select(teams).where(teams.c.id == team_id, teams.c.tenant_id == tenant_id)
    row = connection.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise not_found("TEAM_NOT_FOUND", team_name(team_id), listed_by="ListTeams")
    return load(connection, [row])[0]


def list_teams(engine: Engine, tenant_id: str, wanted: Labelling, size: int, token: str) -> tuple[list[Team], str]:
    """A page of those that are labelled as wanted, newest first, and the next token.

    Raises:
        InvalidArgumentError: PAGE_TOKEN_INVALID.
    """
    page = NewestFirst(teams, sa.and_(teams.c.tenant_id == tenant_id, wanted.where(teams)), size, token)
    with read(engine) as connection:
        rows, next_token = page.read(connection)
        return load(connection, rows), next_token


def lock_active(connection: Connection, team_id: str) -> Team | None:
    """Locks and reads a team that has not ended; None where it has ended or does not exist."""
    active = sa.and_(teams.c.id == team_id, teams.c.state.not_in(TERMINAL_STATES))
    row = connection.execute(sa.select(teams).where(active).with_for_update()).first()
    return load(connection, [row])[0] if row is not None else None


def insert(connection: Connection, team: Team, key: IdempotencyKey) -> None:
    """Inserts a new team with its members."""
    connection.execute(
        sa.insert(teams).values(
            id=team.id,
            tenant_id=team.tenant_id,
            look=team.look.to_json(),
            recipes=[recipe.to_json() for recipe in team.recipes],
            profile=team.profile.to_json(),
            priority=team.priority,
            created_at=team.created_at,
            **team.labelling.fields,
            **_columns(team),
            **key.columns,
        )
    )
    connection.execute(sa.insert(team_members), [_member_row(team, member) for member in team.members])


def save(connection: Connection, before: Team, after: Team) -> Team | None:
    """Writes what has changed of a locked team and its members, as a new revision; None where nothing has."""
    if (before.members, _columns(before)) == (after.members, _columns(after)):
        return None
    ended_at = database_now(connection) if after.is_terminal else None
    after = dataclasses.replace(after, revision=before.revision + 1, ended_at=ended_at)
    connection.execute(sa.update(teams).where(teams.c.id == after.id).values(**_columns(after)))
    known = {member.subject_id: member for member in before.members}
    for member in after.members:
        if known.get(member.subject_id) == member:
            continue
        mine = sa.and_(team_members.c.team_id == after.id, team_members.c.subject_id == member.subject_id)
        if member.subject_id in known:
            connection.execute(sa.update(team_members).where(mine).values(**_member_row(after, member)))
        else:
            connection.execute(sa.insert(team_members).values(**_member_row(after, member)))
    return after


def delete_of_subject(connection: Connection, subject_id: str) -> None:
    """Removes an erased subject from its teams, and from what was asked of them; whoever watches them is told."""
    mine = team_members.c.subject_id == subject_id
    of_subject = sa.select(team_members.c.team_id).where(mine)
    # Who sends the order again is answered with the team, whatever else was asked.
    forgotten = {"revision": teams.c.revision + 1, "request_parameters": None}
    connection.execute(sa.update(teams).where(teams.c.id.in_(of_subject)).values(**forgotten))
    connection.execute(sa.delete(team_members).where(mine))


def load(connection: Connection, rows: Sequence[Row[Any]]) -> list[Team]:
    """Teams from rows of `teams`, with their members, and what is known of their images."""
    found = {row.id: _to_team(row) for row in rows}
    members: dict[str, list[Member]] = {team_id: [] for team_id in found}
    query = (
        sa.select(team_members, shoots.c.progress, shoots.c.quote)
        .outerjoin(shoots, shoots.c.id == team_members.c.shoot_id)
        .where(team_members.c.team_id.in_(list(found)))
        .order_by(team_members.c.number)
    )
    for row in connection.execute(query):
        members[row.team_id].append(_to_member(row))
    refs = [portrait.image for each in members.values() for member in each for portrait in member.portraits]
    seen = read_images(connection, refs)
    return [_with(team, members[team.id], seen) for team in found.values()]


def read_images(connection: Connection, refs: Iterable[ImageRef]) -> dict[ImageRef, Seen]:
    """What is known of images; those that were erased are left out."""
    wanted = set(refs)
    galleries = {gallery for gallery, _ in wanted}
    query = sa.select(shots.c.gallery_id, shots.c.number, shots.c.acceptance, shots.c.judged).where(
        shots.c.gallery_id.in_(galleries), shots.c.state == SUCCEEDED, shots.c.image_key.is_not(None)
    )
    found: dict[ImageRef, Seen] = {}
    for row in connection.execute(query) if wanted else ():
        if (row.gallery_id, row.number) in wanted:
            judged = Judgement.from_json(row.judged)
            measures = judged.measures if judged is not None else None
            found[row.gallery_id, row.number] = Seen(measures, row.acceptance == Acceptance.ACCEPTED.value)
    return found


def _with(team: Team, members: Sequence[Member], seen: dict[ImageRef, Seen]) -> Team:
    told = []
    for member in members:
        # Who deletes an image takes it from the report.
        portraits = tuple(each for each in member.portraits if each.image in seen)
        accepted = sum(seen[each.image].accepted for each in portraits)
        delivered = accepted if member.is_terminal else member.delivered
        told.append(dataclasses.replace(member, portraits=portraits, delivered=delivered))
    mine = {portrait.image: seen[portrait.image] for member in told for portrait in member.portraits}
    return with_consistency(dataclasses.replace(team, members=tuple(told), seen=mine))


def _to_team(row: Row[Any]) -> Team:
    return Team(
        id=row.id,
        tenant_id=row.tenant_id,
        state=row.state,
        look=Look.from_json(row.look),
        recipes=tuple(Style(**recipe) for recipe in row.recipes),
        profile=Profile.from_json(row.profile),
        priority=row.priority,
        created_at=row.created_at,
        cancel_requested=row.cancel_requested,
        revision=row.revision,
        last_member=row.last_member,
        failure=Failure(row.failure_reason, row.failure_message) if row.failure_reason else None,
        ended_at=row.ended_at,
        origin=row.origin,
        labelling=Labelling.of_row(row),
    )


def _to_member(row: Row[Any]) -> Member:
    return Member(
        subject_id=row.subject_id,
        number=row.number,
        may_train=row.may_train,
        joined_at=row.joined_at,
        state=row.state,
        shoot_id=row.shoot_id,
        shoot_revision=row.shoot_revision,
        portraits=tuple(map(Portrait.from_json, row.portraits)),
        note=row.note,
        failure=Failure(row.failure_reason, row.failure_message) if row.failure_reason else None,
        delivered=Progress.from_json(row.progress).delivered if row.progress is not None else 0,
        quote=Quote.from_json(row.quote) if row.quote is not None else None,
    )


def _columns(team: Team) -> dict[str, Any]:
    """The columns that change."""
    return {
        "state": team.state,
        "revision": team.revision,
        "cancel_requested": team.cancel_requested,
        "last_member": team.last_member,
        "ended_at": team.ended_at,
        **_failure(team.failure),
    }


def _member_row(team: Team, member: Member) -> dict[str, Any]:
    return {
        "team_id": team.id,
        "subject_id": member.subject_id,
        "number": member.number,
        "may_train": member.may_train,
        "joined_at": member.joined_at,
        "state": member.state,
        "shoot_id": member.shoot_id,
        "shoot_revision": member.shoot_revision,
        "portraits": [dataclasses.asdict(portrait) for portrait in member.portraits],
        "note": member.note,
        **_failure(member.failure),
    }


def _failure(failure: Failure | None) -> dict[str, Any]:
    return {
        "failure_reason": failure.reason if failure is not None else None,
        "failure_message": failure.message if failure is not None else None,
    }
