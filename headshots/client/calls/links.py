"""Calls the gateway for links to images, which expire."""

from __future__ import annotations

from collections.abc import Iterable

from headshots.client.connection import Connection
from headshots.client.convert.values import utc_time
from headshots.client.models.images import Image, ImageLink
from headshots.client.models.jobs import GalleryRef
from headshots.client.names import Kind, resource_name, several
from headshots.v1 import galleries_pb2


class LinkCalls(Connection):
    """Portraits to browsers."""

    async def image_links(
        self, gallery: GalleryRef, images: Iterable[Image | str] | None = None, *, valid_seconds: int = 0
    ) -> list[ImageLink]:
        """Links to images of one gallery that anybody who has them can open, in the order of the images.

        Args:
            gallery: which.
            images: 1 to 160 of its images; `None` takes all that exist now.
            valid_seconds: how long they can be opened, 1 second to 7 days; 0 takes the server's hour.

        Raises:
            NotFoundError: no such gallery or image in this tenant.
            InvalidArgumentError: an image of another gallery, or what the limits above exclude.
            FailedPreconditionError: LINKS_NOT_SET_UP.
        """
        name = resource_name(gallery, Kind.GALLERY)
        if images is None:
            found = await self._unary("GetGallery", galleries_pb2.GetGalleryRequest(name=name))
            images = [image.name for image in found.gallery.images]
            if not images:
                return []
        request = galleries_pb2.CreateImageLinksRequest(
            parent=name,
            images=[resource_name(image, Kind.IMAGE) for image in several(images, "images")],
            valid_seconds=valid_seconds,
        )
        response = await self._unary("CreateImageLinks", request)
        return [ImageLink(link.image, link.url, utc_time(link.expire_time)) for link in response.links]
