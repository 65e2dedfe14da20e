"""A page of a list is read off an index in its order, however many rows its parent has."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import schema
from headshots.database import read
from services.gateway.api.pages import NewestFirst, encode_token


@pytest.mark.parametrize("token", ["", encode_token((5.0, "an-id"))], ids=["first", "next"])
@pytest.mark.parametrize(
    ("table", "owner"),
    [
        (schema.galleries, "subject_id"),
        (schema.shoots, "subject_id"),
        (schema.teams, "tenant_id"),
        (schema.erasures, "tenant_id"),
    ],
    ids=lambda value: value.name if isinstance(value, sa.Table) else "",
)
def test_no_row_beyond_the_page_is_read(engine: Engine, table: sa.Table, owner: str, token: str) -> None:
    page = NewestFirst(table, table.c[owner] == "an-owner", size=5, token=token)
    with read(engine) as connection:
        statement = page.query.compile(connection, compile_kwargs={"literal_binds": True})
        plan = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}")]
    assert [step for step in plan if f"ix_{table.name}_{owner}_created_at_id ({owner}=?" in step] == plan, plan
