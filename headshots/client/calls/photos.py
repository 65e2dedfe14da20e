"""Calls the gateway about photos: uploads, inspects, labels, lists and erases them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

from headshots.client.convert import photos as convert
from headshots.client.convert.labels import wire_change, wire_labelling
from headshots.client.models.labels import Labelling
from headshots.client.models.photos import Photo, PhotoRef, PhotosInspection
from headshots.client.models.subjects import SubjectRef
from headshots.client.names import Kind, resource_name, several
from headshots.client.upload import PhotoSource, PhotoUpload
from headshots.errors import InvalidArgumentError
from headshots.v1 import photos_pb2


class PhotoCalls(PhotoUpload):
    """The photos of a subject."""

    async def upload_photos(
        self,
        subject: SubjectRef,
        photos: Iterable[PhotoSource],
        *,
        labelling: Labelling | Sequence[Labelling] | None = None,
    ) -> list[Photo]:
        """Upload 1 to 100 photos, each a path or a file's bytes of at most 20 MiB. All are stored, or none.

        Args:
            subject: whose they are.
            photos: in the order to store them.
            labelling: labels and an external id of your own, the same for all photos or one for each.

        Raises:
            ValueError: there are not as many labellings as photos.
            InvalidArgumentError: NO_PHOTOS: there is none.
            InvalidPhotoError: a photo cannot be used; the message names it and says why.
            OSError: a path cannot be read; nothing was stored.
            AlreadyExistsError: PHOTO_DUPLICATE: a picture comes twice, or the subject has it already.
            NotFoundError: no such subject in this tenant.
            FailedPreconditionError: TOO_MANY_PHOTOS: the subject would have more than 100.
        """
        parent = resource_name(subject, Kind.SUBJECT)
        sources = several(photos, "photos")
        if not sources:
            raise InvalidArgumentError("NO_PHOTOS", "there is no photo to upload; is it the folder that was meant?")
        labellings = [labelling] * len(sources) if isinstance(labelling, Labelling | None) else list(labelling)
        return [convert.photo(item) for item in await self._upload(parent, sources, labellings)]

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
            NotFoundError: SUBJECT_NOT_FOUND; OBJECT_NOT_FOUND: a stored photo is being erased.
            InvalidArgumentError: NO_PHOTOS: neither a subject nor a candidate; TOO_MANY_PHOTOS.
        """
        parent = resource_name(subject, Kind.SUBJECT) if subject is not None else ""
        return convert.photos_inspection(await self._inspect(parent, several(photos, "photos")))

    async def list_photos(
        self, subject: SubjectRef, *, labelling: Labelling | None = None, page_size: int = 0
    ) -> AsyncIterator[Photo]:
        """All photos of a subject that are labelled so, in upload order.

        Raises:
            NotFoundError: no such subject in this tenant.
        """
        request = photos_pb2.ListPhotosRequest(
            parent=resource_name(subject, Kind.SUBJECT), page_size=page_size, **wire_labelling(labelling)
        )
        async for item in self._pages("ListPhotos", request, "photos"):
            yield convert.photo(item)

    async def update_photo(
        self, photo: PhotoRef, *, labels: Mapping[str, str] | None = None, external_id: str | None = None
    ) -> Photo:
        """Change a photo's labels; what is None stays as it is, `labels` replaces all it had.

        Raises:
            NotFoundError: no such photo in this tenant.
        """
        name = resource_name(photo, Kind.PHOTO)
        request = photos_pb2.UpdatePhotoRequest(name=name, **wire_change(labels, external_id))
        return convert.photo((await self._unary("UpdatePhoto", request)).photo)

    async def delete_photo(self, photo: PhotoRef) -> None:
        """Erase one photo; adapters that have learned from it stay.

        Raises:
            NotFoundError: no such photo in this tenant.
            FailedPreconditionError: PHOTO_IN_USE: a training learns from it.
        """
        await self._unary("DeletePhoto", photos_pb2.DeletePhotoRequest(name=resource_name(photo, Kind.PHOTO)))
