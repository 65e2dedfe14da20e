"""Answers the RPCs of galleries and their images: decode, one engine call, encode."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any, Protocol

import grpc.aio

from headshots.rpc.auth import current_tenant
from headshots.v1 import galleries_pb2, galleries_pb2_grpc
from services.gateway.api.convert import idempotency_key
from services.gateway.api.labels import Labelling, LabellingChange
from services.gateway.api.names import ids
from services.gateway.api.pages import DEFAULT_PAGE
from services.gateway.galleries import convert
from services.gateway.galleries.engine import GalleryEngine
from services.gateway.galleries.models import Gallery, Image
from services.gateway.galleries.orders.regenerating import Disliked


class LinkServicer(Protocol):
    """Answers the calls about links to images; `links.servicer` implements it."""

    async def create_image_links(
        self, request: galleries_pb2.CreateImageLinksRequest
    ) -> galleries_pb2.CreateImageLinksResponse:
        """CreateImageLinks."""
        ...


class GalleryServicer(galleries_pb2_grpc.GalleryServiceServicer):
    """Every method raises `HeadshotsError`s; the server's interceptors turn them into statuses."""

    def __init__(self, engine: GalleryEngine, links: LinkServicer) -> None:
        self._engine = engine
        self._links = links

    def register(self, server: grpc.aio.Server) -> list[str]:
        """Adds the service to a server; full names of what was added."""
        galleries_pb2_grpc.add_GalleryServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        return [galleries_pb2.DESCRIPTOR.services_by_name["GalleryService"].full_name]

    async def CreateGallery(
        self, request: galleries_pb2.CreateGalleryRequest, context: Any
    ) -> galleries_pb2.CreateGalleryResponse:
        """Queues a gallery."""
        (subject_id,) = ids(request.parent)
        gallery = await self._engine.create(
            current_tenant(),
            subject_id,
            convert.gallery_order(request),
            key=idempotency_key(request),
            validate_only=request.validate_only,
        )
        return galleries_pb2.CreateGalleryResponse(gallery=convert.gallery(gallery))

    async def GetGallery(
        self, request: galleries_pb2.GetGalleryRequest, context: Any
    ) -> galleries_pb2.GetGalleryResponse:
        """One gallery."""
        gallery = await self._engine.get(current_tenant(), *ids(request.name))
        return galleries_pb2.GetGalleryResponse(gallery=convert.gallery(gallery))

    async def ListGalleries(
        self, request: galleries_pb2.ListGalleriesRequest, context: Any
    ) -> galleries_pb2.ListGalleriesResponse:
        """A page of galleries."""
        (subject_id,) = ids(request.parent)
        page, token = await self._engine.page(
            current_tenant(),
            subject_id,
            Labelling.of_request(request),
            request.page_size or DEFAULT_PAGE,
            request.page_token,
        )
        return galleries_pb2.ListGalleriesResponse(galleries=map(convert.gallery, page), next_page_token=token)

    async def WatchGallery(
        self, request: galleries_pb2.WatchGalleryRequest, context: Any
    ) -> AsyncIterator[galleries_pb2.WatchGalleryResponse]:
        """The gallery's images as they finish."""
        subject_id, gallery_id = ids(request.name)
        watched = current_tenant(), subject_id, gallery_id
        watch = self._engine.watch(*watched, previews=request.include_previews)
        async with contextlib.aclosing(watch) as events:  # type: ignore[type-var]
            async for event in events:
                if isinstance(event, Gallery):
                    yield galleries_pb2.WatchGalleryResponse(gallery=convert.gallery(event))
                elif isinstance(event, Image):
                    content = await self._engine.image_content(*watched, event) if request.include_content else b""
                    yield galleries_pb2.WatchGalleryResponse(
                        image=convert.image(subject_id, gallery_id, event), content=content
                    )
                else:
                    yield galleries_pb2.WatchGalleryResponse(preview=convert.preview(event))

    async def CancelGallery(
        self, request: galleries_pb2.CancelGalleryRequest, context: Any
    ) -> galleries_pb2.CancelGalleryResponse:
        """Asks a gallery to stop."""
        gallery = await self._engine.cancel(current_tenant(), *ids(request.name))
        return galleries_pb2.CancelGalleryResponse(gallery=convert.gallery(gallery))

    async def ListImages(
        self, request: galleries_pb2.ListImagesRequest, context: Any
    ) -> galleries_pb2.ListImagesResponse:
        """A page of images."""
        subject_id, gallery_id = ids(request.parent)
        size, query = request.page_size or DEFAULT_PAGE, convert.image_query(request)
        page, token = await self._engine.list_images(
            current_tenant(), subject_id, gallery_id, query, size, request.page_token
        )
        images = [convert.image(subject_id, gallery_id, image) for image in page]
        return galleries_pb2.ListImagesResponse(images=images, next_page_token=token)

    async def RegenerateImage(
        self, request: galleries_pb2.RegenerateImageRequest, context: Any
    ) -> galleries_pb2.RegenerateImageResponse:
        """Queues a gallery in place of an image."""
        subject_id, gallery_id, number = ids(request.name)
        disliked = Disliked(subject_id, gallery_id, int(number), request.max_tries, request.allow_unjudged)
        gallery = await self._engine.regenerate(
            current_tenant(), disliked, key=idempotency_key(request), validate_only=request.validate_only
        )
        return galleries_pb2.RegenerateImageResponse(gallery=convert.gallery(gallery))

    async def GetImage(self, request: galleries_pb2.GetImageRequest, context: Any) -> galleries_pb2.GetImageResponse:
        """One image's file."""
        subject_id, gallery_id, number = ids(request.name)
        image, content = await self._engine.get_image(current_tenant(), subject_id, gallery_id, int(number))
        return galleries_pb2.GetImageResponse(image=convert.image(subject_id, gallery_id, image), content=content)

    async def CreateImageLinks(
        self, request: galleries_pb2.CreateImageLinksRequest, context: Any
    ) -> galleries_pb2.CreateImageLinksResponse:
        """Links to images' files."""
        return await self._links.create_image_links(request)

    async def UpdateImage(
        self, request: galleries_pb2.UpdateImageRequest, context: Any
    ) -> galleries_pb2.UpdateImageResponse:
        """Changes an image's labels."""
        subject_id, gallery_id, number = ids(request.name)
        change = LabellingChange.of_request(request)
        image = await self._engine.label_image(current_tenant(), subject_id, gallery_id, int(number), change)
        return galleries_pb2.UpdateImageResponse(image=convert.image(subject_id, gallery_id, image))

    async def DeleteGallery(
        self, request: galleries_pb2.DeleteGalleryRequest, context: Any
    ) -> galleries_pb2.DeleteGalleryResponse:
        """Erases a gallery."""
        removed = await self._engine.delete(current_tenant(), *ids(request.name))
        return galleries_pb2.DeleteGalleryResponse(deleted_objects=removed)

    async def DeleteImage(
        self, request: galleries_pb2.DeleteImageRequest, context: Any
    ) -> galleries_pb2.DeleteImageResponse:
        """Erases an image."""
        subject_id, gallery_id, number = ids(request.name)
        await self._engine.delete_image(current_tenant(), subject_id, gallery_id, int(number))
        return galleries_pb2.DeleteImageResponse()
