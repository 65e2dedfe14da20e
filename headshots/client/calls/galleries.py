"""Calls the gateway about galleries, and waits for them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from headshots.client.connection import Connection, new_request_id
from headshots.client.convert import galleries as convert
from headshots.client.convert.images import wire_style_seeds
from headshots.client.convert.labels import wire_labelling
from headshots.client.convert.values import TERMINAL_STATES
from headshots.client.models.images import ImageFormat, PaintedImage, Remix, StyleSeeds
from headshots.client.models.jobs import Gallery, GalleryEvent, GalleryRef, Priority, TrainingRef
from headshots.client.models.labels import Labelling
from headshots.client.models.styles import Style
from headshots.client.models.subjects import SubjectRef
from headshots.client.models.verdicts import ProfileRef
from headshots.client.names import Kind, resource_name, several
from headshots.errors import InvalidArgumentError
from headshots.v1 import galleries_pb2


class GalleryCalls(Connection):
    """Adapters to portraits."""

    async def create_gallery(
        self,
        subject: SubjectRef,
        styles: Iterable[Style | str],
        *,
        shots_per_style: int = 4,
        style_shots: Sequence[int] = (),
        seed: int = 0,
        format: ImageFormat = ImageFormat.PNG,
        quality: int = 0,
        priority: Priority = Priority.STANDARD,
        remix: Remix | None = None,
        training: TrainingRef | None = None,
        profile: ProfileRef = "",
        max_tries: int = 0,
        allow_unjudged: bool = False,
        style_seeds: StyleSeeds | None = None,
        labelling: Labelling | None = None,
        request_id: str | None = None,
        validate_only: bool = False,
    ) -> Gallery:
        """Queue a gallery with the subject's newest adapter, or that of `training`.

        Args:
            styles, seed, style_seeds: 1 to 32, bare ids do; shot i of each takes seed + i, below 2^32, see `StyleSeeds`
            shots_per_style, style_shots: 1 to 64 of each, or a number for each style; at most 160 in all.
            format, quality: of the files; quality 1 to 100 is for JPEG and WebP, 0 takes the server's default.
            remix, training: a finished image to paint over, a training whose adapter to take, of the same subject.
            profile, max_tries, allow_unjudged: what judges the images, default profile-worthy; the seeds for each shot,
                which all share, default 1; whether to paint also where the photos are gone and nothing can be judged.
            priority, labelling, request_id, validate_only: as for `create_training`.

        Raises:
            InvalidArgumentError, NotFoundError: what the limits above exclude, or what is named is not there.
            FailedPreconditionError: no adapter, PHOTOS_MISSING. PermissionDeniedError, AlreadyExistsError: as there.
        """
        fields = convert.painting_options(seed, format, quality, priority, remix, training, profile, max_tries)
        fields |= {"style_seeds": wire_style_seeds(style_seeds), "allow_unjudged": allow_unjudged}
        fields |= {"validate_only": validate_only, **wire_labelling(labelling), **_shots(shots_per_style, style_shots)}
        return await self._create(subject, styles, request_id, fields)

    async def _create(
        self, subject: SubjectRef, styles: Iterable[Style | str], request_id: str | None, fields: dict[str, Any]
    ) -> Gallery:
        fields |= {"parent": resource_name(subject, Kind.SUBJECT), "request_id": request_id or new_request_id()}
        request = galleries_pb2.CreateGalleryRequest(**fields, styles=style_names(styles))
        return await self._gallery("CreateGallery", request)

    async def get_gallery(self, gallery: GalleryRef) -> Gallery:
        """One gallery with the images it has so far.

        Raises:
            NotFoundError: no such gallery in this tenant.
        """
        request = galleries_pb2.GetGalleryRequest(name=resource_name(gallery, Kind.GALLERY))
        return await self._gallery("GetGallery", request)

    async def _gallery(self, method: str, request: Any) -> Gallery:
        return convert.gallery((await self._unary(method, request)).gallery)

    async def list_galleries(
        self, subject: SubjectRef, *, labelling: Labelling | None = None, page_size: int = 0
    ) -> AsyncIterator[Gallery]:
        """All galleries of a subject, newest first, without their images.

        Raises:
            NotFoundError: no such subject in this tenant.
        """
        request = galleries_pb2.ListGalleriesRequest(
            parent=resource_name(subject, Kind.SUBJECT), page_size=page_size, **wire_labelling(labelling)
        )
        async for item in self._pages("ListGalleries", request, "galleries"):
            yield convert.gallery(item)

    async def watch_gallery(
        self, gallery: GalleryRef, *, include_content: bool = False, include_previews: bool = False
    ) -> AsyncIterator[GalleryEvent]:
        """The gallery, images finished before the call, then each as it finishes, and the gallery on each change.

        Each image comes once, also when the gateway restarts meanwhile. A terminal `Gallery` comes last.

        Args:
            gallery: which.
            include_content: send each image's file with it.
            include_previews: send glimpses of shots while they are painted.

        Raises:
            UnavailableError: no gateway answered for `reconnect_seconds`.
            NotFoundError: no such gallery in this tenant, or an image was erased meanwhile.
        """
        request = galleries_pb2.WatchGalleryRequest(
            name=resource_name(gallery, Kind.GALLERY),
            include_content=include_content,
            include_previews=include_previews,
        )
        seen: set[str] = set()
        last: Gallery | None = None
        async for message in self._watch("WatchGallery", request, _is_terminal):
            event = convert.gallery_event(message)
            if isinstance(event, Gallery) and event.state.terminal:
                # The first message about a gallery that is done; its images follow.
                last = event
                continue
            if isinstance(event, PaintedImage):
                if event.image.name in seen:
                    continue
                seen.add(event.image.name)
            yield event
        assert last is not None, "a watch ends after a terminal message"
        yield last

    async def wait_gallery(self, gallery: GalleryRef) -> Gallery:
        """The gallery with all its images once it has succeeded.

        Raises:
            JobFailedError: it failed; `reason` and `message` say why.
            CancelledByCallerError: it was cancelled.
            NotFoundError: no such gallery in this tenant, or an image was erased meanwhile.
        """
        async for event in self.watch_gallery(gallery):
            if isinstance(event, Gallery):
                event.raise_for_state()
        return await self.get_gallery(gallery)

    async def generate(
        self,
        subject: SubjectRef,
        styles: Iterable[Style | str],
        *,
        shots_per_style: int = 4,
        style_shots: Sequence[int] = (),
        seed: int = 0,
        format: ImageFormat = ImageFormat.PNG,
        quality: int = 0,
        remix: Remix | None = None,
        training: TrainingRef | None = None,
        profile: ProfileRef = "",
        max_tries: int = 0,
        style_seeds: StyleSeeds | None = None,
        labelling: Labelling | None = None,
    ) -> AsyncIterator[PaintedImage]:
        """Queue a gallery and yield its images with their files as they finish.

        Raises what `create_gallery` and `wait_gallery` raise; images that were painted have been yielded by then.
        """
        how: dict[str, Any] = {"shots_per_style": shots_per_style, "style_shots": style_shots, "labelling": labelling}
        how |= {"seed": seed, "style_seeds": style_seeds, "format": format, "quality": quality}
        how |= {"remix": remix, "training": training, "profile": profile, "max_tries": max_tries}
        gallery = await self.create_gallery(subject, styles, **how)
        async for event in self.watch_gallery(gallery, include_content=True):
            if isinstance(event, PaintedImage):
                yield event
            elif isinstance(event, Gallery):
                event.raise_for_state()

    async def cancel_gallery(self, gallery: GalleryRef) -> Gallery:
        """Ask a gallery to stop; shots that have not started never will. A terminal one is left as it is.

        Raises:
            NotFoundError: no such gallery in this tenant.
        """
        request = galleries_pb2.CancelGalleryRequest(name=resource_name(gallery, Kind.GALLERY))
        return await self._gallery("CancelGallery", request)

    async def delete_gallery(self, gallery: GalleryRef) -> int:
        """Erase a gallery that has ended, with its images; answers how many objects were removed.

        Raises:
            NotFoundError: no such gallery in this tenant.
            FailedPreconditionError: GALLERY_ACTIVE, or IMAGE_IN_USE: a running gallery needs one of its images.
        """
        request = galleries_pb2.DeleteGalleryRequest(name=resource_name(gallery, Kind.GALLERY))
        return int((await self._unary("DeleteGallery", request)).deleted_objects)


def _shots(of_each: int, of_styles: Sequence[int]) -> dict[str, Any]:
    return {"style_shots": of_styles} if of_styles else {"shots_per_style": of_each}


def style_names(styles: Iterable[Style | str]) -> list[str]:
    """Names of distinct styles.

    Raises:
        InvalidArgumentError: STYLES_REPEATED.
    """
    names = [resource_name(style, Kind.STYLE) for style in several(styles, "styles")]
    for name in names:
        if names.count(name) > 1:
            raise InvalidArgumentError(
                "STYLES_REPEATED", f"{name} is asked for twice; ask once, and for more shots of each style"
            )
    return names


def _is_terminal(message: galleries_pb2.WatchGalleryResponse) -> bool:
    return message.HasField("gallery") and message.gallery.state in TERMINAL_STATES
