"""Times what a sweep of due subjects takes, among a thousand subjects and among a hundred thousand."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from prometheus_client import CollectorRegistry
from sqlalchemy.engine import Connection, Engine

from benchmarks.promises.report import Order
from benchmarks.report import Measured
from headshots import keys
from headshots.artifacts import ArtifactStore
from headshots.database import database_now, migrate, open_database, read, write
from headshots.schema import retentions, subjects
from services.gateway.api.labels import NO_LABELS
from services.gateway.api.requests import IdempotencyKey
from services.gateway.metrics import GatewayMetrics
from services.gateway.peers.events import GenerationEvent
from services.gateway.peers.models import GenerationCheck, GenerationRequest, GeneratorDescription
from services.gateway.subjects.eraser import Eraser
from services.gateway.subjects.expiring import Expiring
from services.gateway.subjects.parts import PartSweep
from services.gateway.subjects.rows import create_subject, list_subjects
from services.gateway.tenants.ownership import object_prefix
from tests.support.gateway.receipts import issuer

_TENANT = "acme"
_PAGE = 100
_PHOTO = b"a photo" * 1000
_ROWS_AT_ONCE = 5_000


class _Nobody:
    """The painters and the generator of a gateway that has nothing to paint."""

    def wake(self) -> None:
        raise AssertionError("nothing is painted here")

    def stop_shots(self, gallery_id: str) -> None:
        raise AssertionError(f"nothing is painted here, so no {gallery_id}")

    def generate(self, request: GenerationRequest) -> AsyncIterator[GenerationEvent]:
        raise AssertionError(f"nothing is painted here, so no {request}")

    async def check(self, request: GenerationRequest) -> GenerationCheck:
        raise AssertionError(f"nothing is painted here, so no {request}")

    async def describe(self) -> GeneratorDescription:
        raise AssertionError("nothing is painted here")

    async def evict(self, adapter_sha256: str) -> None:
        raise AssertionError(f"nobody has an adapter here, so no {adapter_sha256}")


class _Crowd:
    """A gateway's database and store with many subjects, and what sweeps them."""

    def __init__(self, folder: Path, database: Engine, size: int) -> None:
        self._database = database
        self._store = ArtifactStore.open((folder / "objects").as_uri())
        nobody = _Nobody()
        self._eraser = Eraser(database, self._store, nobody, issuer(), sweep_seconds=0.0)
        parts = PartSweep(database, self._store, nobody, owner="bench")
        metrics = GatewayMetrics(CollectorRegistry(), database)
        self._expiring = Expiring(database, self._eraser, parts, nobody, metrics, owner="bench", sweep_seconds=60.0)
        keys.create_tenant(database, _TENANT)
        self._fill(size)

    def _fill(self, size: int) -> None:
        """Subjects as creating leaves them, a year before their time."""
        for first in range(0, size, _ROWS_AT_ONCE):
            names = [f"{number:016x}" for number in range(first, min(first + _ROWS_AT_ONCE, size))]
            with write(self._database) as connection:
                now = database_now(connection)
                # Made one after another, not all at once, as lists order by it.
                made = [
                    {"id": name, "tenant_id": _TENANT, "class_noun": "person", "created_at": now - int(name, 16) / 100}
                    for name in names
                ]
                connection.execute(sa.insert(subjects), made)
                kept = [{"id": name, "tenant_id": _TENANT, "expires_at": now + 31e6} for name in names]
                connection.execute(sa.insert(retentions), kept)

    def make_due(self, count: int) -> None:
        """So many new subjects with a photo, whose time has come."""
        for _ in range(count):
            made = create_subject(self._database, _TENANT, display_name="", class_noun="", key=IdempotencyKey()).id
            self._store.put_sync(f"{object_prefix(_TENANT, made)}/photos/{made}.png", _PHOTO)
            with write(self._database) as connection:
                mine = retentions.c.id == made
                past = database_now(connection) - 1.0
                connection.execute(sa.update(retentions).where(mine).values(expires_at=past))

    def timed(self) -> float:
        """Seconds of a sweep that erases all who are due, to the last row, and of a page of those who are left."""
        return asyncio.run(self._timed())

    async def _timed(self) -> float:
        begun = time.perf_counter()
        await self._expiring.sweep()
        await self._eraser.sweep()
        list_subjects(self._database, _TENANT, NO_LABELS, _PAGE, "")
        return time.perf_counter() - begun

    def size(self) -> int:
        """How many subjects have a row."""
        with read(self._database) as connection:
            return _count(connection)


def run(order: Order) -> Measured:
    """Both in turn, so that the machine's moods meet both; the middle of their ratios."""
    small, large = 1_000, order.scale.subjects
    with _crowd(order.work / "small", small) as few, _crowd(order.work / "large", large) as many:
        pairs = []
        for _ in range(order.scale.sweeps):
            seconds = []
            for crowd, size in ((few, small), (many, large)):
                crowd.make_due(order.scale.due)
                seconds.append(crowd.timed())
                assert crowd.size() == size, "a sweep erases who is due and nobody else"
            pairs.append(seconds)
    ratios = [after / before for before, after in pairs]
    details = {
        "due": order.scale.due,
        "subjects": [small, large],
        "seconds": [[round(each, 4) for each in pair] for pair in pairs],
        "spread": [min(ratios), max(ratios)],
    }
    return Measured({"list_and_sweep": statistics.median(ratios)}, {"list_and_sweep": details})


@contextmanager
def _crowd(folder: Path, size: int) -> Iterator[_Crowd]:
    folder.mkdir()
    database = open_database(f"sqlite:///{folder / 'headshots.db'}")
    try:
        migrate(database)
        yield _Crowd(folder, database, size)
    finally:
        database.dispose()


def _count(connection: Connection) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(subjects)).scalar_one()
