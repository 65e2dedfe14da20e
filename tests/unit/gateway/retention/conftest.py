"""Gives tests of terms a database whose clock they set, and a store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from obstore.store import MemoryStore
from sqlalchemy.engine import Engine

from headshots import keys
from headshots.artifacts import ArtifactStore
from headshots.database import read, write
from services.gateway.api.labels import NO_LABELS
from services.gateway.api.requests import IdempotencyKey
from services.gateway.photos.removing import begin_times
from services.gateway.photos.rows import list_photos
from services.gateway.photos.storing import store_photos
from services.gateway.retention import terms
from services.gateway.retention.models import NO_TERMS, OwnTerms
from services.gateway.subjects.parts import remove
from services.gateway.subjects.rows import create_subject
from tests.support.clocks import BEGINNING, SqliteClock, open_with_clock
from tests.support.deploy.tables import make_tables
from tests.unit.gateway.photos.test_rows import spooled

DAY = 86400.0


NEAR = 0.01
"""As precise as the clock is."""


@dataclass(frozen=True)
class Place:
    """A gateway's database, whose clock the test sets, and its store."""

    engine: Engine
    clock: SqliteClock
    store: ArtifactStore
    folder: Path

    def subject(self, *photos: str, own: OwnTerms = NO_TERMS) -> str:
        """A subject of acme with these photos."""
        key = IdempotencyKey()
        made = create_subject(self.engine, "acme", display_name="", class_noun="", key=key, own_terms=own).id
        self.upload(made, *photos)
        return made

    def upload(self, subject: str, *photos: str) -> None:
        store_photos(self.engine, self.store, "acme", subject, spooled(self.folder, *photos))

    def deliver(self, subject: str, *, adapter: bool = True) -> None:
        with write(self.engine) as connection:
            begin_times(connection, subject, anew=adapter)

    def photos(self, subject: str) -> list[tuple[str, float | None]]:
        """Which photos calls see, and when their time comes, in seconds from the beginning on."""
        listed, _ = list_photos(self.engine, "acme", subject, NO_LABELS, 50, "")
        return [(each.sha256, None if each.expires_at is None else each.expires_at - BEGINNING) for each in listed]

    def claim(self, owner: str = "a") -> str | None:
        lease = terms.claim_due(self.engine, owner=owner, ttl_seconds=60.0)
        return lease and lease.id

    def sweep(self) -> list[bool]:
        """Removes all that is due; whether it did, of each."""
        done = []
        while (lease := terms.claim_due(self.engine, owner="a", ttl_seconds=60.0)) is not None:
            done.append(remove(self.engine, self.store, lease) is not None)
        return done

    def rows(self, table: sa.Table) -> int:
        with read(self.engine) as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    engine, clock = open_with_clock(f"sqlite:///{tmp_path / 'a.db'}")
    make_tables(engine)
    keys.create_tenant(engine, "acme")
    yield Place(engine, clock, ArtifactStore(MemoryStore()), tmp_path)
    engine.dispose()
