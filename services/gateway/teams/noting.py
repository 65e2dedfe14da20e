"""Notes in a team's rows what was made for it, and what could not be. Blocking SQL; `runner` calls it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from sqlalchemy.engine import Engine

from headshots.database import write
from headshots.schema import FAILED
from services.gateway.peers.models import Failure
from services.gateway.teams import rows
from services.gateway.teams.models import Member, Portrait


def note_shoot(engine: Engine, team_id: str, number: int, shoot_id: str) -> bool:
    """Notes the shoot that was made for the member of this number; whether the team follows it."""
    return _change(engine, team_id, number, lambda member: dataclasses.replace(member, shoot_id=shoot_id, note=""))


def note_failure(engine: Engine, team_id: str, number: int, failure: Failure) -> bool:
    """Notes that a member's shoot cannot be made."""
    return _change(
        engine, team_id, number, lambda member: dataclasses.replace(member, state=FAILED, failure=failure, note="")
    )


def note_waiting(engine: Engine, team_id: str, number: int, message: str) -> bool:
    """Notes what a member waits for."""
    return _change(engine, team_id, number, lambda member: dataclasses.replace(member, note=message))


def note_repainting(engine: Engine, team_id: str, number: int, portrait: Portrait, gallery_id: str | None) -> bool:
    """Notes the gallery in which a portrait is painted again; None: it cannot be, and stays as it is.

    Whether the team goes on.
    """
    if gallery_id is None:
        noted = dataclasses.replace(portrait, repaints=portrait.repaints + 1)
    else:
        noted = dataclasses.replace(portrait, repainting=gallery_id)

    def change(member: Member) -> Member:
        portraits = tuple(noted if each == portrait else each for each in member.portraits)
        return dataclasses.replace(member, portraits=portraits)

    return _change(engine, team_id, number, change)


def _change(engine: Engine, team_id: str, number: int, change: Callable[[Member], Member]) -> bool:
    """Whether the team goes on; of a member that was cancelled before it had a shoot nothing is noted."""
    with write(engine) as connection:
        team = rows.lock_active(connection, team_id)
        if team is None or any(each.number == number and _never_had_a_shoot(each) for each in team.members):
            return False
        members = tuple(change(each) if each.number == number else each for each in team.members)
        rows.save(connection, team, dataclasses.replace(team, members=members))
        return True


def _never_had_a_shoot(member: Member) -> bool:
    return member.is_terminal and member.shoot_id is None
