"""Makes links to images of a gallery for the servicer; blocking work runs in threads."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from sqlalchemy.engine import Engine

from headshots.errors import FailedPreconditionError, FieldViolation, InvalidArgumentError
from headshots.threads import in_read_thread
from services.gateway.api.names import gallery_name, image_name
from services.gateway.audit.log import AuditLog
from services.gateway.audit.models import Action
from services.gateway.galleries import rows
from services.gateway.galleries.images import listing
from services.gateway.galleries.models import Image
from services.gateway.links.makers import LinkMaker
from services.gateway.links.models import DEFAULT_VALID_SECONDS, ImageLink, LinkedFile
from services.gateway.retention.rows import seconds_left

ImageIds = tuple[str, str, int]
"""Ids of subject and gallery, and the image's number."""
_SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp"}


class LinkEngine:
    """Finds images and has links made. Tenants reach their own rows only: everything else is NotFoundError."""

    def __init__(
        self, database: Engine, maker: LinkMaker | None, audit: AuditLog, clock: Callable[[], float] = time.time
    ) -> None:
        """``maker`` None: links are not set up. ``clock``: seconds since the epoch."""
        self._database = database
        self._maker = maker
        self._audit = audit
        self._clock = clock

    async def create(
        self, tenant: str, subject_id: str, gallery_id: str, images: Sequence[ImageIds], valid_seconds: int
    ) -> list[ImageLink]:
        """Links to images of one gallery, in their order; ``valid_seconds`` 0 takes the default.

        None is made for longer than the subject and the gallery's images are kept.

        Raises:
            NotFoundError: SUBJECT_NOT_FOUND, GALLERY_NOT_FOUND, IMAGE_NOT_FOUND.
            InvalidArgumentError: IMAGE_OF_ANOTHER_GALLERY.
            FailedPreconditionError: LINKS_NOT_SET_UP.
            UnavailableError: OBJECT_STORE_UNAVAILABLE.
        """
        found = await in_read_thread(find_images, self._database, tenant, subject_id, gallery_id, images)
        if self._maker is None:
            raise FailedPreconditionError(
                "LINKS_NOT_SET_UP",
                "this installation hands out no links: its object store signs none, and its gateways have no "
                "HEADSHOTS_GATEWAY_LINKS_PORT to serve them on; GetImage brings a file",
                metadata={"name": gallery_name(subject_id, gallery_id)},
            )
        left = await in_read_thread(seconds_left, self._database, subject_id)
        left = min(left, await in_read_thread(listing.seconds_left, self._database, gallery_id))
        valid_seconds = min(valid_seconds or DEFAULT_VALID_SECONDS, left)
        files = [LinkedFile(image.key, image.content_type, _filename(image)) for image in found]
        urls, expires_at = await self._maker.make(files, now=self._clock(), valid_seconds=valid_seconds)
        for image in found:
            name = image_name(subject_id, gallery_id, image.number)
            self._audit.record_reading(tenant, subject_id, Action.LINK_CREATED, name)
        return [
            ImageLink(subject_id, gallery_id, image.number, url, expires_at)
            for image, url in zip(found, urls, strict=True)
        ]


def find_images(
    engine: Engine, tenant_id: str, subject_id: str, gallery_id: str, images: Sequence[ImageIds]
) -> list[Image]:
    """The images of a gallery that are named. Blocking SQL. Raises as `LinkEngine.create`."""
    gallery = rows.get_gallery(engine, tenant_id, subject_id, gallery_id)
    existing = {image.number: image for image in gallery.images}
    for at, ids in enumerate(images):
        if ids[:2] != (subject_id, gallery_id):
            # What is not the caller's must not be told from what never was.
            rows.get_image(engine, tenant_id, *ids)
            message = f"is no image of {gallery_name(subject_id, gallery_id)}; call once for each gallery"
            raise InvalidArgumentError(
                "IMAGE_OF_ANOTHER_GALLERY",
                f"images[{at}] {message}",
                violations=[FieldViolation(f"images[{at}]", message)],
            )
        if ids[2] not in existing:
            # Raises the error of GetImage, unless the image was finished since.
            existing[ids[2]] = rows.get_image(engine, tenant_id, *ids)
    return [existing[number] for _, _, number in images]


def _filename(image: Image) -> str:
    return f"{image.style}-{image.seed}{_SUFFIXES.get(image.content_type, '')}"
