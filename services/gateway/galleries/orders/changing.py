"""Makes the recipe of a remix that changes one thing: the image's own style with one field replaced."""

from __future__ import annotations

import dataclasses
from typing import Any

from sqlalchemy.engine import Connection

from headshots.errors import FieldViolation, InvalidArgumentError
from headshots.looks.frame import Frame
from headshots.styles.library import StyleLibrary
from headshots.styles.recipe import Style
from services.gateway.api.names import ids, image_name, is_style_name
from services.gateway.galleries.models import GalleryOrder, place_of
from services.gateway.galleries.orders.rules import check_counts
from services.gateway.galleries.rows import find_gallery, style_shots_of
from services.gateway.remixes.changes import Change
from services.gateway.styles.rows import usable_styles

_TO = "remix.to"


def find_changed_recipe(connection: Connection, library: StyleLibrary, tenant_id: str, order: GalleryOrder) -> Style:
    """The recipe that the image of the order's remix was painted by, with what is to change; the image was looked up.

    Raises:
        NotFoundError: GALLERY_NOT_FOUND.
        InvalidArgumentError: REMIX_STYLE_WHOLE_PROMPT, STYLE_UNKNOWN, STYLE_SHOTS_INVALID, TOO_MANY_SHOTS.
        FailedPreconditionError: STYLE_ARCHIVED.
    """
    remix = order.remix
    change = remix.change if remix is not None else None
    assert remix is not None, "the order changes something"
    assert change is not None, "the order changes something"
    row = find_gallery(connection, tenant_id, remix.subject_id, remix.gallery_id)
    name = image_name(remix.subject_id, remix.gallery_id, remix.number)
    recipe = Style(**row.styles[place_of(remix.number, style_shots_of(row))[0]])
    check_counts(dataclasses.replace(order, styles=(recipe.name,)))
    _check_says(recipe, change, f"{name} was painted by styles/{recipe.name}, which", "remix.image")
    words: dict[str, Any] = {change.field: _words(connection, library, tenant_id, change, remix.to)}
    return dataclasses.replace(recipe, **words)


def find_frame(connection: Connection, tenant_id: str, order: GalleryOrder) -> Frame | None:
    """The frame of what an order paints: a change keeps the one that its image was cut to.

    Raises:
        NotFoundError: GALLERY_NOT_FOUND, IMAGE_NOT_FOUND.
    """
    if not order.changes or order.remix is None:
        return order.frame
    row = find_gallery(connection, tenant_id, order.remix.subject_id, order.remix.gallery_id)
    return Frame.from_json(row.frame)


def _words(connection: Connection, library: StyleLibrary, tenant_id: str, change: Change, to: str) -> str:
    """What the change is to, as it goes into the prompt."""
    if not is_style_name(to):
        return to.strip()
    (style,) = usable_styles(connection, library, tenant_id, ids(to), [_TO])
    _check_says(style, change, to, _TO)
    words: str = getattr(style, change.field)
    return words


def _check_says(style: Style, change: Change, what: str, field: str) -> None:
    if style.prompt:
        rule = f"says all in one prompt, so its {change.field} cannot be told from the rest"
        cure = "say it in words" if field == _TO else "take an image of a style of words, or leave `change` out"
        raise InvalidArgumentError(
            "REMIX_STYLE_WHOLE_PROMPT", f"{what} {rule}; {cure}", violations=[FieldViolation(field, rule)]
        )
