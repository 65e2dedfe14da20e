"""Remembers in the database what pools said last that they run. Blocking SQL."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Engine

from headshots.database import now_expression, read, write
from headshots.schema import pools
from services.gateway.peers.models import GeneratorDescription

NEWS_SECONDS = 300.0
"""For so long after its last answer a pool that only other gateways know counts: gateways roll one after another."""


def remember(engine: Engine, name: str, description: GeneratorDescription) -> None:
    """Records that a pool has just said this."""
    insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
    values = {
        "foundation_digest": description.foundation_digest,
        "description": dataclasses.asdict(description),
        "answered_at": now_expression(engine.dialect.name),
    }
    row = insert(pools).values(name=name, **values)
    with write(engine) as connection:
        # Several gateways may hear the first answer of a pool.
        connection.execute(row.on_conflict_do_update(index_elements=["name"], set_=values))


def remembered(engine: Engine, names: Iterable[str]) -> dict[str, GeneratorDescription]:
    """What each of these pools said last; those that never answered are left out."""
    with read(engine) as connection:
        rows = connection.execute(sa.select(pools).where(pools.c.name.in_(list(names))))
        return {row.name: _from_json(row.description) for row in rows}


def runs_elsewhere(engine: Engine, foundation_digest: str, names: Iterable[str]) -> bool:
    """Whether a pool other than these told another gateway in the last `NEWS_SECONDS` that it runs the foundation."""
    with read(engine) as connection:
        lately = now_expression(connection.dialect.name) - NEWS_SECONDS
        query = sa.select(pools.c.name).where(
            pools.c.foundation_digest == foundation_digest,
            pools.c.name.not_in(list(names)),
            pools.c.answered_at > lately,
        )
        return connection.execute(query).first() is not None


def _from_json(document: Mapping[str, Any]) -> GeneratorDescription:
    """Of a column that a gateway of this version or an older one has written."""
    known = {field.name for field in dataclasses.fields(GeneratorDescription)}
    given = {name: tuple(each) if isinstance(each, list) else each for name, each in document.items() if name in known}
    return GeneratorDescription(**given)  # type: ignore[arg-type]
