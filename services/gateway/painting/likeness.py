"""Measures how like its subject a painted face is: its cosine to the mean embedding of the subject's photos."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict

import numpy as np
from PIL import Image
from sqlalchemy.engine import Engine

from headshots.artifacts import ArtifactStore
from headshots.errors import HeadshotsError
from headshots.faces import FaceAnalyzer
from headshots.imaging.inspection import mean_likeness
from headshots.imaging.quality import Floats
from headshots.imaging.workers.pool import DecoderPool
from headshots.threads import in_read_thread
from services.gateway.photos import rows as photo_rows
from services.gateway.photos.streams import StreamLimiter

_LOG = logging.getLogger(__name__)
# The cache keeps the embeddings of so many subjects' photos, some 100 kB each.
_CACHED_SUBJECTS = 64


class LikenessJudge:
    """Measures the likeness of shots. It shares decoders and the limiter's threads with uploads and inspections."""

    def __init__(
        self,
        database: Engine,
        store: ArtifactStore,
        limiter: StreamLimiter,
        decoders: DecoderPool,
        analyzer: FaceAnalyzer | None,
    ) -> None:
        self._database = database
        self._store = store
        self._limiter = limiter
        self._decoders = decoders
        self._analyzer = analyzer
        self._cache: OrderedDict[str, tuple[tuple[str, ...], list[Floats]]] = OrderedDict()
        # A subject's photos are analyzed once, however many of its shots finish at the same time.
        self._lock = asyncio.Lock()

    async def judge(self, tenant: str, subject_id: str, image_key: str) -> float | None:
        """The likeness from -1 to 1; None where it was not measured.

        That is without an analyzer, without a face in the image or in any photo, and after a failure, which is logged
        and not raised: the image exists all the same.
        """
        if self._analyzer is None:
            return None
        try:
            photos_of_subject = await self._embeddings(tenant, subject_id)
            painted = await self._embedding(image_key) if photos_of_subject else None
        except HeadshotsError as error:
            _LOG.warning("the likeness of %s was not measured: %s", image_key, error)
            return None
        except Exception:  # noqa: BLE001 - an analyzer's defect must not cost a finished image
            _LOG.exception("the likeness of %s was not measured", image_key)
            return None
        return None if painted is None else mean_likeness(painted, photos_of_subject)

    async def _embeddings(self, tenant: str, subject_id: str) -> list[Floats]:
        """The embeddings of the largest face of each photo that the subject has now."""
        async with self._lock:
            rows = await in_read_thread(photo_rows.all_photos, self._database, tenant, subject_id)
            keys = tuple(key for _, key in rows)
            cached = self._cache.get(subject_id)
            if cached is None or cached[0] != keys:
                found = [await self._embedding(key) for key in keys]
                cached = keys, [embedding for embedding in found if embedding is not None]
                self._cache[subject_id] = cached
            self._cache.move_to_end(subject_id)
            while len(self._cache) > _CACHED_SUBJECTS:
                self._cache.popitem(last=False)
            return cached[1]

    async def _embedding(self, key: str) -> Floats | None:
        picture = await self._decoders.open(await self._store.get(key), self._limiter.limits.stored_photo)
        return await self._limiter.measure(self._embed, picture)

    def _embed(self, picture: Image.Image) -> Floats | None:
        """The embedding of the largest face; None without a face."""
        assert self._analyzer is not None
        faces = self._analyzer.faces(np.asarray(picture))
        return faces[0].embedding if faces else None
