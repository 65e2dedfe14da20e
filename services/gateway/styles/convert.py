"""Converts styles between dataclasses and protobuf."""

from __future__ import annotations

from typing import Any

from headshots.styles.recipe import Style
from headshots.v1 import styles_pb2
from services.gateway.api import names
from services.gateway.api.convert import interval, optional_timestamp, wire_interval
from services.gateway.styles.checks import StyleReading
from services.gateway.styles.models import ListedStyle, StyleChange

_RECIPE_FIELDS = [field.name for field in styles_pb2.StyleRecipe.DESCRIPTOR.fields]


def style(value: ListedStyle) -> styles_pb2.Style:
    """A style."""
    recipe = {name: getattr(value.style, name) for name in _RECIPE_FIELDS}
    recipe["guidance_interval"] = wire_interval(value.style.guidance_interval)
    return styles_pb2.Style(
        name=names.style_name(value.style.name),
        display_name=value.style.display_name,
        description=value.style.description,
        version=value.style.version,
        recipe=styles_pb2.StyleRecipe(**recipe),
        built_in=value.built_in,
        archived=value.archived,
        create_time=optional_timestamp(value.created_at),
        **value.labelling.fields,
    )


def new_style(request: styles_pb2.CreateStyleRequest) -> Style:
    """The first version that a caller asks for."""
    return Style(
        name=request.style_id,
        version=1,
        display_name=request.display_name or request.style_id,
        description=request.description,
        **_recipe(request.recipe),
    )


def change(request: styles_pb2.UpdateStyleRequest) -> StyleChange:
    """What a caller changes."""
    return StyleChange(
        display_name=names.new_display_name(request),
        description=request.description if request.HasField("description") else None,
        recipe=_recipe(request.recipe) if request.HasField("recipe") else None,
    )


def _recipe(message: styles_pb2.StyleRecipe) -> dict[str, Any]:
    fields = {name: getattr(message, name) for name in _RECIPE_FIELDS}
    if not message.HasField("guidance_scale"):
        fields["guidance_scale"] = None
    fields["guidance_interval"] = interval(message)
    return fields


def preview(value: StyleReading) -> styles_pb2.PreviewStyleResponse:
    """What a style becomes."""
    check = value.check
    return styles_pb2.PreviewStyleResponse(
        prompt=value.request.prompt,
        negative_prompt=value.request.negative_prompt,
        width_px=check.width_px,
        height_px=check.height_px,
        steps=check.steps,
        guidance_scale=check.guidance_scale,
        guidance_interval=wire_interval(check.guidance_interval),
        tokens=max(check.prompt.tokens, check.negative_prompt.tokens),
        window_tokens=value.description.window_tokens,
        lost=check.prompt.lost,
        negative_lost=check.negative_prompt.lost,
        unknown_words=value.unknown_words,
    )
