"""Records, reads and removes consents. Blocking SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from headshots.database import database_now
from headshots.schema import consents
from services.gateway.consents.models import Consent, Purpose
from services.gateway.consents.rules import completed

# As often as subjects are read: made once.
_OF_SUBJECTS = sa.select(consents).where(consents.c.subject_id.in_(sa.bindparam("subject_ids", expanding=True)))


def record(connection: Connection, subject_id: str, given: Consent) -> None:
    """Records a consent in place of the subject's earlier one; the caller has locked the subject.

    Raises:
        InvalidArgumentError: CONSENT_INVALID.
    """
    consent = completed(given, database_now(connection))
    delete_of_subject(connection, subject_id)
    connection.execute(
        sa.insert(consents).values(
            subject_id=subject_id,
            statement_text=consent.text,
            statement_uri=consent.uri,
            statement_sha256=consent.sha256,
            statement_version=consent.version,
            for_training=Purpose.TRAINING in consent.purposes,
            for_painting=Purpose.PAINTING in consent.purposes,
            given_at=consent.given_at,
            reference=consent.reference,
            expires_at=consent.expires_at,
            recorded_at=consent.recorded_at,
        )
    )


def consents_of(connection: Connection, subject_ids: Sequence[str]) -> dict[str, Consent]:
    """The consent of each subject; subjects without one are left out."""
    rows = connection.execute(_OF_SUBJECTS, {"subject_ids": subject_ids})
    return {row.subject_id: _to_consent(row) for row in rows}


def delete_of_subject(connection: Connection, subject_id: str) -> None:
    """Removes the row of an erased subject."""
    connection.execute(sa.delete(consents).where(consents.c.subject_id == subject_id))


def _to_consent(row: Row[Any]) -> Consent:
    told = ((Purpose.TRAINING, row.for_training), (Purpose.PAINTING, row.for_painting))
    return Consent(
        text=row.statement_text,
        uri=row.statement_uri,
        sha256=row.statement_sha256,
        version=row.statement_version,
        purposes=frozenset(purpose for purpose, is_given in told if is_given),
        given_at=row.given_at,
        reference=row.reference,
        expires_at=row.expires_at,
        recorded_at=row.recorded_at,
    )
