"""How like its subject a finished shot is: the cosine to the mean embedding of the subject's photos."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict

import numpy as np
from sqlalchemy.engine import Engine

from headshots.artifacts import ArtifactStore
from headshots.errors import HeadshotsError
from headshots.faces import FaceAnalyzer
from headshots.imaging import open_photo
from headshots.imaging.inspection import mean_likeness
from headshots.imaging.quality import Floats
from headshots.threads import in_thread
from services.gateway.photos import rows as photo_rows
from services.gateway.photos.streams import StreamGate

_LOG = logging.getLogger(__name__)
# Embeddings of so many subjects' photos are kept: some 100 kB each.
_SUBJECTS = 64


class LikenessJudge:
    """Judges shots. Decoding and the analyzer run in threads, a few at once, beside uploads and inspections."""

    def __init__(self, database: Engine, store: ArtifactStore, gate: StreamGate, analyzer: FaceAnalyzer | None) -> None:
        self._database = database
        self._store = store
        self._gate = gate
        self._analyzer = analyzer
        self._known: OrderedDict[str, tuple[tuple[str, ...], list[Floats]]] = OrderedDict()
        # One subject's photos are looked at once, however many of its shots are finished at the same time.
        self._lock = asyncio.Lock()

    async def judge(self, tenant: str, subject_id: str, image_key: str) -> float | None:
        """-1 to 1, or None: not measured. That is without an analyzer, without a face in the image or in any photo, and
        where something failed: the image exists all the same."""
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
        """Of the largest face of each photo that the subject has now."""
        async with self._lock:
            rows = await in_thread(photo_rows.all_photos, self._database, tenant, subject_id)
            keys = tuple(key for _, key in rows)
            known = self._known.get(subject_id)
            if known is None or known[0] != keys:
                found = [await self._embedding(key) for key in keys]
                known = keys, [embedding for embedding in found if embedding is not None]
                self._known[subject_id] = known
            self._known.move_to_end(subject_id)
            while len(self._known) > _SUBJECTS:
                self._known.popitem(last=False)
            return known[1]

    async def _embedding(self, key: str) -> Floats | None:
        return await self._gate.decode(self._look, await self._store.get(key))

    def _look(self, content: bytes) -> Floats | None:
        assert self._analyzer is not None
        faces = self._analyzer.faces(np.asarray(open_photo(content, self._gate.limits.stored_photo)))
        return faces[0].embedding if faces else None
