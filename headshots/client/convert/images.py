"""Converts images of galleries, and what is told of a file's origin, between protobuf and dataclasses."""

from __future__ import annotations

from headshots.client.convert import verdicts
from headshots.client.convert.labels import labelled
from headshots.client.models.images import (
    Image,
    ImageFormat,
    ImageMetadata,
    ImageOrder,
    ImageOrigin,
    ImageSignature,
    ImageWatermark,
    SignatureState,
    StyleSeeds,
)
from headshots.v1 import galleries_pb2, images_pb2

_FORMATS = {
    ImageFormat.PNG: images_pb2.IMAGE_FORMAT_PNG,
    ImageFormat.JPEG: images_pb2.IMAGE_FORMAT_JPEG,
    ImageFormat.WEBP: images_pb2.IMAGE_FORMAT_WEBP,
}
_ORDERS = {
    ImageOrder.NUMBER: galleries_pb2.IMAGE_ORDER_NUMBER,
    ImageOrder.RANK: galleries_pb2.IMAGE_ORDER_RANK,
}
_STYLE_SEEDS = {
    StyleSeeds.SAME: galleries_pb2.STYLE_SEEDS_SAME,
    StyleSeeds.VARIED: galleries_pb2.STYLE_SEEDS_VARIED,
}


def image(message: images_pb2.Image) -> Image:
    """An image, without its file."""
    return Image(
        name=message.name,
        style=message.style,
        prompt=message.prompt,
        seed=message.seed,
        width_px=message.width_px,
        height_px=message.height_px,
        content_type=message.content_type,
        size_bytes=message.size_bytes,
        sha256=message.sha256,
        likeness=message.likeness if message.HasField("likeness") else None,
        seconds=message.seconds,
        verdict=verdicts.verdict(message.verdict),
        rank=message.rank,
        tries=message.tries,
        **labelled(message),
    )


def wire_format(value: ImageFormat) -> images_pb2.ImageFormat:
    """The protobuf value of a file format."""
    return _FORMATS[value]


def wire_order(value: ImageOrder) -> galleries_pb2.ImageOrder:
    """The protobuf value of an order."""
    return _ORDERS[value]


def wire_style_seeds(value: StyleSeeds | None) -> galleries_pb2.StyleSeeds:
    """The protobuf value of the choice of seeds; None: the server's default."""
    return galleries_pb2.STYLE_SEEDS_UNSPECIFIED if value is None else _STYLE_SEEDS[value]


def style_seeds(value: galleries_pb2.StyleSeeds) -> StyleSeeds:
    """The choice of seeds; an older server, which tells none, has the same ones for all styles."""
    return StyleSeeds.VARIED if value == galleries_pb2.STYLE_SEEDS_VARIED else StyleSeeds.SAME


def image_origin(message: images_pb2.VerifyImageResponse) -> ImageOrigin:
    """Where a file comes from."""
    signature, metadata, watermark = message.signature, message.metadata, message.watermark
    state = images_pb2.SignatureState.Name(signature.state).removeprefix("SIGNATURE_STATE_")
    return ImageOrigin(
        signature=ImageSignature(SignatureState(state), signature.signer, tuple(signature.failures)),
        metadata=ImageMetadata(
            metadata.source_type,
            metadata.system,
            metadata.system_version,
            metadata.owner,
            metadata.usage_terms,
            metadata.licence,
        )
        if message.HasField("metadata")
        else None,
        watermark=ImageWatermark(watermark.mark_id, watermark.confidence) if message.HasField("watermark") else None,
        made_by_machine=message.made_by_machine,
        made_here=message.made_here,
        yours=message.yours,
        erased=message.erased,
        images=tuple(message.images),
    )
