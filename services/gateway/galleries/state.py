"""Derives the state of a gallery from the states of its shots. Blocking SQL."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headshots.acceptance.verdict import Acceptance
from headshots.database import database_now
from headshots.schema import CANCELLED, FAILED, SUCCEEDED, TERMINAL_STATES, galleries, shots
from services.gateway.photos.removing import begin_times
from services.gateway.retention.rows import delivered
from services.gateway.retention.terms import Part, begin_from

MET, NOT_MET, NOT_MEASURED = "met", "not_met", "not_measured"
"""Guarantees, as rows have them."""


def update_state(connection: Connection, gallery_id: str, *, status_message: str = "") -> None:
    """Raises the gallery's revision after a change of its shots, and ends the gallery when all of them have ended.

    With a gallery that has succeeded the time for which its subject is kept begins anew.

    The caller holds the lock on the gallery's row. Without it, each of the last two shots could see the other as
    running, and the gallery would never end.
    """
    raised = connection.execute(_RAISING, {"gallery_id": gallery_id, "status_message": status_message}).first()
    if raised is not None and not raised.goes_on:
        _end(connection, gallery_id, raised.subject_id)


# Not by the gallery's column: SQLAlchemy takes the tables' names away within SQLite's RETURNING.
_GOES_ON = sa.exists().where(shots.c.gallery_id == sa.bindparam("gallery_id"), shots.c.state.not_in(TERMINAL_STATES))
# As often as shots end: made once.
_RAISING = (
    sa.update(galleries)
    .where(galleries.c.id == sa.bindparam("gallery_id"), galleries.c.state.not_in(TERMINAL_STATES))
    .values(revision=galleries.c.revision + 1, note=sa.bindparam("status_message"))
    .returning(galleries.c.subject_id, _GOES_ON.label("goes_on"))
)


def _end(connection: Connection, gallery_id: str, subject_id: str) -> None:
    found = sa.select(shots.c.state).where(shots.c.gallery_id == gallery_id).distinct()
    states = set(connection.execute(found).scalars())
    ended_at = database_now(connection)
    values: dict[str, Any] = {"note": "", "ended_at": ended_at}
    values["images_expire_at"] = begin_from(connection, Part.IMAGES, subject_id, gallery_id, ended_at)
    values["state"] = next(state for state in (CANCELLED, FAILED, SUCCEEDED) if state in states)
    if values["state"] == FAILED:
        values |= _failure(connection, gallery_id, shots.c.state == FAILED, "failed")
    if values["state"] == SUCCEEDED:
        values["guarantee"] = _guarantee(connection, gallery_id)
        given_up = shots.c.failure_reason.is_not(None)
        values |= _failure(connection, gallery_id, given_up, "ended before the last try")
        begin_times(connection, subject_id, anew=False)
        delivered(connection, sa.literal(subject_id))
    connection.execute(sa.update(galleries).where(galleries.c.id == gallery_id).values(**values))


def _guarantee(connection: Connection, gallery_id: str) -> str:
    """Whether every shot has an accepted image. What is known of one that was not judged is no more than nothing."""
    outcomes = set(connection.execute(sa.select(shots.c.acceptance).where(shots.c.gallery_id == gallery_id)).scalars())
    if outcomes <= {Acceptance.ACCEPTED}:
        return MET
    return NOT_MET if outcomes <= {Acceptance.ACCEPTED, Acceptance.REFUSED} else NOT_MEASURED


def _failure(connection: Connection, gallery_id: str, which: sa.ColumnElement[bool], what: str) -> dict[str, Any]:
    """Why shots were given up, as the first of them tells; nothing where none was. `what` they did."""
    mine = sa.select(shots).where(shots.c.gallery_id == gallery_id, which).order_by(shots.c.number)
    if not (given_up := connection.execute(mine).all()):
        return {}
    counted = "1 shot" if len(given_up) == 1 else f"{len(given_up)} shots"
    message = f"{counted} {what}; shot {given_up[0].number}: {given_up[0].failure_message}"
    return {"failure_reason": given_up[0].failure_reason, "failure_message": message}
