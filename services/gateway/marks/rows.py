"""Keeps what each watermark stands for, and forgets it with the picture. Blocking SQL."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from headshots.database import database_now
from headshots.schema import marks


@dataclass(frozen=True)
class Mark:
    """What a watermark stands for; `subject_id` and `object_key` are None where that is erased."""

    tenant_id: str
    subject_id: str | None
    object_key: str | None

    @property
    def is_erased(self) -> bool:
        """Whether the picture is gone."""
        return self.object_key is None


def record_mark(connection: Connection, mark_id: str, tenant_id: str, subject_id: str, object_key: str) -> None:
    """Records what a mark stands for; once more changes nothing, as where a picture is painted twice."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    values = {"mark_id": mark_id, "tenant_id": tenant_id, "subject_id": subject_id, "object_key": object_key}
    connection.execute(insert(marks).values(**values).on_conflict_do_nothing())


def find_marks(connection: Connection, mark_id: str) -> list[Mark]:
    """What a mark stands for: an object for each format of the picture, none for a mark that was not given out here."""
    columns = marks.c.tenant_id, marks.c.subject_id, marks.c.object_key
    rows = connection.execute(sa.select(*columns).where(marks.c.mark_id == mark_id).order_by(marks.c.id))
    return [Mark(*row) for row in rows]


def erase_marks(connection: Connection, subject_id: str, object_keys: Collection[str] | None = None) -> None:
    """Forgets what the marks of a subject's objects stand for, None: of all. That they were given out stays known."""
    mine = marks.c.subject_id == subject_id
    if object_keys is not None:
        mine = sa.and_(mine, marks.c.object_key.in_(list(object_keys)))
    nothing = {"subject_id": None, "object_key": None, "erased_at": database_now(connection)}
    connection.execute(sa.update(marks).where(mine).values(**nothing))
