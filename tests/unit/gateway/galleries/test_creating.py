"""A gallery is checked again while it is queued: since it was looked up, other calls may have changed what it needs."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import keys, schema
from headshots.database import read, write
from headshots.errors import FailedPreconditionError, PermissionDeniedError
from headshots.v1.jobs_pb2 import PRIORITY_HIGH
from services.gateway.api.requests import IdempotencyKey
from services.gateway.galleries import rows
from services.gateway.galleries.creating import look_up
from services.gateway.galleries.models import GalleryOrder
from services.gateway.galleries.orders.lookup import Wanted
from tests.support.gateway.queue import LIBRARY, granted_subject, order, trained_subject


def test_a_right_that_was_revoked_since_queues_nothing(engine: Engine) -> None:
    subject = granted_subject(engine, "acme")
    keys.revoke_high(engine, "acme")
    with pytest.raises(PermissionDeniedError, match="PRIORITY_NOT_GRANTED"):
        order(engine, "acme", subject, 1, PRIORITY_HIGH)
    with read(engine) as connection:
        assert connection.execute(sa.select(schema.galleries)).all() == []


def test_a_consent_that_was_lost_since_queues_nothing(engine: Engine) -> None:
    subject = trained_subject(engine, "acme")
    order(engine, "acme", subject, 1)
    with write(engine) as connection:
        connection.execute(sa.update(schema.consents).values(for_painting=False))
    with pytest.raises(FailedPreconditionError, match="CONSENT_MISSING"):
        order(engine, "acme", subject, 1)
    with read(engine) as connection:
        assert len(connection.execute(sa.select(schema.galleries)).all()) == 1


def test_a_missing_consent_is_told_before_prompts_are_checked(engine: Engine) -> None:
    subject, wanted = trained_subject(engine, "acme"), GalleryOrder(("studio-navy-suit",), shots_per_style=1)
    assert isinstance(look_up(engine, LIBRARY, "acme", subject, wanted, IdempotencyKey()), Wanted)
    with write(engine) as connection:
        connection.execute(sa.delete(schema.consents))
    with pytest.raises(FailedPreconditionError, match="CONSENT_MISSING"):
        look_up(engine, LIBRARY, "acme", subject, wanted, IdempotencyKey())


def test_a_subjects_galleries_are_cancelled_in_the_order_in_which_shots_lock_them(engine: Engine) -> None:
    subject = trained_subject(engine, "acme")
    made = [order(engine, "acme", subject, 1) for _ in range(8)]
    with write(engine) as connection:
        assert rows.request_cancel_of_subject(connection, subject) == sorted(made)
