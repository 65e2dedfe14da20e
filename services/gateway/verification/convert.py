"""Converts streams of VerifyImage from protobuf, and what was found to it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from headshots.marking.verification import Signature, SignatureState
from headshots.v1 import images_pb2
from services.gateway.api.names import image_name
from services.gateway.photos.streams import PhotoStart, StreamPart
from services.gateway.verification.models import Origin

_STATES = {
    SignatureState.TRUSTED: images_pb2.SIGNATURE_STATE_VALID,
    SignatureState.UNTRUSTED: images_pb2.SIGNATURE_STATE_UNTRUSTED,
    SignatureState.BROKEN: images_pb2.SIGNATURE_STATE_BROKEN,
    SignatureState.NONE: images_pb2.SIGNATURE_STATE_ABSENT,
}


async def image_parts(requests: AsyncIterator[images_pb2.VerifyImageRequest]) -> AsyncIterator[StreamPart]:
    """The messages of a stream."""
    async for request in requests:
        if request.HasField("image"):
            yield PhotoStart("", request.image.size_bytes)
        else:
            yield request.chunk


def origin(value: Origin) -> images_pb2.VerifyImageResponse:
    """What was found."""
    said, registered = value.verification, value.registered
    answer = images_pb2.VerifyImageResponse(
        signature=_signature(said.signature),
        made_by_machine=said.made_by_machine or value.is_made_here,
        made_here=value.is_made_here,
        yours=registered is not None and registered.is_yours,
        erased=registered is not None and registered.is_erased,
        images=[image_name(*ids) for ids in registered.images] if registered is not None else [],
    )
    if said.metadata is not None:
        answer.metadata.CopyFrom(
            images_pb2.ImageMetadata(
                source_type=said.metadata.source_type,
                system=said.metadata.system,
                system_version=said.metadata.system_version,
                owner=said.metadata.owner,
                usage_terms=said.metadata.usage_terms,
                licence=said.metadata.licence,
            )
        )
    if said.watermark is not None:
        answer.watermark.mark_id = said.watermark.mark_id.hex()
        answer.watermark.confidence = said.watermark.confidence
    return answer


def _signature(value: Signature) -> images_pb2.ImageSignature:
    return images_pb2.ImageSignature(state=_STATES[value.state], signer=value.signer, failures=value.failures)
