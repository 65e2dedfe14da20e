"""A shoot is checked again while it is made: since it was looked up, other calls may have changed what it needs."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import schema
from headshots.acceptance.profiles import PROFILE_WORTHY
from headshots.database import read, write
from headshots.errors import FailedPreconditionError
from headshots.styles.packs import PackLibrary
from services.gateway.api.requests import IdempotencyKey
from services.gateway.peers.pools.models import ANY_PLACE
from services.gateway.shoots.creating import Wanted, look_up
from services.gateway.shoots.models import ShootOrder
from tests.support.gateway.queue import LIBRARY
from tests.support.gateway.shoot_rows import new_shoot, new_subject


@pytest.mark.parametrize("lost", ["for_training", "for_painting"])
def test_a_consent_that_was_lost_since_makes_no_shoot(engine: Engine, lost: str) -> None:
    subject = new_subject(engine)
    with write(engine) as connection:
        connection.execute(sa.update(schema.consents).values({lost: False}))
    with pytest.raises(FailedPreconditionError, match="CONSENT_MISSING"):
        new_shoot(engine, subject)
    with read(engine) as connection:
        for table in (schema.shoots, schema.trainings):
            assert connection.execute(sa.select(table)).all() == []


@pytest.mark.parametrize("lost", ["for_training", "for_painting"])
def test_a_missing_consent_is_told_before_photos_are_inspected(engine: Engine, lost: str) -> None:
    order, subject = ShootOrder(count=3, styles=("studio-navy-suit",), profile=PROFILE_WORTHY.name), new_subject(engine)
    found = look_up(engine, LIBRARY, PackLibrary({}), "acme", subject, order, IdempotencyKey(), ANY_PLACE, [])
    assert isinstance(found, Wanted)
    assert found.trains
    with write(engine) as connection:
        connection.execute(sa.update(schema.consents).values({lost: False}))
    with pytest.raises(FailedPreconditionError, match="CONSENT_MISSING"):
        look_up(engine, LIBRARY, PackLibrary({}), "acme", subject, order, IdempotencyKey(), ANY_PLACE, [])
