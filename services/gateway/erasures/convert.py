"""Converts erasures, keys and commitments to protobuf."""

from __future__ import annotations

from headshots.v1 import erasures_pb2
from services.gateway.api.convert import optional_timestamp, timestamp
from services.gateway.api.names import erasure_key_name, erasure_name
from services.gateway.erasures.models import Commitment, Erasure, PublicKey


def erasure(value: Erasure) -> erasures_pb2.Erasure:
    """An erasure."""
    return erasures_pb2.Erasure(
        name=erasure_name(value.id),
        state=f"ERASURE_STATE_{value.state.name}",
        trigger=f"ERASURE_TRIGGER_{value.trigger.name}",
        subject_commitment=value.subject_commitment,
        request_time=timestamp(value.requested_at),
        erase_time=optional_timestamp(value.erased_at),
        sign_time=optional_timestamp(value.signed_at),
        backups_end_time=optional_timestamp(value.backups_until),
        number=value.number,
        receipt=value.receipt,
        receipt_sha256=value.receipt_sha256,
    )


def key(value: PublicKey) -> erasures_pb2.ErasureKey:
    """A public key."""
    return erasures_pb2.ErasureKey(
        name=erasure_key_name(value.id), public_key_pem=value.pem, create_time=timestamp(value.created_at)
    )


def commitment(value: Commitment) -> erasures_pb2.ErasureCommitment:
    """A commitment."""
    return erasures_pb2.ErasureCommitment(
        store_class=value.store_class,
        commitment=value.commitment,
        size_bytes=value.size_bytes,
        object_sha256=value.object_sha256,
        create_time=timestamp(value.created_at),
    )
