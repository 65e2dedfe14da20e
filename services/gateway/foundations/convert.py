"""Converts foundations that pools run to protobuf."""

from __future__ import annotations

from headshots.v1 import foundations_pb2, generator_pb2
from services.gateway.api import names
from services.gateway.api.convert import wire_interval
from services.gateway.peers.pools.models import Served


def foundation(served: Served) -> foundations_pb2.Foundation:
    """A foundation, and whether it is served."""
    value = served.description
    return foundations_pb2.Foundation(
        name=names.foundation_name(value.foundation_digest),
        display_name=value.foundation,
        native_width_px=value.native_width_px,
        native_height_px=value.native_height_px,
        min_width_px=value.width_range_px[0],
        max_width_px=value.width_range_px[1],
        min_height_px=value.height_range_px[0],
        max_height_px=value.height_range_px[1],
        size_multiple_px=value.size_multiple_px,
        steps=value.steps,
        guidance_scale=value.adapter_guidance_scale,
        prompt_template=value.prompt_template,
        class_nouns=value.class_nouns,
        vocabulary=value.vocabulary,
        window_tokens=value.window_tokens,
        max_rank=value.max_rank,
        is_default=served.is_default,
        ready_generators=served.ready,
        sampler=_sampler(value.sampler),
        digest=value.foundation_digest,
        negative_prompt=value.negative_prompt,
        guidance_interval=wire_interval(value.guidance_interval),
        head_height=value.head_height,
        eye_line=value.eye_line,
    )


def _sampler(number: int) -> str:
    """Empty where a generator of another version names one that this gateway does not know."""
    name = {number: name for name, number in generator_pb2.Sampler.items() if number}.get(number, "")
    return name.removeprefix("SAMPLER_").lower()
