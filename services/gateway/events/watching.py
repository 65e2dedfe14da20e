"""Watching trainings and galleries: the present first, then every change, until the end."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator, Iterator

from sqlalchemy.engine import Engine

from headshots.threads import in_thread
from services.gateway.events.hub import Hub
from services.gateway.galleries import rows as gallery_rows
from services.gateway.metrics import GatewayMetrics
from services.gateway.models import Gallery, Image, ShotPreview, Training
from services.gateway.trainings import rows as training_rows


class Watcher:
    """Reads the rows anew whenever the hub says so, and every `poll_seconds` for other gateways' changes."""

    def __init__(self, database: Engine, hub: Hub, metrics: GatewayMetrics, *, poll_seconds: float) -> None:
        self._database = database
        self._hub = hub
        self._metrics = metrics
        self._poll_seconds = poll_seconds

    async def training(
        self, tenant: str, subject_id: str, training_id: str, *, after: int | None = None
    ) -> AsyncIterator[Training]:
        """The training now, or all its events after number `after`; then every event. Raises as `training_news`."""
        with self._hub.subscribe(training_id) as subscription, self._watching("training"):
            while True:
                news = await in_thread(
                    training_rows.training_news, self._database, tenant, subject_id, training_id, after
                )
                for training in news.trainings:
                    after = training.revision
                    yield training
                if news.is_all:
                    return
                if not news.trainings:
                    await subscription.wait(self._poll_seconds)

    async def gallery(
        self, tenant: str, subject_id: str, gallery_id: str, *, previews: bool
    ) -> AsyncIterator[Gallery | Image | ShotPreview]:
        """The gallery first, then its images as they exist, and the gallery (without images) whenever it changes state.

        Previews only of shots that this process paints. Raises as `gallery_rows.get_gallery`.
        """
        sent: set[int] = set()
        told: tuple[str, str] | None = None
        with self._hub.subscribe(gallery_id, previews=previews) as subscription, self._watching("gallery"):
            while True:
                gallery = await in_thread(gallery_rows.get_gallery, self._database, tenant, subject_id, gallery_id)
                bare = dataclasses.replace(gallery, images=())
                if told is None:
                    told = (gallery.state, gallery.note)
                    yield bare
                for image in gallery.images:
                    if image.number not in sent:
                        sent.add(image.number)
                        yield image
                if told != (gallery.state, gallery.note):
                    told = (gallery.state, gallery.note)
                    yield bare
                if gallery.is_terminal:
                    return
                for preview in await subscription.wait(self._poll_seconds):
                    if preview.shot not in sent:
                        yield preview

    @contextlib.contextmanager
    def _watching(self, resource: str) -> Iterator[None]:
        gauge = self._metrics.watchers.labels(resource)
        gauge.inc()
        try:
            yield
        finally:
            gauge.dec()
