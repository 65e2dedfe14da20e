"""Calls about the tenant, subjects, photos and styles."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from headshots.client import convert
from headshots.client.connection import new_request_id
from headshots.client.inspections import PhotosInspection, photos_inspection
from headshots.client.models import Photo, Style, Subject, SubjectRef, Tenant
from headshots.client.names import Kind, resource_name, several
from headshots.client.upload import PhotoSource, PhotoUpload
from headshots.errors import InvalidArgumentError
from headshots.v1 import photos_pb2, styles_pb2, subjects_pb2, tenants_pb2


class SubjectCalls(PhotoUpload):
    """People and what belongs to them."""

    async def get_tenant(self) -> Tenant:
        """The tenant that the API key names: the quickest check of a key."""
        return convert.tenant((await self._unary("GetTenant", tenants_pb2.GetTenantRequest())).tenant)

    async def create_subject(
        self, display_name: str = "", *, class_noun: str = "person", request_id: str | None = None
    ) -> Subject:
        """Make a subject.

        Args:
            display_name: for people, at most 128 characters.
            class_noun: the word the foundation knows such a person by: man, woman, person …
            request_id: the same id again answers the same subject; default a new one.
        """
        request = subjects_pb2.CreateSubjectRequest(
            display_name=display_name, class_noun=class_noun, request_id=request_id or new_request_id()
        )
        return convert.subject((await self._unary("CreateSubject", request)).subject)

    async def get_subject(self, subject: SubjectRef) -> Subject:
        """One subject, by name, bare id or an older copy of it.

        Raises:
            NotFoundError: no such subject in this tenant.
        """
        request = subjects_pb2.GetSubjectRequest(name=resource_name(subject, Kind.SUBJECT))
        return convert.subject((await self._unary("GetSubject", request)).subject)

    async def list_subjects(self, *, page_size: int = 0) -> AsyncIterator[Subject]:
        """All subjects, newest first; pages are fetched as they are needed."""
        request = subjects_pb2.ListSubjectsRequest(page_size=page_size)
        async for item in self._pages("ListSubjects", request, "subjects"):
            yield convert.subject(item)

    async def delete_subject(self, subject: SubjectRef) -> int:
        """Erase the subject with its photos, adapters and images; answers how many objects were removed.

        Raises:
            FailedPreconditionError: a training or a gallery of it still runs.
        """
        request = subjects_pb2.DeleteSubjectRequest(name=resource_name(subject, Kind.SUBJECT))
        return int((await self._unary("DeleteSubject", request)).deleted_objects)

    async def upload_photos(self, subject: SubjectRef, photos: Iterable[PhotoSource]) -> list[Photo]:
        """Upload 1 to 100 photos, each a path or a file's bytes of at most 20 MiB. All are stored, or none.

        Raises:
            InvalidArgumentError: NO_PHOTOS: there is none.
            InvalidPhotoError: a photo cannot be used; the message names it and says why.
            OSError: a path cannot be read; nothing was stored.
        """
        parent = resource_name(subject, Kind.SUBJECT)
        sources = several(photos, "photos")
        if not sources:
            raise InvalidArgumentError("NO_PHOTOS", "there is no photo to upload; is it the folder that was meant?")
        return [convert.photo(item) for item in await self._upload(parent, sources)]

    async def inspect_photos(
        self, subject: SubjectRef | None = None, photos: Iterable[PhotoSource] = ()
    ) -> PhotosInspection:
        """Tell before a training what is wrong with a subject's stored photos, and with candidates beside them.

        Nothing is stored. A candidate that is no picture, or too large, is an answer and no error.

        Args:
            subject: whose stored photos to inspect; None looks at the candidates alone.
            photos: at most 100 candidates, each a path or a file's bytes.

        Raises:
            OSError: a path cannot be read.
        """
        parent = resource_name(subject, Kind.SUBJECT) if subject is not None else ""
        return photos_inspection(await self._inspect(parent, several(photos, "photos")))

    async def list_photos(self, subject: SubjectRef, *, page_size: int = 0) -> AsyncIterator[Photo]:
        """All photos of a subject, in upload order."""
        request = photos_pb2.ListPhotosRequest(parent=resource_name(subject, Kind.SUBJECT), page_size=page_size)
        async for item in self._pages("ListPhotos", request, "photos"):
            yield convert.photo(item)

    async def list_styles(self, *, page_size: int = 0) -> AsyncIterator[Style]:
        """The style library, by name."""
        request = styles_pb2.ListStylesRequest(page_size=page_size)
        async for item in self._pages("ListStyles", request, "styles"):
            yield convert.style(item)

    async def get_style(self, style: Style | str) -> Style:
        """One style, by `styles/{style}` or its bare id.

        Raises:
            NotFoundError: no such style.
        """
        request = styles_pb2.GetStyleRequest(name=resource_name(style, Kind.STYLE))
        return convert.style((await self._unary("GetStyle", request)).style)
