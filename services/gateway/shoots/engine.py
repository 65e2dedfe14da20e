"""Creates, finds, watches and cancels shoots for the servicer; blocking work runs in threads."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import dataclass

from sqlalchemy.engine import Engine

from headshots.errors import FailedPreconditionError, FieldViolation
from headshots.styles.library import StyleLibrary
from headshots.styles.packs import PackLibrary
from headshots.threads import in_read_thread, in_write_thread
from services.gateway.api.labels import Labelling
from services.gateway.api.names import photo_name
from services.gateway.api.requests import IdempotencyKey
from services.gateway.events.hub import Hub
from services.gateway.events.log import EventBatch, follow
from services.gateway.events.reads import SharedReads
from services.gateway.galleries.engine import ShotWorkers
from services.gateway.galleries.models import Image
from services.gateway.metrics import GatewayMetrics
from services.gateway.peers.class_nouns import check_class_noun
from services.gateway.peers.pools.pools import Pools
from services.gateway.photos.inspector import InspectedPhoto, Inspector
from services.gateway.photos.limits import MIN_TRAINING_PHOTOS
from services.gateway.shoots import creating, rows
from services.gateway.shoots.models import Shoot, ShootOrder
from services.gateway.shoots.runner import ShootRunner, Wakeable
from services.gateway.styles.checks import Sitter, StyleChecks


@dataclass(frozen=True)
class Catalogue:
    """What the installation offers."""

    styles: StyleLibrary
    packs: PackLibrary


class ShootEngine:
    """One method an RPC. Tenants see their own rows only: everything else is NotFoundError."""

    def __init__(
        self,
        database: Engine,
        catalogue: Catalogue,
        checks: StyleChecks,
        pools: Pools,
        inspector: Inspector,
        runner: ShootRunner,
        trainers: Wakeable,
        painters: ShotWorkers,
        hub: Hub,
        metrics: GatewayMetrics,
        reads: SharedReads,
        *,
        judges: bool,
    ) -> None:
        """`trainers` and `painters` look for new trainings and shots when they are woken; `judges`: whether images are
        judged here."""
        self._database = database
        self._catalogue = catalogue
        self._checks = checks
        self._pools = pools
        self._inspector = inspector
        self._runner = runner
        self._trainers = trainers
        self._painters = painters
        self._hub = hub
        self._metrics = metrics
        self._reads = reads
        self._judges = judges

    async def create(
        self, tenant: str, subject_id: str, order: ShootOrder, *, key: IdempotencyKey, validate_only: bool
    ) -> Shoot:
        """Raises as `creating.look_up` and `creating.create_shoot`, of each style as `StyleChecks.check`, and as
        `Inspector.check_adult`; FailedPreconditionError CLASS_NOUN_UNKNOWN, TOO_FEW_PHOTOS."""
        order = dataclasses.replace(order, allow_unjudged=order.allow_unjudged or not self._judges)
        place = await self._pools.training_place(order.foundation)
        catalogue, served = self._catalogue, self._pools.digests
        asked = catalogue.styles, catalogue.packs, tenant, subject_id, order, key, place, served
        wanted = await in_read_thread(creating.look_up, self._database, *asked)
        if isinstance(wanted, Shoot):
            return wanted
        await self._check_styles(tenant, order, wanted)
        photos: Sequence[str] = ()
        if wanted.trains:
            # Last, as it takes so long that a style may go out of use meanwhile.
            photos = await self._photos(tenant, subject_id, order)
            await in_read_thread(creating.look_up, self._database, *asked)
        shoot = await in_write_thread(
            creating.create_shoot,
            self._database,
            tenant,
            subject_id,
            order,
            dataclasses.replace(wanted, photos=tuple(photos)),
            key=key,
            validate_only=validate_only,
        )
        self._wake(shoot)
        return shoot

    async def _check_styles(self, tenant: str, order: ShootOrder, wanted: creating.Wanted) -> None:
        foundation = wanted.foundation_digest or ""
        if (described := await self._pools.describe_if_reachable(foundation)) is not None:
            check_class_noun(described, wanted.class_noun)
        sitter = Sitter(tenant, wanted.class_noun, wanted.adapter, foundation=foundation, frame=wanted.plan.frame)
        for recipe in wanted.plan.recipes:
            field = "pack" if order.pack else f"styles[{order.styles.index(recipe.name)}]"
            await self._checks.check(recipe, sitter, field=field)

    async def _photos(self, tenant: str, subject_id: str, order: ShootOrder) -> Sequence[str]:
        """Names of the photos to learn from: those that are named, else all that are usable."""
        if order.photos and not self._inspector.refuses_minors:
            return order.photos
        report = await self._inspector.check_adult(tenant, subject_id)
        if order.photos:
            return order.photos
        inspected = report.photos
        usable = [_name(photo) for photo in inspected if not photo.findings]
        if len(usable) < MIN_TRAINING_PHOTOS:
            raise _too_few(len(usable), inspected)
        return usable

    async def get(self, tenant: str, subject_id: str, shoot_id: str) -> Shoot:
        """See `rows.get_shoot`."""
        return await in_read_thread(rows.get_shoot, self._database, tenant, subject_id, shoot_id)

    async def page(
        self, tenant: str, subject_id: str, wanted: Labelling, size: int, token: str
    ) -> tuple[list[Shoot], str]:
        """See `rows.list_shoots`."""
        return await in_read_thread(rows.list_shoots, self._database, tenant, subject_id, wanted, size, token)

    async def cancel(self, tenant: str, subject_id: str, shoot_id: str) -> Shoot:
        """See `rows.request_cancel`."""
        shoot = await in_write_thread(rows.request_cancel, self._database, tenant, subject_id, shoot_id)
        if shoot.gallery_id is not None:
            self._painters.stop_shots(shoot.gallery_id)
        self._wake(shoot)
        return shoot

    def _wake(self, shoot: Shoot) -> None:
        for worker in (self._trainers, self._painters, self._runner):
            worker.wake()
        for topic in (shoot.id, shoot.training_id, shoot.gallery_id):
            if topic is not None:
                self._hub.changed(topic)

    async def watch(
        self, tenant: str, subject_id: str, shoot_id: str, *, after: int | None = None
    ) -> AsyncIterator[tuple[Shoot, list[Image]]]:
        """Yields the shoot, or its events after number `after`, then every event, each with the images since the last.

        With the first come all images so far, where no number is given or its event is no longer kept.

        Raises as `rows.read_events`.
        """

        def read_after(seen: int | None) -> Awaitable[EventBatch[Shoot]]:
            return self._reads.read(rows.read_events, self._database, tenant, subject_id, shoot_id, seen)

        sent: set[int] = set()
        with self._hub.subscribe(shoot_id, kind="shoot") as subscription, self._metrics.watching("shoot"):
            async with contextlib.aclosing(follow(subscription, read_after, after)) as events:  # type: ignore[type-var]
                async for shoot in events:
                    if after is not None:
                        sent.update(await in_read_thread(rows.read_images_at, self._database, shoot_id, after))
                        after = None
                    new = set(shoot.progress.images) - sent
                    sent |= new
                    yield shoot, await in_read_thread(rows.read_images, self._database, shoot, new)


def _name(photo: InspectedPhoto) -> str:
    assert photo.stored is not None, "only stored photos were inspected"
    return photo_name(photo.stored.subject_id, photo.stored.sha256)


def _too_few(usable: int, inspected: Sequence[InspectedPhoto]) -> FailedPreconditionError:
    told = [
        f"{_name(photo)} ({photo.filename or 'no filename'}): {finding.reason}, {finding.message}"
        for photo in inspected
        for finding in photo.findings
    ]
    return FailedPreconditionError(
        "TOO_FEW_PHOTOS",
        f"a shoot trains on at least {MIN_TRAINING_PHOTOS} usable photos, {usable} of the subject's "
        f"{len(inspected)} can be used; upload others"
        + (f" in place of these, of which InspectPhotos tells all: {'; '.join(told)}" if told else ""),
        violations=[FieldViolation("photos", each) for each in told],
        metadata={"usable": str(usable), "needed": str(MIN_TRAINING_PHOTOS)},
    )
