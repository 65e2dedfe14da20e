"""A shoot is checked again while it is made: since it was looked up, other calls may have changed what it needs."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import schema
from headshots.database import read, write
from headshots.errors import FailedPreconditionError
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
