"""Records what was ordered of a running platform as a trace: times and numbers, and nothing that tells who it was."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from headshots.database import read, schema_revisions
from headshots.errors import FailedPreconditionError
from headshots.schema import galleries, shoots, shots, trainings
from headshots.simulation.traces import MOST_SECONDS, Order


def record(engine: Engine, since: float = 0.0, until: float = math.inf) -> list[Order]:
    """Orders of these seconds since the epoch, from the first on, at most 31 days; subjects and tenants get numbers.

    What is erased, or was removed since, is not in it.

    Raises:
        UnavailableError: DATABASE_UNAVAILABLE.
        FailedPreconditionError: TRACE_EMPTY; SCHEMA_DIFFERS, where a gateway of another version or none used it.
    """
    with read(engine) as connection:
        _check_schema(connection)
        rows = [*_shoots(connection), *_trainings(connection), *_galleries(connection)]
    found = sorted((row for row in rows if since <= row[0] < until), key=lambda row: row[0])
    if not found:
        raise FailedPreconditionError(
            "TRACE_EMPTY",
            "nothing was ordered in that time; name another by --since and --until, or a --database",
        )
    names: dict[tuple[str, str], str] = {}
    numbers = {kind: itertools.count(1) for kind in "st"}

    def numbered(kind: str, name: str) -> str:
        return names.get((kind, name)) or names.setdefault((kind, name), f"{kind}{next(numbers[kind])}")

    first = found[0][0]
    return [
        Order(at - first, numbered("s", subject), images, trains, numbered("t", tenant))
        for at, subject, tenant, images, trains in found
        if at - first <= MOST_SECONDS
    ]


def _check_schema(connection: Connection) -> None:
    found, newest, _ = schema_revisions(connection)
    if found != newest:
        told = f"is at {found}, and this version reads {newest}" if found else "is empty, no gateway has used it"
        raise FailedPreconditionError(
            "SCHEMA_DIFFERS",
            f"the database {told}; name the gateways' (--database), and record with their version of headshots",
        )


_Found = tuple[float, str, str, int, bool]


def _shoots(connection: Connection) -> Iterator[_Found]:
    columns = (shoots.c.created_at, shoots.c.subject_id, shoots.c.tenant_id, shoots.c.plan, shoots.c.trains)
    for at, subject, tenant, plan, trains in connection.execute(sa.select(*columns)):
        yield at, subject, tenant, sum(plan["style_shots"]), trains


def _trainings(connection: Connection) -> Iterator[_Found]:
    """Those that no shoot had made."""
    of_shoots = sa.select(shoots.c.training_id).where(shoots.c.trains)
    columns = (trainings.c.created_at, trainings.c.subject_id, trainings.c.tenant_id)
    for row in _rows(connection, sa.select(*columns).where(trainings.c.id.not_in(of_shoots))):
        yield row[0], row[1], row[2], 0, True


def _galleries(connection: Connection) -> Iterator[_Found]:
    """Those that no shoot had made."""
    of_shoots = sa.select(shoots.c.gallery_id).where(shoots.c.gallery_id.is_not(None))
    columns = (galleries.c.created_at, galleries.c.subject_id, galleries.c.tenant_id)
    query = (
        sa.select(*columns, sa.func.count())
        .join_from(galleries, shots, shots.c.gallery_id == galleries.c.id)
        .where(galleries.c.id.not_in(of_shoots))
        .group_by(galleries.c.id, *columns)
    )
    for row in _rows(connection, query):
        yield row[0], row[1], row[2], row[3], False


def _rows(connection: Connection, query: sa.Select[Any]) -> Iterator[Any]:
    yield from connection.execute(query)
