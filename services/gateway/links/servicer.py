"""Answers the calls about links: decode, one engine call, encode. The galleries' servicer hands them over."""

from __future__ import annotations

from headshots.rpc.auth import current_tenant
from headshots.v1 import galleries_pb2
from services.gateway.api.convert import timestamp
from services.gateway.api.names import ids, image_name
from services.gateway.links.engine import ImageIds, LinkEngine
from services.gateway.links.models import ImageLink


class LinkServicer:
    """Raises `HeadshotsError`s; the server's interceptors turn them into statuses."""

    def __init__(self, engine: LinkEngine) -> None:
        self._engine = engine

    async def create_image_links(
        self, request: galleries_pb2.CreateImageLinksRequest
    ) -> galleries_pb2.CreateImageLinksResponse:
        """Links to images' files."""
        subject_id, gallery_id = ids(request.parent)
        links = await self._engine.create(
            current_tenant(),
            subject_id,
            gallery_id,
            [_image_ids(name) for name in request.images],
            request.valid_seconds,
        )
        return galleries_pb2.CreateImageLinksResponse(links=map(_link, links))


def _image_ids(name: str) -> ImageIds:
    subject_id, gallery_id, number = ids(name)
    return subject_id, gallery_id, int(number)


def _link(value: ImageLink) -> galleries_pb2.ImageLink:
    return galleries_pb2.ImageLink(
        image=image_name(value.subject_id, value.gallery_id, value.number),
        url=value.url,
        expire_time=timestamp(value.expires_at),
    )
