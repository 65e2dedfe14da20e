"""Converts foundations from protobuf."""

from __future__ import annotations

from headshots.client.convert.values import interval, six_digits
from headshots.client.models.foundations import Foundation
from headshots.v1 import foundations_pb2


def foundation(message: foundations_pb2.Foundation) -> Foundation:
    """A foundation."""
    return Foundation(
        name=message.name,
        display_name=message.display_name,
        native_width_px=message.native_width_px,
        native_height_px=message.native_height_px,
        min_width_px=message.min_width_px,
        max_width_px=message.max_width_px,
        min_height_px=message.min_height_px,
        max_height_px=message.max_height_px,
        size_multiple_px=message.size_multiple_px,
        steps=message.steps,
        guidance_scale=message.guidance_scale,
        prompt_template=message.prompt_template,
        class_nouns=tuple(message.class_nouns),
        vocabulary=tuple(message.vocabulary),
        window_tokens=message.window_tokens,
        max_rank=message.max_rank,
        is_default=message.is_default,
        ready_generators=message.ready_generators,
        sampler=message.sampler,
        digest=message.digest,
        negative_prompt=message.negative_prompt,
        guidance_interval=interval(message),
        head_height=six_digits(message.head_height) if message.HasField("head_height") else None,
        eye_line=six_digits(message.eye_line) if message.HasField("eye_line") else None,
    )
