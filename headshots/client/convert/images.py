"""Converts images of galleries between protobuf and dataclasses."""

from __future__ import annotations

from headshots.client.convert import verdicts
from headshots.client.convert.labels import labelled
from headshots.client.models.images import Image, ImageFormat, ImageOrder
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
