"""Creates, finds, watches, cancels and erases galleries for the servicer; blocking work runs in threads."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from typing import Protocol

from sqlalchemy.engine import Engine

from headshots.artifacts import ArtifactStore
from headshots.styles.library import StyleLibrary
from headshots.threads import in_erase_thread, in_read_thread, in_write_thread
from services.gateway.api.labels import Labelling, LabellingChange
from services.gateway.api.names import image_name
from services.gateway.api.requests import IdempotencyKey
from services.gateway.audit.log import AuditLog
from services.gateway.audit.models import Action
from services.gateway.events.hub import Hub
from services.gateway.events.models import ShotPreview
from services.gateway.events.reads import SharedReads
from services.gateway.galleries import creating, removing, rows
from services.gateway.galleries.images import labelling, listing
from services.gateway.galleries.images.listing import ImageQuery
from services.gateway.galleries.models import Gallery, GalleryOrder, Image
from services.gateway.galleries.orders import regenerating
from services.gateway.galleries.orders.lookup import Wanted
from services.gateway.galleries.orders.regenerating import Disliked
from services.gateway.galleries.remix import source_image
from services.gateway.metrics import GatewayMetrics
from services.gateway.remixes.masker import Masker
from services.gateway.styles.checks import Sitter, StyleChecks


class ShotWorkers(Protocol):
    """The workers of this process; `painting.pool` implements it."""

    def wake(self) -> None:
        """Claims new shots at once."""
        ...

    def stop_shots(self, gallery_id: str) -> None:
        """Stops the running shots of a cancelled gallery."""
        ...


class GalleryEngine:
    """One method an RPC. Tenants see their own rows only: everything else is NotFoundError."""

    def __init__(
        self,
        database: Engine,
        store: ArtifactStore,
        styles: StyleLibrary,
        checks: StyleChecks,
        masker: Masker,
        workers: ShotWorkers,
        hub: Hub,
        metrics: GatewayMetrics,
        reads: SharedReads,
        audit: AuditLog,
        needed_by: removing.NeedsGallery,
        *,
        judges: bool,
    ) -> None:
        """`needed_by` tells which shoot needs a gallery that is to be erased, `judges` whether images are judged."""
        self._database = database
        self._store = store
        self._styles = styles
        self._checks = checks
        self._masker = masker
        self._workers = workers
        self._hub = hub
        self._metrics = metrics
        self._reads = reads
        self._audit = audit
        self._needed_by = needed_by
        self._judges = judges

    async def create(
        self, tenant: str, subject_id: str, order: GalleryOrder, *, key: IdempotencyKey, validate_only: bool
    ) -> Gallery:
        """Raises as `creating.look_up`, `source_image` and, of each style, `StyleChecks.check`."""
        order = dataclasses.replace(order, allow_unjudged=order.allow_unjudged or not self._judges)
        found = await in_read_thread(creating.look_up, self._database, self._styles, tenant, subject_id, order, key)
        if isinstance(found, Gallery):
            return found
        await self._check(tenant, found, "remix.to" if order.changes else "")
        order = dataclasses.replace(order, styles=tuple(recipe.name for recipe in found.recipes))
        gallery = await in_write_thread(
            creating.create_gallery,
            self._database,
            tenant,
            subject_id,
            order,
            found.recipes,
            found.profile,
            key=key,
            validate_only=validate_only,
        )
        self._workers.wake()
        return gallery

    async def regenerate(self, tenant: str, disliked: Disliked, *, key: IdempotencyKey, validate_only: bool) -> Gallery:
        """Raises as `regenerating.look_up` and, of the style, `StyleChecks.check`."""
        disliked = dataclasses.replace(disliked, allow_unjudged=disliked.allow_unjudged or not self._judges)
        found = await in_read_thread(regenerating.look_up, self._database, tenant, disliked, key)
        if isinstance(found, Gallery):
            return found
        await self._check(tenant, found)
        gallery = await in_write_thread(
            regenerating.regenerate, self._database, tenant, disliked, key=key, validate_only=validate_only
        )
        self._workers.wake()
        return gallery

    async def list_images(
        self, tenant: str, subject_id: str, gallery_id: str, query: ImageQuery, size: int, token: str
    ) -> tuple[list[Image], str]:
        """See `listing.list_images`."""
        return await in_read_thread(
            listing.list_images, self._database, tenant, subject_id, gallery_id, query, size, token
        )

    async def _check(self, tenant: str, wanted: Wanted, field: str = "") -> None:
        """`field` names the caller's that says the styles; empty: `styles`."""
        source = await source_image(wanted.remix, self._masker)
        sitter = Sitter(tenant, wanted.class_noun, wanted.adapter, source)
        checks = (
            self._checks.check(recipe, sitter, field=field or f"styles[{index}]")
            for index, recipe in enumerate(wanted.recipes)
        )
        for refusal in await asyncio.gather(*checks, return_exceptions=True):
            if refusal is not None:
                raise refusal

    async def get(self, tenant: str, subject_id: str, gallery_id: str) -> Gallery:
        """See `listing.ranked_gallery`."""
        return await in_read_thread(listing.ranked_gallery, self._database, tenant, subject_id, gallery_id)

    async def page(
        self, tenant: str, subject_id: str, wanted: Labelling, size: int, token: str
    ) -> tuple[list[Gallery], str]:
        """See `rows.list_galleries`."""
        return await in_read_thread(rows.list_galleries, self._database, tenant, subject_id, wanted, size, token)

    async def cancel(self, tenant: str, subject_id: str, gallery_id: str) -> Gallery:
        """See `rows.request_cancel`."""
        gallery = await in_write_thread(rows.request_cancel, self._database, tenant, subject_id, gallery_id)
        self._workers.stop_shots(gallery_id)
        self._hub.changed(gallery_id)
        return gallery

    async def watch(
        self, tenant: str, subject_id: str, gallery_id: str, *, previews: bool
    ) -> AsyncIterator[Gallery | Image | ShotPreview]:
        """Yields the gallery, then each image once it exists, and the gallery again when its state or message changes.

        The galleries come without images; previews come only of shots that this process paints. Raises as
        `rows.get_gallery`.
        """
        # Whoever watched from the same moment on has been sent the same: such watchers share a read.
        sent_images: frozenset[int] = frozenset()
        sent_state: tuple[str, str] | None = None
        waiting: list[ShotPreview] = []
        watched = tenant, subject_id, gallery_id
        with (
            self._hub.subscribe(gallery_id, kind="gallery", previews=previews) as subscription,
            self._metrics.watching("gallery"),
        ):
            while True:
                gallery = await self._reads.read(rows.get_gallery, self._database, *watched, sent_images)
                without_images = dataclasses.replace(gallery, images=())
                state = (gallery.state, gallery.status_message)
                if sent_state is None:
                    sent_state = state
                    yield without_images
                # Only now: since they were painted, the subject may have been hidden or its time have come.
                for preview in waiting:
                    if preview.shot not in sent_images:
                        name = image_name(subject_id, gallery_id, preview.shot)
                        self._audit.record_reading(tenant, subject_id, Action.PREVIEW_READ, name)
                        yield preview
                for image in gallery.images:
                    yield image
                sent_images |= {image.number for image in gallery.images}
                if sent_state != state:
                    sent_state = state
                    yield without_images
                if gallery.is_terminal:
                    return
                waiting = await subscription.wait(gallery.revision)

    async def get_image(self, tenant: str, subject_id: str, gallery_id: str, number: int) -> tuple[Image, bytes]:
        """An image and its file. Raises as `rows.get_image`."""
        image = await in_read_thread(rows.get_image, self._database, tenant, subject_id, gallery_id, number)
        return image, await self.image_content(tenant, subject_id, gallery_id, image)

    async def image_content(self, tenant: str, subject_id: str, gallery_id: str, image: Image) -> bytes:
        """The file of an image that was found, as `watch` yields some."""
        content = await self._store.get(image.key)
        name = image_name(subject_id, gallery_id, image.number)
        self._audit.record_reading(tenant, subject_id, Action.IMAGE_READ, name)
        return content

    async def label_image(
        self, tenant: str, subject_id: str, gallery_id: str, number: int, change: LabellingChange
    ) -> Image:
        """See `labelling.label_image`."""
        return await in_write_thread(
            labelling.label_image, self._database, tenant, subject_id, gallery_id, number, change
        )

    async def delete(self, tenant: str, subject_id: str, gallery_id: str) -> int:
        """See `removing.delete_gallery`."""
        return await in_erase_thread(
            removing.delete_gallery, self._database, self._store, tenant, subject_id, gallery_id, self._needed_by
        )

    async def delete_image(self, tenant: str, subject_id: str, gallery_id: str, number: int) -> None:
        """See `removing.delete_image`."""
        await in_erase_thread(
            removing.delete_image, self._database, self._store, tenant, subject_id, gallery_id, number
        )
