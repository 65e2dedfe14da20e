"""Judges painted shots by their galleries' acceptance profiles, against the photos of their subjects."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Iterator
from weakref import WeakValueDictionary

import numpy as np
from sqlalchemy.engine import Engine

from headshots.acceptance.gate import Gate, against_source, not_measured
from headshots.acceptance.reference import Reference, measure_reference
from headshots.acceptance.safety import check_safety, tells_unsafe
from headshots.artifacts import ArtifactStore
from headshots.errors import HeadshotsError
from headshots.faces import FaceAnalyzer, Pixels
from headshots.imaging.workers.pool import DecoderPool
from headshots.looks.measures import Measures, measure
from headshots.telemetry import spans
from headshots.threads import in_read_thread
from services.gateway.galleries.images.tries import Judgement
from services.gateway.galleries.queue.shot import Shot
from services.gateway.painting.framing import frame_checks, keeps_head, missed_size
from services.gateway.photos import rows as photo_rows
from services.gateway.photos.streams import StreamLimiter

_LOG = logging.getLogger(__name__)
# The cache keeps what was measured of so many subjects' photos, some 100 kB each.
_CACHED_SUBJECTS = 64


class ShotJudge:
    """Judges shots. It shares decoders and the limiter's threads with uploads and inspections."""

    def __init__(
        self,
        database: Engine,
        store: ArtifactStore,
        limiter: StreamLimiter,
        decoders: DecoderPool,
        analyzer: FaceAnalyzer | None,
        unsafe_images: str = "refuse",
        *,
        check_seconds: float,
    ) -> None:
        """What judging needs.

        Args:
            database: where photos are listed.
            store: their files, and those of images.
            limiter: whose threads measure.
            decoders: of photos and images.
            analyzer: of faces; None: nothing is measured.
            unsafe_images: of `safety.UNSAFE_IMAGES`, where the analyzer tells nudity.
            check_seconds: between two looks whether what was measured of photos is of photos that are there.
        """
        self._database = database
        self._store = store
        self._limiter = limiter
        self._decoders = decoders
        self._analyzer = analyzer
        self._check_seconds = check_seconds
        self._looks = unsafe_images != "ignore" and analyzer is not None and tells_unsafe(analyzer)
        self._withholds = self._looks and unsafe_images == "refuse"
        self._cache: OrderedDict[str, tuple[tuple[str, ...], Reference | None]] = OrderedDict()
        # A subject's photos are analyzed once, however many of its shots finish at the same time; nobody else waits.
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def measured(self) -> list[str]:
        """Ids of the subjects of whose photos something measured is kept."""
        return list(self._cache)

    def forget(self, subject_id: str) -> None:
        """Drops what was measured of a subject's photos."""
        self._cache.pop(subject_id, None)

    async def run(self) -> None:
        """Drops every `check_seconds` what was measured of photos that were erased, by whichever gateway."""
        while True:
            await asyncio.sleep(self._check_seconds)
            try:
                await self.forget_erased()
            except HeadshotsError as error:
                _LOG.warning("cannot look whose photos were erased; trying again: %s", error)
            except Exception:  # noqa: BLE001 - whatever it was, what was measured of erased photos has to go
                _LOG.exception("looking whose photos were erased met a defect; trying again")

    async def forget_erased(self) -> None:
        """Drops what was measured of photos of which one is there no more. Raises DATABASE_UNAVAILABLE."""
        known = {subject_id: set(keys) for subject_id, (keys, _) in self._cache.items()}
        stored = await in_read_thread(photo_rows.keys_of_subjects, self._database, list(known))
        for subject_id, keys in known.items():
            if not keys <= stored.get(subject_id, set()):
                self.forget(subject_id)

    async def judge(self, shot: Shot, image_key: str, *, frame_missed: str = "") -> Judgement:
        """What the shot's profile says of an image, but for near-duplicates, which `shots.record_try` looks for.

        `frame_missed`: why it was not cut to the shot's frame, as the generator told.

        Not measured without an analyzer, without a face in any photo, and after a failure, which is logged and not
        raised: the image exists all the same. Only where unsafe images are withheld a failure is raised, whatever it
        was: what nobody could look at is not delivered.
        """
        if self._analyzer is None:
            unseen = Judgement(not_measured(shot.profile, "", "there is no analyzer of faces"))
            return _framed(unseen, shot, frame_missed, None)
        try:
            with spans.span("judge"):
                return await self._judged(self._analyzer, shot, image_key, frame_missed)
        except HeadshotsError as error:
            if self._withholds:
                raise
            _LOG.warning("%s was not judged: %s", image_key, error)
        except Exception:
            if self._withholds:
                raise
            # An analyzer's defect must not cost a finished image.
            _LOG.exception("%s was not judged", image_key)
        failed = Judgement(not_measured(shot.profile, self._analyzer.name, "measuring failed"))
        return _framed(failed, shot, frame_missed, None)

    async def _judged(self, analyzer: FaceAnalyzer, shot: Shot, image_key: str, frame_missed: str) -> Judgement:
        picture = await self._picture(image_key)
        judgement = await self._compared(analyzer, shot, picture)
        if shot.frame is not None:
            measures = await self._limiter.measure(measure, analyzer, picture)
            missed = frame_missed or missed_size(shot.frame, picture.shape[1], picture.shape[0])
            judgement = _framed(judgement, shot, missed, measures)
        if not self._looks:
            return judgement
        check = await self._limiter.measure(check_safety, analyzer, picture)
        return judgement.with_safety(check, withholds=self._withholds)

    async def _compared(self, analyzer: FaceAnalyzer, shot: Shot, picture: Pixels) -> Judgement:
        reference = await self._reference(analyzer, shot.tenant_id, shot.subject_id)
        if reference is None:
            return Judgement(not_measured(shot.profile, analyzer.name, "none of the subject's photos shows a face"))
        crown_is_cut = shot.frame is not None and shot.frame.cuts_crown
        gate = Gate(analyzer, reference, shot.profile, crown_is_cut=crown_is_cut)
        judged = await self._limiter.measure(gate.judge, picture)
        source = shot.remix.likeness if shot.remix is not None else None
        verdict = against_source(judged.verdict, judged.likeness, source)
        return Judgement(verdict, judged.likeness, judged.quality, judged.view)

    async def _reference(self, analyzer: FaceAnalyzer, tenant: str, subject_id: str) -> Reference | None:
        """What the photos that are there now show, also those whose time came while the gallery ran."""
        lock = self._locks.setdefault(subject_id, asyncio.Lock())
        async with lock:
            keys = await in_read_thread(photo_rows.reference_keys, self._database, tenant, subject_id)
            cached = self._cache.get(subject_id)
            if cached is None or cached[0] != keys:
                pictures = self._pictures(keys, asyncio.get_running_loop())
                cached = keys, await self._limiter.measure(measure_reference, analyzer, pictures)
                self._cache[subject_id] = cached
            self._cache.move_to_end(subject_id)
            while len(self._cache) > _CACHED_SUBJECTS:
                self._cache.popitem(last=False)
            return cached[1]

    def _pictures(self, keys: tuple[str, ...], loop: asyncio.AbstractEventLoop) -> Iterator[Pixels]:
        """Decoded photos, for a thread that looks at one after the other: all at once would be too much to hold."""
        for key in keys:
            yield asyncio.run_coroutine_threadsafe(self._picture(key), loop).result()

    async def _picture(self, key: str) -> Pixels:
        picture = await self._decoders.open(await self._store.get(key), self._limiter.limits.stored_photo)
        return np.asarray(picture)


def _framed(judgement: Judgement, shot: Shot, missed: str, measures: Measures | None) -> Judgement:
    """The judgement with what the shot's frame asks, where it has one."""
    if shot.frame is None:
        return judgement
    checks = frame_checks(shot.frame, missed, None if keeps_head(shot.remix) else measures)
    return judgement.with_checks(list(checks), measures)
