"""Converts subjects to protobuf."""

from __future__ import annotations

from headshots.v1 import subjects_pb2
from services.gateway.api import names
from services.gateway.api.convert import optional_timestamp, timestamp
from services.gateway.api.labels import LabellingChange
from services.gateway.consents import convert as consents
from services.gateway.peers.convert import adapter
from services.gateway.retention import convert as retention
from services.gateway.retention.models import OwnTerms
from services.gateway.subjects.models import Subject, SubjectChange


def subject(value: Subject) -> subjects_pb2.Subject:
    """A subject."""
    return subjects_pb2.Subject(
        name=names.subject_name(value.id),
        display_name=value.display_name,
        class_noun=value.class_noun,
        create_time=timestamp(value.created_at),
        photo_count=value.photo_count,
        adapter=adapter(value.adapter),
        consent=consents.consent(value.consent),
        expire_time=timestamp(value.retention.expires_at),
        hold=retention.hold(value.retention.hold),
        erasure_commitment=value.erasure_commitment,
        photo_expire_time=optional_timestamp(value.retention.photos_expire_at),
        foundation=names.foundation_name(value.adapter.foundation_digest) if value.adapter is not None else "",
        **value.labelling.fields,
    )


def own_terms(request: subjects_pb2.CreateSubjectRequest) -> OwnTerms:
    """How long a new subject and its photos are kept."""
    photo_seconds = request.photo_retention_seconds if request.HasField("photo_retention_seconds") else None
    return OwnTerms(request.retention_seconds, photo_seconds)


def change(request: subjects_pb2.UpdateSubjectRequest) -> SubjectChange:
    """What a caller changes."""
    return SubjectChange(
        display_name=request.display_name if request.HasField("display_name") else None,
        **LabellingChange.of_request(request).columns,
    )
