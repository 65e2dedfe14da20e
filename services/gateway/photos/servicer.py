"""Answers the RPCs of photos: decode, one engine call, encode."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc.aio

from headshots.rpc.auth import current_tenant
from headshots.v1 import photos_pb2, photos_pb2_grpc
from services.gateway.api.labels import Labelling, LabellingChange
from services.gateway.api.names import ids
from services.gateway.photos import convert
from services.gateway.photos.engine import PhotoEngine
from services.gateway.photos.limits import MAX_PHOTOS


class PhotoServicer(photos_pb2_grpc.PhotoServiceServicer):
    """Every method raises `HeadshotsError`s; the server's interceptors turn them into statuses."""

    def __init__(self, engine: PhotoEngine) -> None:
        self._engine = engine

    def register(self, server: grpc.aio.Server) -> list[str]:
        """Adds the service to a server; full names of what was added."""
        photos_pb2_grpc.add_PhotoServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        return [photos_pb2.DESCRIPTOR.services_by_name["PhotoService"].full_name]

    async def UploadPhotos(
        self, requests: AsyncIterator[photos_pb2.UploadPhotosRequest], context: Any
    ) -> photos_pb2.UploadPhotosResponse:
        """Stores a stream of photos."""
        photos = await self._engine.upload(current_tenant(), convert.photo_parts(requests))
        return photos_pb2.UploadPhotosResponse(photos=map(convert.photo, photos))

    async def InspectPhotos(
        self, requests: AsyncIterator[photos_pb2.InspectPhotosRequest], context: Any
    ) -> photos_pb2.InspectPhotosResponse:
        """Tells what is wrong with photos."""
        return convert.inspection(await self._engine.inspect(current_tenant(), convert.photo_parts(requests)))

    async def ListPhotos(self, request: photos_pb2.ListPhotosRequest, context: Any) -> photos_pb2.ListPhotosResponse:
        """A page of photos."""
        (subject_id,) = ids(request.parent)
        page, token = await self._engine.page(
            current_tenant(),
            subject_id,
            Labelling.of_request(request),
            request.page_size or MAX_PHOTOS,
            request.page_token,
        )
        return photos_pb2.ListPhotosResponse(photos=map(convert.photo, page), next_page_token=token)

    async def UpdatePhoto(self, request: photos_pb2.UpdatePhotoRequest, context: Any) -> photos_pb2.UpdatePhotoResponse:
        """Changes a photo's labels."""
        subject_id, photo_id = ids(request.name)
        photo = await self._engine.label(current_tenant(), subject_id, photo_id, LabellingChange.of_request(request))
        return photos_pb2.UpdatePhotoResponse(photo=convert.photo(photo))

    async def DeletePhoto(self, request: photos_pb2.DeletePhotoRequest, context: Any) -> photos_pb2.DeletePhotoResponse:
        """Erases a photo."""
        await self._engine.delete(current_tenant(), *ids(request.name))
        return photos_pb2.DeletePhotoResponse()
