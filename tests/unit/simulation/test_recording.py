"""Of what was ordered the hours that are asked for are recorded, from their first order on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import schema
from headshots.database import open_database, write
from headshots.errors import FailedPreconditionError
from headshots.simulation.recording import record
from headshots.simulation.traces import MOST_SECONDS, Order
from tests.support.deploy.tables import make_tables
from tests.support.gateway.queue import order, trained_subject


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """Of two tenants; acme's subject is trained at 0 s, its gallery is ordered at 50 s, that of the other at 70 s."""
    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    make_tables(engine)
    for tenant, at_seconds, count in (("acme", 50.0, 2), ("other", 70.0, 3)):
        subject = trained_subject(engine, tenant)
        of_gallery(engine, order(engine, tenant, subject, count), created_at=at_seconds)
    yield engine
    engine.dispose()


def of_gallery(engine: Engine, gallery: str, **values: object) -> None:
    with write(engine) as connection:
        connection.execute(sa.update(schema.galleries).where(schema.galleries.c.id == gallery).values(**values))


def test_since_counts_and_until_does_not(engine: Engine) -> None:
    assert record(engine, since=50.0, until=70.0) == [Order(0.0, "s1", 2, False, "t1")]
    assert record(engine, since=50.0) == [Order(0.0, "s1", 2, False, "t1"), Order(20.0, "s2", 3, False, "t2")]
    assert [each.trains for each in record(engine, until=50.0)] == [True, True]
    with pytest.raises(FailedPreconditionError, match="TRACE_EMPTY"):
        record(engine, since=70.1)


def test_a_trace_ends_after_31_days(engine: Engine) -> None:
    with write(engine) as connection:
        connection.execute(sa.update(schema.galleries).values(created_at=schema.galleries.c.created_at + MOST_SECONDS))
    assert {each.images for each in record(engine)} == {0}
    assert [each.at_seconds for each in record(engine, since=1.0)] == [0.0, 20.0]


def test_a_shoot_of_who_is_trained_is_one_order_without_a_training(engine: Engine) -> None:
    with write(engine) as connection:
        galleries, trainings = schema.galleries, schema.trainings
        made = connection.execute(sa.select(galleries).where(galleries.c.tenant_id == "acme")).one()
        training = connection.execute(sa.select(trainings.c.id).where(trainings.c.tenant_id == "acme")).scalar_one()
        values = {"id": "shoot", "subject_id": made.subject_id, "tenant_id": "acme", "gallery_id": made.id}
        values |= {"plan": {"style_shots": [2, 1]}, "training_id": training, "trains": False, "created_at": 40.0}
        connection.execute(sa.insert(schema.shoots).values(**values, progress={}, quote={}))
    found = record(engine)
    assert [(each.images, each.trains) for each in found if each.tenant == found[0].tenant] == [(0, True), (3, False)]
    assert len(found) == 4, "neither its gallery nor another training"
