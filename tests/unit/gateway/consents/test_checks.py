"""The check of one subject and the condition for many rows refuse the same."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import keys, schema
from headshots.database import read, write
from headshots.errors import FailedPreconditionError
from services.gateway.consents.checks import check_consent, lacks_consent
from services.gateway.consents.models import Purpose
from tests.support.gateway.shoot_rows import new_subject

TRAINING, PAINTING = Purpose.TRAINING, Purpose.PAINTING
CONSENTS: dict[str, tuple[dict[str, Any], set[Purpose]]] = {
    "both": ({}, {TRAINING, PAINTING}),
    "training alone": ({"for_painting": False}, {TRAINING}),
    "painting alone": ({"for_training": False}, {PAINTING}),
    "expires later": ({"expires_at": 1e11}, {TRAINING, PAINTING}),
    "expired": ({"expires_at": 1.0}, set()),
    "none": ({}, set()),
}


def refuses(engine: Engine, subject: str, purpose: Purpose) -> bool:
    """Whether the subject may not be trained, or painted; both ways to ask have to agree."""
    with read(engine) as connection:
        table = schema.subjects
        condition = lacks_consent(table.c.tenant_id, table.c.id, purpose, dialect=connection.dialect.name)
        listed = connection.execute(sa.select(table.c.id).where(table.c.id == subject, condition)).first() is not None
        try:
            check_consent(connection, "acme", subject, purpose)
        except FailedPreconditionError:
            assert listed
            return True
    assert not listed
    return False


@pytest.mark.parametrize("waived", [False, True])
@pytest.mark.parametrize("name", CONSENTS)
def test_both_refuse_the_same(engine: Engine, name: str, waived: bool) -> None:
    subject, (changed, allowed) = new_subject(engine), CONSENTS[name]
    new_subject(engine)  # whose consent counts for nobody else
    keys.set_consent_required(engine, "acme", required=not waived)
    with write(engine) as connection:
        mine = schema.consents.c.subject_id == subject
        given = sa.update(schema.consents).values(reference="form 7", **changed)
        connection.execute((sa.delete(schema.consents) if name == "none" else given).where(mine))
    for purpose in Purpose:
        assert refuses(engine, subject, purpose) == (purpose not in allowed and not waived)
