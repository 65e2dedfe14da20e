"""Calls the gateway about the images of galleries."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from os import PathLike
from pathlib import Path

from headshots.client.connection import new_request_id
from headshots.client.convert import galleries
from headshots.client.convert import images as convert
from headshots.client.convert.labels import wire_change, wire_labelling
from headshots.client.convert.verdicts import wire_acceptance
from headshots.client.models.images import (
    Image,
    ImageFormat,
    ImageOrder,
    ImageOrigin,
    PaintedImage,
    Remix,
    RemixChange,
)
from headshots.client.models.jobs import Gallery, GalleryRef
from headshots.client.models.labels import Labelling
from headshots.client.models.styles import Style
from headshots.client.models.verdicts import Acceptance
from headshots.client.names import Kind, resource_name, several
from headshots.client.saving import best_of, save_image, saved_file, stem_by_rank
from headshots.client.upload import PhotoSource, PhotoUpload
from headshots.v1 import galleries_pb2


class ImageCalls(PhotoUpload):
    """Single portraits, and files of images, whoever made them."""

    async def list_images(
        self,
        gallery: GalleryRef,
        *,
        order: ImageOrder = ImageOrder.NUMBER,
        acceptance: Acceptance | None = None,
        styles: Iterable[Style | str] = (),
        max_rank: int = 0,
        labelling: Labelling | None = None,
        page_size: int = 0,
    ) -> AsyncIterator[Image]:
        """The images of a gallery that exist, with their verdicts and ranks.

        Args:
            gallery: which.
            order: by shot number, or the best first.
            acceptance: only images with this outcome; default all.
            styles: only images of these; default all.
            max_rank: only images of at most this rank, as 10 for the ten best; 0 takes all, also those without one.
            labelling: only images that are labelled so; default all.
            page_size: of the calls, 1 to 160; 0 takes the server's default.

        Raises:
            NotFoundError: no such gallery in this tenant.
            InvalidArgumentError: STYLE_UNKNOWN.
        """
        request = galleries_pb2.ListImagesRequest(
            parent=resource_name(gallery, Kind.GALLERY),
            order=convert.wire_order(order),
            acceptance=wire_acceptance(acceptance),
            styles=[resource_name(style, Kind.STYLE) for style in several(styles, "styles")],
            max_rank=max_rank,
            page_size=page_size,
            **wire_labelling(labelling),
        )
        async for item in self._pages("ListImages", request, "images"):
            yield convert.image(item)

    async def download_images(
        self,
        gallery: GalleryRef,
        folder: str | PathLike[str],
        *,
        best: int = 0,
        acceptance: Acceptance | None = None,
    ) -> list[Path]:
        """Write a gallery's images into a folder, best first: `01-studio-navy-suit.png` and so on.

        Those without a rank follow as `refused-12-studio-navy-suit.png`, by shot number. Images that are there already
        are not fetched again; where another picture has the name, `-2` is added. Repeat it where it broke off.

        Args:
            gallery: which.
            folder: made if missing.
            best: so many at most, as 10 for the ten best, and none that is refused; those that nobody could measure
                count as well. 0 takes all, also refused ones.
            acceptance: only images with this outcome; default all.

        Returns:
            The files, best first.

        Raises:
            NotFoundError: no such gallery in this tenant.
            OSError: a file cannot be written.
        """
        target = Path(folder)
        await asyncio.to_thread(target.mkdir, parents=True, exist_ok=True)
        listed = self.list_images(gallery, order=ImageOrder.RANK, acceptance=acceptance)
        images = [image async for image in listed]
        return [await self.save_image(image, target) for image in best_of(images, best)]

    async def save_image(self, image: Image, folder: str | PathLike[str]) -> Path:
        """Write one image of `list_images` into a folder that exists, under the name that `download_images` gives it.

        Raises:
            NotFoundError: it was deleted.
            OSError: the file cannot be written.
        """
        stem = stem_by_rank(image)
        there = await asyncio.to_thread(saved_file, image, Path(folder), stem)
        if there is not None:
            return there
        painted = await self.get_image(image)
        return await asyncio.to_thread(save_image, painted, Path(folder), stem)

    async def regenerate_image(
        self,
        image: Image | str,
        *,
        max_tries: int = 0,
        allow_unjudged: bool = False,
        request_id: str | None = None,
        validate_only: bool = False,
    ) -> Gallery:
        """Paint another image in place of one that is not liked: a gallery of one shot, from seeds that were not tried.

        The disliked image stays until it is deleted.

        Args:
            image: of a gallery that has ended.
            max_tries: seeds that are tried at most, 1 to 10; 0 takes as many as its gallery.
            allow_unjudged: paint also where the subject's photos are gone and nothing can be judged.
            request_id: the same id with the same arguments answers the same gallery; default a new one.
            validate_only: check everything and make nothing.

        Raises:
            NotFoundError: no such image in this tenant.
            FailedPreconditionError: its gallery has not ended, or PHOTOS_MISSING.
            InvalidArgumentError: the style's words or size do not fit the foundation.
            AlreadyExistsError: REQUEST_ID_REUSED: `request_id` came before, with another order.
            PermissionDeniedError: PRIORITY_NOT_GRANTED: the gallery had a priority that was taken back.
        """
        request = galleries_pb2.RegenerateImageRequest(
            name=resource_name(image, Kind.IMAGE),
            max_tries=max_tries,
            allow_unjudged=allow_unjudged,
            request_id=request_id or new_request_id(),
            validate_only=validate_only,
        )
        return galleries.gallery((await self._unary("RegenerateImage", request)).gallery)

    async def remix_image(
        self,
        image: Image | str,
        change: RemixChange,
        to: Style | str,
        *,
        repaint: float | None = None,
        shots: int = 1,
        seed: int = 0,
        format: ImageFormat = ImageFormat.PNG,
        max_tries: int = 0,
        labelling: Labelling | None = None,
        request_id: str | None = None,
        validate_only: bool = False,
    ) -> Gallery:
        """Change one thing of an image and keep the rest: a gallery of the same style, but for what changes.

        Args:
            image: one that was not refused. A remix may be remixed again.
            change, to: what becomes what: words, or a `Style` or `styles/…` whose words for it are taken.
            repaint: share of the denoising steps, above 0 to 1; None takes what suits the change.
            shots, seed, format: 1 to 64 images, from seed + i, as files of this format.
            max_tries: seeds that are tried for each, 1 to 10; 0 takes 4.
            labelling, request_id, validate_only: as for `create_training`.

        Raises:
            NotFoundError: no such image in this tenant.
            InvalidArgumentError: STYLE_WORDS_UNKNOWN: words that the foundation was not taught.
            FailedPreconditionError: REMIX_OF_REFUSED_IMAGE, REMIX_PARTS_UNKNOWN.
            AlreadyExistsError: REQUEST_ID_REUSED, for another order.
        """
        words = to if isinstance(to, str) else resource_name(to, Kind.STYLE)
        remix = Remix(resource_name(image, Kind.IMAGE), repaint, change, words)
        request = galleries.remix_request(remix, shots, seed, format, max_tries)
        request.validate_only, request.request_id = validate_only, request_id or new_request_id()
        request.MergeFrom(galleries_pb2.CreateGalleryRequest(**wire_labelling(labelling)))
        return galleries.gallery((await self._unary("CreateGallery", request)).gallery)

    async def get_image(self, image: Image | str) -> PaintedImage:
        """One image and its file.

        Raises:
            NotFoundError: no such image in this tenant.
        """
        response = await self._unary("GetImage", galleries_pb2.GetImageRequest(name=resource_name(image, Kind.IMAGE)))
        return PaintedImage(convert.image(response.image), response.content)

    async def update_image(
        self, image: Image | str, *, labels: Mapping[str, str] | None = None, external_id: str | None = None
    ) -> Image:
        """Change an image's labels; what is None stays as it is, `labels` replaces all it had.

        Raises:
            NotFoundError: no such image in this tenant.
        """
        name = resource_name(image, Kind.IMAGE)
        request = galleries_pb2.UpdateImageRequest(name=name, **wire_change(labels, external_id))
        return convert.image((await self._unary("UpdateImage", request)).image)

    async def delete_image(self, image: Image | str) -> None:
        """Erase one image; its gallery goes on counting the shot.

        Raises:
            NotFoundError: no such image in this tenant.
            FailedPreconditionError: IMAGE_IN_USE: a running gallery needs it.
        """
        await self._unary("DeleteImage", galleries_pb2.DeleteImageRequest(name=resource_name(image, Kind.IMAGE)))

    async def verify_image(self, file: PhotoSource) -> ImageOrigin:
        """Tell where a JPEG, PNG or WebP file, also a screenshot, comes from. The gateway keeps nothing of it.

        Args:
            file: a path or the file's bytes, at most 20 MiB.

        Raises:
            InvalidPhotoError: it is no picture that can be read.
            OSError: the path cannot be read.
        """
        return convert.image_origin(await self._verify(file))
