"""Converts consents from and to protobuf."""

from __future__ import annotations

from headshots.v1 import subjects_pb2
from services.gateway.api.convert import optional_timestamp, seconds_of
from services.gateway.consents.models import Consent, Purpose

_PURPOSES = {
    subjects_pb2.CONSENT_PURPOSE_TRAINING: Purpose.TRAINING,
    subjects_pb2.CONSENT_PURPOSE_PAINTING: Purpose.PAINTING,
}


def given(message: subjects_pb2.Consent) -> Consent:
    """What a caller gives.

    Raises:
        InvalidArgumentError: CONSTRAINT_VIOLATED, a time is no timestamp.
    """
    return Consent(
        text=message.statement_text,
        uri=message.statement_uri,
        sha256=message.statement_sha256,
        version=message.statement_version,
        purposes=frozenset(_PURPOSES[purpose] for purpose in message.purposes),
        given_at=seconds_of(message, "give_time", within="consent"),
        reference=message.reference,
        expires_at=seconds_of(message, "expire_time", within="consent"),
    )


def consent(value: Consent | None) -> subjects_pb2.Consent | None:
    """A consent as it is recorded; None stays unset."""
    if value is None:
        return None
    return subjects_pb2.Consent(
        statement_text=value.text,
        statement_uri=value.uri,
        statement_sha256=value.sha256,
        statement_version=value.version,
        purposes=[wire for wire, purpose in _PURPOSES.items() if purpose in value.purposes],
        give_time=optional_timestamp(value.given_at),
        reference=value.reference,
        expire_time=optional_timestamp(value.expires_at),
        record_time=optional_timestamp(value.recorded_at),
    )
