"""Converts styles between SDK objects and protobuf."""

from __future__ import annotations

import dataclasses

from headshots.client.convert.labels import labelled
from headshots.client.convert.values import interval, utc_time
from headshots.client.models.styles import Style, StylePreview, StyleRecipe
from headshots.v1 import styles_pb2


def style(message: styles_pb2.Style) -> Style:
    """A style."""
    return Style(
        name=message.name,
        display_name=message.display_name,
        description=message.description,
        version=message.version,
        recipe=_recipe(message.recipe),
        built_in=message.built_in,
        archived=message.archived,
        create_time=utc_time(message.create_time),
        **labelled(message),
    )


def _recipe(message: styles_pb2.StyleRecipe) -> StyleRecipe:
    return StyleRecipe(
        outfit=message.outfit,
        backdrop=message.backdrop,
        lighting=message.lighting,
        framing=message.framing,
        expression=message.expression,
        prompt=message.prompt,
        negative_prompt=message.negative_prompt,
        guidance_interval=interval(message),
        guidance_scale=message.guidance_scale if message.HasField("guidance_scale") else None,
        steps=message.steps,
        width_px=message.width_px,
        height_px=message.height_px,
    )


def wire_recipe(recipe: StyleRecipe | None) -> styles_pb2.StyleRecipe | None:
    """The protobuf value of a recipe; None stays unset."""
    if recipe is None:
        return None
    fields = dataclasses.asdict(recipe)
    if recipe.guidance_interval is not None:
        low, high = recipe.guidance_interval
        fields["guidance_interval"] = styles_pb2.GuidanceInterval(low=low, high=high)
    return styles_pb2.StyleRecipe(**fields)


def preview(message: styles_pb2.PreviewStyleResponse) -> StylePreview:
    """What a style becomes."""
    return StylePreview(
        prompt=message.prompt,
        negative_prompt=message.negative_prompt,
        width_px=message.width_px,
        height_px=message.height_px,
        steps=message.steps,
        guidance_scale=message.guidance_scale,
        tokens=message.tokens,
        window_tokens=message.window_tokens,
        lost=message.lost,
        negative_lost=message.negative_lost,
        unknown_words=tuple(message.unknown_words),
        guidance_interval=interval(message),
    )
