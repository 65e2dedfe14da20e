"""Finds what an order names: the recipes of its styles, the adapter, the image to paint over, the profile."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from headshots.acceptance.profiles import Profile
from headshots.errors import FailedPreconditionError, FieldViolation, InvalidArgumentError
from headshots.styles.library import StyleLibrary
from headshots.styles.recipe import Style
from services.gateway.api.names import image_name, subject_name, training_name
from services.gateway.galleries.models import GalleryOrder
from services.gateway.galleries.orders.rules import check_counts, check_not_refused
from services.gateway.galleries.remix import Remix, RemixOrder
from services.gateway.galleries.rows import find_image
from services.gateway.peers.models import Adapter
from services.gateway.styles.rows import usable_styles
from services.gateway.trainings.models import adapter_expired
from services.gateway.trainings.rows import active_of_subject, adapter_of_training, had_adapter, newest_adapter


@dataclass(frozen=True)
class Wanted:
    """What an order names, as it was found."""

    recipes: tuple[Style, ...]
    profile: Profile
    class_noun: str
    adapter: Adapter
    remix: Remix | None


def find_recipes(connection: Connection, library: StyleLibrary, tenant_id: str, order: GalleryOrder) -> list[Style]:
    """The recipes of the order's styles as they are now.

    Raises:
        InvalidArgumentError: STYLE_UNKNOWN, STYLE_SHOTS_INVALID, TOO_MANY_SHOTS.
        FailedPreconditionError: STYLE_ARCHIVED.
    """
    fields = [f"styles[{index}]" for index in range(len(order.styles))]
    recipes = usable_styles(connection, library, tenant_id, order.styles, fields)
    check_counts(order)
    return recipes


def find_adapter(connection: Connection, subject_id: str, training: tuple[str, str] | None) -> Adapter:
    """The adapter of a training that is named by the ids in its name, or the subject's newest.

    Raises:
        NotFoundError: TRAINING_NOT_FOUND.
        FailedPreconditionError: TRAINING_UNFINISHED, SUBJECT_UNTRAINED, TRAINING_EXPIRED.
    """
    if training is not None:
        return adapter_of_training(connection, subject_id, *training)
    adapter = newest_adapter(connection, subject_id)
    if adapter is not None:
        return adapter
    active = active_of_subject(connection, subject_id)
    if active is None and had_adapter(connection, subject_id):
        raise adapter_expired(subject_name(subject_id))
    if active is None:
        raise FailedPreconditionError(
            "SUBJECT_UNTRAINED", "the subject has no adapter yet; create a training and wait until it succeeds"
        )
    name = training_name(subject_id, active)
    raise FailedPreconditionError(
        "SUBJECT_UNTRAINED",
        f"the subject has no adapter yet; {name} has not ended, wait until it succeeds",
        metadata={"name": name},
    )


def untrained(subject_id: str) -> FailedPreconditionError:
    """The error of an order that takes no training along, for a subject without an adapter that is of use."""
    return FailedPreconditionError(
        "SUBJECT_UNTRAINED",
        f"{subject_name(subject_id)} has no adapter of a foundation that is served; create a training and wait until "
        "it succeeds, or order with train",
    )


def find_remix(connection: Connection, tenant_id: str, subject_id: str, order: RemixOrder | None) -> Remix | None:
    """The image to paint over.

    Raises:
        NotFoundError: GALLERY_NOT_FOUND, IMAGE_NOT_FOUND.
        InvalidArgumentError: REMIX_OF_ANOTHER_SUBJECT.
        FailedPreconditionError: REMIX_OF_REFUSED_IMAGE.
    """
    if order is None:
        return None
    if order.subject_id != subject_id:
        raise InvalidArgumentError(
            "REMIX_OF_ANOTHER_SUBJECT",
            f"the image is of subjects/{order.subject_id}; name one of the gallery's own subject",
            violations=[FieldViolation("remix.image", f"must be in subjects/{subject_id}")],
        )
    image = find_image(connection, tenant_id, subject_id, order.gallery_id, order.number)
    remix = Remix(order.gallery_id, order.number, order.repaint, image.key, image.sha256)
    if order.change is None:
        return remix
    check_not_refused(image, image_name(subject_id, order.gallery_id, order.number))
    return dataclasses.replace(remix, change=order.change, to=order.to, likeness=image.likeness)
