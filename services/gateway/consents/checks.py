"""Checks that a subject may be trained and painted: it consented, and still does. Blocking SQL.

Only a tenant of which the operator waived it needs no consent. Work is checked when it is ordered, in the transaction
that makes it, and again when it begins.
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headshots.database import database_now, now_expression
from headshots.errors import FailedPreconditionError, FieldViolation
from headshots.schema import consents, tenants
from services.gateway.api.names import subject_name
from services.gateway.consents.models import Consent, Purpose
from services.gateway.consents.rows import consent_of

_COLUMNS = {Purpose.TRAINING: consents.c.for_training, Purpose.PAINTING: consents.c.for_painting}


def check_consent(connection: Connection, tenant_id: str, subject_id: str, *purposes: Purpose) -> None:
    """Returns where the subject agreed to all of these, or its tenant needs no consent.

    Raises:
        FailedPreconditionError: CONSENT_MISSING, CONSENT_EXPIRED.
    """
    if not connection.execute(sa.select(tenants.c.consent_required).where(tenants.c.id == tenant_id)).scalar_one():
        return
    consent = consent_of(connection, subject_id)
    missing = [purpose for purpose in purposes if consent is None or purpose not in consent.purposes]
    if consent is None or missing:
        raise _missing(subject_id, consent, missing)
    if consent.expires_at is not None and consent.expires_at <= database_now(connection):
        raise _expired(subject_id, consent.expires_at)


def lacks_consent(
    tenant_id: sa.ColumnElement[str], subject_id: sa.ColumnElement[str], purpose: Purpose, *, dialect: str
) -> sa.ColumnElement[bool]:
    """The condition on which `check_consent` refuses, for rows with these columns."""
    waived = sa.exists().where(tenants.c.id == tenant_id, sa.not_(tenants.c.consent_required))
    holds = sa.or_(consents.c.expires_at.is_(None), consents.c.expires_at > now_expression(dialect))
    agreed = sa.exists().where(consents.c.subject_id == subject_id, _COLUMNS[purpose], holds)
    return sa.not_(sa.or_(waived, agreed))


def _missing(subject_id: str, consent: Consent | None, missing: list[Purpose]) -> FailedPreconditionError:
    name, wanted = subject_name(subject_id), " and ".join(purpose.value for purpose in missing)
    told = f"{name} has given no consent" if consent is None else f"the consent of {name} does not cover {wanted}"
    return FailedPreconditionError(
        "CONSENT_MISSING",
        f"{told}; ask the person, then record with GiveConsent what they agreed to, for {wanted}",
        violations=[FieldViolation("consent.purposes", purpose.name) for purpose in missing],
        metadata={"name": name},
    )


def _expired(subject_id: str, expired_at: float) -> FailedPreconditionError:
    name = subject_name(subject_id)
    return FailedPreconditionError(
        "CONSENT_EXPIRED",
        f"the consent of {name} expired at {datetime.fromtimestamp(expired_at, UTC):%Y-%m-%d %H:%M:%S} UTC; ask the "
        "person anew, then record with GiveConsent what they agreed to",
        metadata={"name": name},
    )
