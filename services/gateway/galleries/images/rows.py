"""Reads the images of galleries. Blocking SQL."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from headshots.database import now_expression
from headshots.schema import SUCCEEDED, galleries, shots
from services.gateway.api.labels import Labelling
from services.gateway.galleries.images.tries import Judgement
from services.gateway.galleries.models import Image


def find_images(connection: Connection, gallery_id: str, known: frozenset[int] = frozenset()) -> list[Image]:
    """The images of a gallery that exist, by number, without those whose numbers are `known`."""
    # Mostly all up to a number are known: said so, the statement stays short, and the same for each image that comes.
    first = next(number for number in itertools.count() if number not in known)
    others = sorted(number for number in known if number > first)
    asked = {"gallery_id": gallery_id, "first": first, "others": others}
    return [_to_image(row) for row in connection.execute(_unknown(connection.dialect.name), asked)]


def find_image_of(connection: Connection, gallery_id: str, number: int) -> Image | None:
    """One of them; None where it does not exist."""
    row = connection.execute(_numbered(connection.dialect.name), {"gallery_id": gallery_id, "number": number}).first()
    return None if row is None else _to_image(row)


@functools.cache
def _unknown(dialect: str) -> sa.Select[Any]:
    others = shots.c.number.not_in(sa.bindparam("others", expanding=True))
    return _finished(dialect).where(shots.c.number >= sa.bindparam("first"), others)


@functools.cache
def _numbered(dialect: str) -> sa.Select[Any]:
    return _finished(dialect).where(shots.c.number == sa.bindparam("number"))


def _finished(dialect: str) -> sa.Select[Any]:
    """Finished shots whose image was not erased since, and whose time has not come."""
    mine = sa.bindparam("gallery_id", type_=sa.String)
    expired = sa.exists().where(galleries.c.id == mine, galleries.c.images_expire_at <= now_expression(dialect))
    painted = sa.and_(shots.c.state == SUCCEEDED, shots.c.image_key.is_not(None), sa.not_(expired))
    return sa.select(shots).where(shots.c.gallery_id == mine, painted).order_by(shots.c.number)


def _to_image(row: Row[Any]) -> Image:
    return Image(
        number=row.number,
        style=row.style,
        seed=row.seed,
        key=row.image_key,
        judgement=Judgement.from_json(row.judged),
        tries=row.tries,
        labelling=Labelling.of_row(row),
        **row.image,
    )
