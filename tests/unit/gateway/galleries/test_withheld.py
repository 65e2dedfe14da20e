"""Shots of people past their time fail, and wait while the clock that tells so is not trusted."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import schema
from headshots.database import write
from services.gateway.galleries.claiming import claim
from tests.support.gateway.queue import order, take, trained_subject


@pytest.mark.parametrize(
    ("table", "column", "reason"),
    [(schema.retentions, "id", "SUBJECT_EXPIRED"), (schema.consents, "subject_id", "CONSENT_EXPIRED")],
)
def test_shots_that_would_fail_by_a_clock_that_is_not_trusted_wait(
    engine: Engine, table: sa.Table, column: str, reason: str
) -> None:
    subject, other = trained_subject(engine, "acme"), trained_subject(engine, "globex")
    order(engine, "acme", subject, 1)
    gallery = order(engine, "globex", other, 1)
    with write(engine) as connection:
        connection.execute(sa.update(table).where(table.c[column] == subject).values(expires_at=0.0))
    shot = claim(engine, owner="test", ttl_seconds=60.0, trusts=lambda _now: False)
    assert shot is not None
    assert (shot.gallery_id, shot.withheld) == (gallery, None)
    assert claim(engine, owner="test", ttl_seconds=60.0, trusts=lambda _now: False) is None
    withheld = take(engine).withheld
    assert withheld is not None
    assert withheld.reason == reason
