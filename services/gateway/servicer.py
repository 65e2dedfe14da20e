"""The public API's RPCs: decode, one engine call, encode."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio

from headshots.rpc.auth import current_tenant
from headshots.styles import Style
from headshots.v1 import gateway_pb2 as pb
from headshots.v1 import gateway_pb2_grpc
from services.gateway import convert
from services.gateway.api.names import ids
from services.gateway.api.pages import cut_page, decode_token
from services.gateway.engine import GatewayEngine
from services.gateway.models import PRIORITY_STANDARD, Gallery, Image
from services.gateway.photos import convert as convert_photos

_PAGE, _PHOTO_PAGE = 50, 100


class GatewayServicer(gateway_pb2_grpc.GatewayServiceServicer):
    """Every method raises `HeadshotsError`s; the server's interceptors turn them into statuses."""

    def __init__(self, engine: GatewayEngine) -> None:
        self._engine = engine

    def register(self, server: grpc.aio.Server) -> list[str]:
        """Adds the service to a server; full names of what was added."""
        gateway_pb2_grpc.add_GatewayServiceServicer_to_server(self, server)  # type: ignore[no-untyped-call]
        return [pb.DESCRIPTOR.services_by_name["GatewayService"].full_name]

    async def GetTenant(self, request: pb.GetTenantRequest, context: Any) -> pb.GetTenantResponse:
        """The tenant of the key."""
        return pb.GetTenantResponse(tenant=convert.tenant(await self._engine.get_tenant(current_tenant())))

    async def CreateSubject(self, request: pb.CreateSubjectRequest, context: Any) -> pb.CreateSubjectResponse:
        """Makes a subject."""
        subject = await self._engine.create_subject(
            current_tenant(), request.display_name, request.class_noun, request.request_id
        )
        return pb.CreateSubjectResponse(subject=convert.subject(subject))

    async def GetSubject(self, request: pb.GetSubjectRequest, context: Any) -> pb.GetSubjectResponse:
        """One subject."""
        subject = await self._engine.get_subject(current_tenant(), *ids(request.name))
        return pb.GetSubjectResponse(subject=convert.subject(subject))

    async def ListSubjects(self, request: pb.ListSubjectsRequest, context: Any) -> pb.ListSubjectsResponse:
        """A page of subjects."""
        page, token = await self._engine.list_subjects(current_tenant(), request.page_size or _PAGE, request.page_token)
        return pb.ListSubjectsResponse(subjects=map(convert.subject, page), next_page_token=token)

    async def DeleteSubject(self, request: pb.DeleteSubjectRequest, context: Any) -> pb.DeleteSubjectResponse:
        """Erases a subject."""
        removed = await self._engine.delete_subject(current_tenant(), *ids(request.name))
        return pb.DeleteSubjectResponse(deleted_objects=removed)

    async def UploadPhotos(
        self, requests: AsyncIterator[pb.UploadPhotosRequest], context: Any
    ) -> pb.UploadPhotosResponse:
        """Stores a stream of photos."""
        photos = await self._engine.upload(current_tenant(), convert_photos.photo_parts(requests))
        return pb.UploadPhotosResponse(photos=map(convert.photo, photos))

    async def InspectPhotos(
        self, requests: AsyncIterator[pb.InspectPhotosRequest], context: Any
    ) -> pb.InspectPhotosResponse:
        """Tells what is wrong with photos."""
        return convert_photos.inspection(
            await self._engine.inspect(current_tenant(), convert_photos.photo_parts(requests))
        )

    async def ListPhotos(self, request: pb.ListPhotosRequest, context: Any) -> pb.ListPhotosResponse:
        """A page of photos."""
        (subject_id,) = ids(request.parent)
        page, token = await self._engine.list_photos(
            current_tenant(), subject_id, request.page_size or _PHOTO_PAGE, request.page_token
        )
        return pb.ListPhotosResponse(photos=map(convert.photo, page), next_page_token=token)

    async def CreateTraining(self, request: pb.CreateTrainingRequest, context: Any) -> pb.CreateTrainingResponse:
        """Queues a training."""
        (subject_id,) = ids(request.parent)
        training = await self._engine.create_training(
            current_tenant(),
            subject_id,
            convert.training_options(request.options),
            priority=int(request.priority) or PRIORITY_STANDARD,
            request_id=request.request_id,
            validate_only=request.validate_only,
            photos=list(request.photos),
        )
        return pb.CreateTrainingResponse(training=convert.training(training))

    async def GetTraining(self, request: pb.GetTrainingRequest, context: Any) -> pb.GetTrainingResponse:
        """One training."""
        training = await self._engine.get_training(current_tenant(), *ids(request.name))
        return pb.GetTrainingResponse(training=convert.training(training))

    async def ListTrainings(self, request: pb.ListTrainingsRequest, context: Any) -> pb.ListTrainingsResponse:
        """A page of trainings."""
        (subject_id,) = ids(request.parent)
        page, token = await self._engine.list_trainings(
            current_tenant(), subject_id, request.page_size or _PAGE, request.page_token
        )
        return pb.ListTrainingsResponse(trainings=map(convert.training, page), next_page_token=token)

    async def WatchTraining(
        self, request: pb.WatchTrainingRequest, context: Any
    ) -> AsyncIterator[pb.WatchTrainingResponse]:
        """The training, event by event."""
        after = request.after_event if request.HasField("after_event") else None
        watch = self._engine.watcher.training(current_tenant(), *ids(request.name), after=after)
        async with contextlib.aclosing(watch) as trainings:  # type: ignore[type-var]
            async for training in trainings:
                yield pb.WatchTrainingResponse(training=convert.training(training))

    async def CancelTraining(self, request: pb.CancelTrainingRequest, context: Any) -> pb.CancelTrainingResponse:
        """Asks a training to stop."""
        training = await self._engine.cancel_training(current_tenant(), *ids(request.name))
        return pb.CancelTrainingResponse(training=convert.training(training))

    async def CreateGallery(self, request: pb.CreateGalleryRequest, context: Any) -> pb.CreateGalleryResponse:
        """Queues a gallery."""
        (subject_id,) = ids(request.parent)
        gallery = await self._engine.create_gallery(
            current_tenant(),
            subject_id,
            convert.gallery_order(request),
            request_id=request.request_id,
            validate_only=request.validate_only,
        )
        return pb.CreateGalleryResponse(gallery=convert.gallery(gallery))

    async def GetGallery(self, request: pb.GetGalleryRequest, context: Any) -> pb.GetGalleryResponse:
        """One gallery."""
        gallery = await self._engine.get_gallery(current_tenant(), *ids(request.name))
        return pb.GetGalleryResponse(gallery=convert.gallery(gallery))

    async def ListGalleries(self, request: pb.ListGalleriesRequest, context: Any) -> pb.ListGalleriesResponse:
        """A page of galleries."""
        (subject_id,) = ids(request.parent)
        page, token = await self._engine.list_galleries(
            current_tenant(), subject_id, request.page_size or _PAGE, request.page_token
        )
        return pb.ListGalleriesResponse(galleries=map(convert.gallery, page), next_page_token=token)

    async def WatchGallery(
        self, request: pb.WatchGalleryRequest, context: Any
    ) -> AsyncIterator[pb.WatchGalleryResponse]:
        """The gallery's images as they finish."""
        subject_id, gallery_id = ids(request.name)
        watch = self._engine.watcher.gallery(
            current_tenant(), subject_id, gallery_id, previews=request.include_previews
        )
        async with contextlib.aclosing(watch) as events:  # type: ignore[type-var]
            async for event in events:
                if isinstance(event, Gallery):
                    yield pb.WatchGalleryResponse(gallery=convert.gallery(event))
                elif isinstance(event, Image):
                    content = await self._engine.image_content(event) if request.include_content else b""
                    yield pb.WatchGalleryResponse(image=convert.image(subject_id, gallery_id, event), content=content)
                else:
                    yield pb.WatchGalleryResponse(preview=convert.preview(event))

    async def CancelGallery(self, request: pb.CancelGalleryRequest, context: Any) -> pb.CancelGalleryResponse:
        """Asks a gallery to stop."""
        gallery = await self._engine.cancel_gallery(current_tenant(), *ids(request.name))
        return pb.CancelGalleryResponse(gallery=convert.gallery(gallery))

    async def GetImage(self, request: pb.GetImageRequest, context: Any) -> pb.GetImageResponse:
        """One image's file."""
        subject_id, gallery_id, number = ids(request.name)
        image, content = await self._engine.get_image(current_tenant(), subject_id, gallery_id, int(number))
        return pb.GetImageResponse(image=convert.image(subject_id, gallery_id, image), content=content)

    async def ListStyles(self, request: pb.ListStylesRequest, context: Any) -> pb.ListStylesResponse:
        """A page of styles."""
        size = request.page_size or _PAGE
        after = decode_token(request.page_token, (str,))
        rest = [style for style in self._engine.styles if after is None or (style.name,) > after]
        page, token = cut_page(rest[: size + 1], size, _position)
        return pb.ListStylesResponse(styles=map(convert.style, page), next_page_token=token)

    async def GetStyle(self, request: pb.GetStyleRequest, context: Any) -> pb.GetStyleResponse:
        """One style."""
        return pb.GetStyleResponse(style=convert.style(self._engine.styles.get(*ids(request.name))))


def _position(style: Style) -> tuple[float | str, ...]:
    return (style.name,)
