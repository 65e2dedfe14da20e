"""Records, reads and removes consents. Blocking SQL."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from headshots.database import database_now
from headshots.schema import consents
from services.gateway.consents.models import Consent, Purpose
from services.gateway.consents.rules import completed

COLUMNS = [column.label(f"consent_{column.name}") for column in consents.c]
"""Of a query with `beside`; see `of_row`."""
# As often as shots are claimed: made once.
_OF_SUBJECT = sa.select(*COLUMNS).where(consents.c.subject_id == sa.bindparam("subject_id"))


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


def beside(joined: sa.FromClause, subject_id: sa.ColumnElement[str]) -> sa.Join:
    """Rows with this column, each with the consent of its subject or none."""
    return joined.outerjoin(consents, consents.c.subject_id == subject_id)


def consent_of(connection: Connection, subject_id: str) -> Consent | None:
    """The subject's consent; None where it gave none."""
    row = connection.execute(_OF_SUBJECT, {"subject_id": subject_id}).first()
    return None if row is None else of_row(row)


def delete_of_subject(connection: Connection, subject_id: str) -> None:
    """Removes the row of an erased subject."""
    connection.execute(sa.delete(consents).where(consents.c.subject_id == subject_id))


def of_row(row: Row[Any]) -> Consent | None:
    """The consent in a row with `COLUMNS`; None where there is none, as an outer join has it."""
    if row.consent_subject_id is None:
        return None
    told = ((Purpose.TRAINING, row.consent_for_training), (Purpose.PAINTING, row.consent_for_painting))
    return Consent(
        text=row.consent_statement_text,
        uri=row.consent_statement_uri,
        sha256=row.consent_statement_sha256,
        version=row.consent_statement_version,
        purposes=frozenset(purpose for purpose, is_given in told if is_given),
        given_at=row.consent_given_at,
        reference=row.consent_reference,
        expires_at=row.consent_expires_at,
        recorded_at=row.consent_recorded_at,
    )
