"""Remembers in the database how far it has followed the log of erasures. Blocking SQL.

The mark is part of every backup of the database. All whom entries of before its day tell of are erased in the database
that it stands in: so after a restore only entries since that day can tell of somebody who came back.
"""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Engine

from headshots.database import read, write
from headshots.schema import erasure_log_marks

_ID = 1


def read_mark(engine: Engine) -> date | None:
    """The day until which the log was followed; None: never."""
    with read(engine) as connection:
        day = connection.execute(sa.select(erasure_log_marks.c.followed_until)).scalar()
    return None if day is None else date.fromisoformat(day)


def set_mark(engine: Engine, day: date) -> None:
    """Sets the mark, also back."""
    insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
    values = {"followed_until": day.isoformat()}
    with write(engine) as connection:
        connection.execute(
            insert(erasure_log_marks)
            .values(id=_ID, **values)
            .on_conflict_do_update(index_elements=[erasure_log_marks.c.id], set_=values)
        )
