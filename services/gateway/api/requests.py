"""Finds what an earlier create call with the same `request_id` made. Blocking SQL."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row


def find_by_request_id(
    connection: Connection, table: sa.Table, parent: sa.ColumnElement[bool], request_id: str
) -> Row[Any] | None:
    """The row with this `request_id` among those of `parent`; None where there is none or the id is empty.

    The caller has locked the parent's row, so that two calls with one id do not both find nothing.
    """
    if not request_id:
        return None
    return connection.execute(sa.select(table).where(parent, table.c.request_id == request_id)).first()
