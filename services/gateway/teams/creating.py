"""Makes teams and adds members to them, each in one transaction. Blocking SQL; `engine` checks the members before."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from sqlalchemy.engine import Connection, Engine

from headshots.database import database_now, read, write
from headshots.errors import (
    AlreadyExistsError,
    FailedPreconditionError,
    FieldViolation,
    HeadshotsError,
    InvalidArgumentError,
    NotFoundError,
)
from headshots.schema import CANCELLED, FAILED, PENDING, RUNNING, teams
from headshots.styles.library import StyleLibrary
from services.gateway.api.names import subject_name, team_name
from services.gateway.api.requests import IdempotencyKey, find_made
from services.gateway.looks.checks import check_look
from services.gateway.looks.rows import usable_look
from services.gateway.teams import rows
from services.gateway.teams.models import MAX_MEMBERS, Team, TeamOrder, with_members
from services.gateway.tenants.ownership import find_subject, new_id
from services.gateway.tenants.priority import check_priority
from services.gateway.tenants.rows import lock_tenant


@dataclasses.dataclass(frozen=True)
class Made:
    """The team that an earlier call made."""

    team: Team


def look_up(engine: Engine, styles: StyleLibrary, tenant_id: str, order: TeamOrder, key: IdempotencyKey) -> Team | Made:
    """The team as it would be made, or the one that an earlier call with this `key` made.

    Raises:
        NotFoundError: LOOK_NOT_FOUND.
        AlreadyExistsError: REQUEST_ID_REUSED.
        InvalidArgumentError: STYLE_UNKNOWN, PROFILE_UNKNOWN, of a look whose styles or profile are there no more.
        PermissionDeniedError: PRIORITY_NOT_GRANTED.
        FailedPreconditionError: LOOK_ARCHIVED, STYLE_ARCHIVED.
    """
    with read(engine) as connection:
        if (made := _made(connection, tenant_id, key)) is not None:
            return made
        check_priority(connection, tenant_id, order.priority)
        look = usable_look(connection, tenant_id, order.look, field="look")
        recipes, profile = check_look(connection, styles, tenant_id, look, "look.styles")
        now = database_now(connection)
        team = Team(
            id=new_id(),
            tenant_id=tenant_id,
            state=PENDING,
            look=look,
            recipes=recipes,
            profile=profile,
            priority=order.priority,
            created_at=now,
            labelling=order.labelling,
        )
        return with_members(team, order.members, may_train=order.train, now=now, state=PENDING)


def create_team(engine: Engine, team: Team, *, key: IdempotencyKey) -> Team:
    """Keeps a team whose members were checked; a repeated `key` returns the one that it created before.

    Raises:
        AlreadyExistsError: REQUEST_ID_REUSED.
        NotFoundError: SUBJECT_NOT_FOUND, one that is being erased meanwhile.
    """
    with write(engine) as connection:
        lock_tenant(connection, team.tenant_id)
        if (made := _made(connection, team.tenant_id, key)) is not None:
            return made.team
        _check_members(connection, team.tenant_id, [member.subject_id for member in team.members])
        rows.insert(connection, team, key)
        return team


def _made(connection: Connection, tenant_id: str, key: IdempotencyKey) -> Made | None:
    row = find_made(connection, teams, teams.c.tenant_id == tenant_id, key)
    return Made(rows.load(connection, [row])[0]) if row is not None else None


def joined(engine: Engine, tenant_id: str, team_id: str, subjects: Sequence[str], *, may_train: bool) -> Team:
    """The team as it would be with these members, who are its last.

    Raises:
        NotFoundError: TEAM_NOT_FOUND, SUBJECT_NOT_FOUND.
        AlreadyExistsError: MEMBER_EXISTS.
        InvalidArgumentError: TOO_MANY_MEMBERS.
        FailedPreconditionError: TEAM_CANCELLED, SUBJECT_EXPIRED.
    """
    with read(engine) as connection:
        team = rows.find_team(connection, tenant_id, team_id)
        _check_members(connection, tenant_id, subjects)
        return _joined(connection, team, subjects, may_train)


def add_members(engine: Engine, tenant_id: str, team_id: str, subjects: Sequence[str], *, may_train: bool) -> Team:
    """Adds members who were checked; a team that has ended goes on. Raises as `joined`."""
    with write(engine) as connection:
        team = rows.find_team(connection, tenant_id, team_id, lock=True)
        _check_members(connection, tenant_id, subjects)
        new = _joined(connection, team, subjects, may_train)
        return rows.save(connection, team, new) or team


def _check_members(connection: Connection, tenant_id: str, subjects: Sequence[str]) -> None:
    for subject in subjects:
        find_subject(connection, tenant_id, subject)


def _joined(connection: Connection, team: Team, subjects: Sequence[str], may_train: bool) -> Team:
    name = team_name(team.id)
    if team.cancel_requested or team.state == CANCELLED:
        raise FailedPreconditionError(
            "TEAM_CANCELLED", f"{name} was cancelled; order a new team in its look", metadata={"name": name}
        )
    stays = {member.subject_id for member in team.members if member.state not in (FAILED, CANCELLED)}
    if known := [subject for subject in subjects if subject in stays]:
        told = ", ".join(map(subject_name, known))
        raise AlreadyExistsError(
            "MEMBER_EXISTS",
            f"{told} is in {name} already; add only who is not",
            violations=[FieldViolation(f"members[{subjects.index(each)}]", "is in the team") for each in known],
            metadata={"name": name},
        )
    now = database_now(connection)
    new = with_members(team, subjects, may_train=may_train, now=now, state=PENDING)
    if len(new.members) > MAX_MEMBERS:
        raise InvalidArgumentError(
            "TOO_MANY_MEMBERS",
            f"{name} would have {len(new.members)} members; at most {MAX_MEMBERS} can be, order another in its look",
            violations=[FieldViolation("members", f"at most {MAX_MEMBERS - len(team.members)} more")],
        )
    return dataclasses.replace(new, state=RUNNING, failure=None, ended_at=None)


def of_members(refused: Sequence[tuple[int, HeadshotsError]]) -> HeadshotsError:
    """One error for all members who cannot be ordered, with the place of each in the caller's list.

    Of the class and the reason of the first, with when to come back; who does not exist comes first.
    """
    ordered = sorted(refused, key=lambda each: (not isinstance(each[1], NotFoundError), each[0]))
    first = ordered[0][1]
    told = [(f"members[{at}]", f"{error.reason}: {error.message}") for at, error in ordered]
    message = "; ".join(f"{field}: {text}" for field, text in told)
    violations = [FieldViolation(field, text) for field, text in told]
    again = first.retry_after_seconds
    return type(first)(first.reason, message, violations=violations, metadata=first.metadata, retry_after_seconds=again)
