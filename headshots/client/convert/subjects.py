"""Converts tenants, subjects, adapters, audit events and erasures from protobuf, and consents from and to it."""

from __future__ import annotations

from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask

from headshots.client.convert.labels import labelled
from headshots.client.convert.values import utc_time
from headshots.client.models.audit import (
    AuditAction,
    AuditEvent,
    Erasure,
    ErasureCommitment,
    ErasureKey,
    ErasureState,
    ErasureTrigger,
)
from headshots.client.models.subjects import Adapter, Consent, ConsentPurpose, Hold, Subject, Tenant, Unchanged
from headshots.v1 import adapters_pb2, audit_events_pb2, erasures_pb2, subjects_pb2, tenants_pb2

_PURPOSES = {
    ConsentPurpose.TRAINING: subjects_pb2.CONSENT_PURPOSE_TRAINING,
    ConsentPurpose.PAINTING: subjects_pb2.CONSENT_PURPOSE_PAINTING,
}
_ACTION = "AUDIT_ACTION_"


def tenant(message: tenants_pb2.Tenant) -> Tenant:
    """A tenant."""
    return Tenant(
        message.name,
        message.display_name,
        utc_time(message.create_time),
        message.consent_required,
        message.retention_seconds,
        message.photo_retention_seconds if message.HasField("photo_retention_seconds") else None,
        message.adapter_retention_seconds or None,
        message.image_retention_seconds or None,
        message.rights_owner or None,
        message.usage_terms or None,
        message.licence if message.HasField("licence") else None,
        message.prompts_in_images,
    )


def wire_policy(**changes: int | str | Unchanged | None) -> tenants_pb2.UpdateTenantRequest:
    """What a caller changes of its tenant; None is the default."""
    named: dict[str, Any] = {name: value for name, value in changes.items() if not isinstance(value, Unchanged)}
    return tenants_pb2.UpdateTenantRequest(update_mask=FieldMask(paths=list(named)), **named)


def adapter(message: adapters_pb2.Adapter) -> Adapter:
    """An adapter."""
    return Adapter(
        sha256=message.sha256,
        key=message.key,
        foundation_digest=message.foundation_digest,
        rank=message.rank,
        trigger=message.trigger,
        size_bytes=message.size_bytes,
        kohya_key=message.kohya_key,
        manifest_key=message.manifest_key,
    )


def subject(message: subjects_pb2.Subject) -> Subject:
    """A subject."""
    return Subject(
        name=message.name,
        display_name=message.display_name,
        class_noun=message.class_noun,
        create_time=utc_time(message.create_time),
        photo_count=message.photo_count,
        adapter=adapter(message.adapter) if message.HasField("adapter") else None,
        **labelled(message),
        consent=_consent(message.consent) if message.HasField("consent") else None,
        expire_time=utc_time(message.expire_time),
        hold=Hold(message.hold.reason, utc_time(message.hold.hold_time)) if message.HasField("hold") else None,
        erasure_commitment=message.erasure_commitment,
        photo_expire_time=utc_time(message.photo_expire_time),
        foundation=message.foundation,
    )


def wire_action(value: AuditAction) -> str:
    """The name of an action in protobuf."""
    return f"{_ACTION}{value}"


def audit_event(message: audit_events_pb2.AuditEvent) -> AuditEvent:
    """An event of the audit log."""
    return AuditEvent(
        name=message.name,
        record_time=utc_time(message.record_time),
        key_id=message.key_id,
        subject=message.subject,
        action=AuditAction(audit_events_pb2.AuditAction.Name(message.action).removeprefix(_ACTION)),
        resource=message.resource,
        count=message.count,
        sha256=message.sha256,
    )


def erasure(message: erasures_pb2.Erasure) -> Erasure:
    """An erasure."""
    state = erasures_pb2.ErasureState.Name(message.state).removeprefix("ERASURE_STATE_")
    trigger = erasures_pb2.ErasureTrigger.Name(message.trigger).removeprefix("ERASURE_TRIGGER_")
    return Erasure(
        name=message.name,
        state=ErasureState(state),
        trigger=ErasureTrigger(trigger),
        subject_commitment=message.subject_commitment,
        request_time=utc_time(message.request_time),
        erase_time=utc_time(message.erase_time),
        sign_time=utc_time(message.sign_time),
        backups_end_time=utc_time(message.backups_end_time),
        number=message.number,
        receipt=message.receipt,
        receipt_sha256=message.receipt_sha256,
    )


def erasure_key(message: erasures_pb2.ErasureKey) -> ErasureKey:
    """A public key."""
    return ErasureKey(message.name, message.public_key_pem, utc_time(message.create_time))


def erasure_commitment(message: erasures_pb2.ErasureCommitment) -> ErasureCommitment:
    """A commitment."""
    return ErasureCommitment(
        message.store_class,
        message.commitment,
        message.size_bytes,
        message.object_sha256,
        utc_time(message.create_time),
    )


def wire_consent(value: Consent | None) -> subjects_pb2.Consent | None:
    """What a caller gives; None stays unset."""
    if value is None:
        return None
    message = subjects_pb2.Consent(
        statement_text=value.text,
        statement_uri=value.uri,
        statement_sha256=value.sha256,
        statement_version=value.version,
        purposes=[wire for purpose, wire in _PURPOSES.items() if purpose in value.purposes],
        reference=value.reference,
    )
    for field, moment in ((message.give_time, value.give_time), (message.expire_time, value.expire_time)):
        if moment is not None:
            field.FromDatetime(moment)
    return message


def _consent(message: subjects_pb2.Consent) -> Consent:
    return Consent(
        text=message.statement_text,
        version=message.statement_version,
        purposes=tuple(purpose for purpose, wire in _PURPOSES.items() if wire in message.purposes),
        uri=message.statement_uri,
        sha256=message.statement_sha256,
        give_time=utc_time(message.give_time),
        reference=message.reference,
        expire_time=utc_time(message.expire_time),
        record_time=utc_time(message.record_time),
    )
