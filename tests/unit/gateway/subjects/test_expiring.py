"""Subjects whose time has come are erased, each by one gateway, and none by a clock that jumped."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from obstore.store import MemoryStore
from prometheus_client import CollectorRegistry
from sqlalchemy.engine import Engine

from headshots import keys, schema
from headshots.artifacts import ArtifactStore
from headshots.clocks import ClockWatch
from headshots.database import database_now, open_database, read, write
from headshots.errors import FailedPreconditionError, UnavailableError
from headshots.leases import LeaseLostError
from services.gateway.api.requests import IdempotencyKey
from services.gateway.metrics import GatewayMetrics
from services.gateway.retention.rows import claim_due
from services.gateway.subjects import erasure
from services.gateway.subjects import expiring as expiring_module
from services.gateway.subjects.eraser import Eraser
from services.gateway.subjects.erasing import Erasing, ErasingSettings
from services.gateway.subjects.expiring import Expiring
from services.gateway.subjects.parts import PartSweep
from services.gateway.subjects.rows import create_subject, extend_retention, get_subject
from tests.support.deploy.tables import make_tables
from tests.support.gateway.erasing import FailingStore, NoGenerator, rows
from tests.support.gateway.receipts import issuer
from tests.support.waiting import until


class NoPainters:
    """Nothing is painted here."""

    def wake(self) -> None:
        raise AssertionError("nothing is painted here")

    def stop_shots(self, gallery_id: str) -> None:
        raise AssertionError("nothing is painted here")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'headshots.db'}")
    make_tables(engine)
    yield engine
    engine.dispose()


class Gateway:
    """What a gateway has for it."""

    def __init__(self, engine: Engine, store: ArtifactStore, clock: ClockWatch | None = None) -> None:
        self.registry = CollectorRegistry()
        metrics = GatewayMetrics(self.registry, engine)
        self.eraser = Eraser(engine, store, NoGenerator(), issuer(), sweep_seconds=0.0)
        done_by = self.eraser, PartSweep(engine, store, NoGenerator(), owner="g"), NoPainters(), metrics
        self.expiring = Expiring(engine, *done_by, owner="g", sweep_seconds=60.0, clock=clock)

    def told(self, name: str) -> float | None:
        return self.registry.get_sample_value(f"headshots_gateway_{name}")


def subject(engine: Engine, store: ArtifactStore, *, expired: bool = True) -> str:
    keys.create_tenant(engine, "acme")
    made = create_subject(engine, "acme", display_name="", class_noun="", key=IdempotencyKey()).id
    store.put_sync(f"tenants/acme/subjects/{made}/photos/a.png", b"x")
    if expired:
        move(engine, made, -100.0)
    return made


def move(engine: Engine, subject_id: str, seconds_from_now: float) -> None:
    with write(engine) as connection:
        now = database_now(connection)
        mine = schema.retentions.c.id == subject_id
        connection.execute(sa.update(schema.retentions).where(mine).values(expires_at=now + seconds_from_now))


async def test_what_is_due_is_erased_and_counted_once(engine: Engine) -> None:
    store = ArtifactStore(MemoryStore())
    kept = subject(engine, store, expired=False)
    for _ in range(3):
        subject(engine, store)
    gateways = [Gateway(engine, store) for _ in range(2)]
    for gateway in gateways:
        await gateway.expiring.sweep()
        await gateway.eraser.sweep()
    assert [row.id for row in rows(engine)] == [kept]
    assert [key.split("/")[3] for key in store.list_sync("tenants")] == [kept]
    assert [gateway.told("expired_subjects_total") for gateway in gateways] == [3.0, 0.0]
    with read(engine) as connection:
        assert connection.execute(sa.select(schema.retentions.c.id)).scalars().all() == [kept]


async def test_a_store_that_refuses_is_asked_again_and_told_of(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headshots.telemetry.scrapes.SHARED_SECONDS", 0.0)
    store = FailingStore(2)
    for _ in range(2):
        subject(engine, store)
    gateway = Gateway(engine, store)
    await gateway.expiring.sweep()
    overdue = gateway.told("retention_overdue_seconds")
    assert overdue is not None
    assert overdue >= 100.0
    with write(engine) as connection:
        asked_at = database_now(connection) - 500.0
        connection.execute(sa.update(schema.erasures).values(created_at=asked_at))
    assert (gateway.told("unsigned_erasure_seconds") or 0.0) >= 500.0
    await gateway.expiring.sweep()
    assert gateway.told("expired_subjects_total") == 2.0
    await gateway.eraser.sweep()
    await gateway.eraser.sweep()
    assert (rows(engine), store.list_sync("tenants")) == ([], [])
    assert (gateway.told("retention_overdue_seconds"), gateway.told("unsigned_erasure_seconds")) == (0.0, 0.0)


async def test_a_sweep_reads_what_is_due_and_no_table_through(engine: Engine) -> None:
    store = ArtifactStore(MemoryStore())
    subject(engine, store)
    gateway = Gateway(engine, store)
    asked: list[tuple[str, Any]] = []
    sa.event.listen(engine, "before_cursor_execute", lambda _c, _k, sql, values, *_: asked.append((sql, values)))
    await gateway.expiring.sweep()
    await gateway.eraser.sweep()
    assert gateway.told("retention_overdue_seconds") == 0.0
    of_people = [(sql, values) for sql, values in asked if re.search(r"FROM (subjects|retentions)\b", sql)]
    assert len([sql for sql, _ in of_people if "expires_at <=" in sql]) >= 3, "looked, leased, looked again"
    with engine.connect() as connection:
        for sql, values in of_people:
            plan = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)]
            assert not [step for step in plan if re.match(r"SCAN|USE TEMP B-TREE", step) and "CONSTANT" not in step], (
                sql,
                plan,
            )


def test_what_was_extended_since_it_was_leased_stays(engine: Engine) -> None:
    one = subject(engine, ArtifactStore(MemoryStore()))
    lease = claim_due(engine, owner="a", ttl_seconds=60.0)
    assert lease is not None
    move(engine, one, 3600.0)
    assert erasure.expire(engine, lease) is None
    assert get_subject(engine, "acme", one).id == one
    move(engine, one, -1.0)
    assert claim_due(engine, owner="b", ttl_seconds=60.0) is not None, "its lease has ended"


def test_a_gateway_that_lost_its_lease_hides_nobody(engine: Engine) -> None:
    one = subject(engine, ArtifactStore(MemoryStore()))
    frozen = claim_due(engine, owner="a", ttl_seconds=-1.0)
    taken = claim_due(engine, owner="b", ttl_seconds=60.0)
    assert frozen is not None
    assert taken is not None
    with pytest.raises(LeaseLostError):
        erasure.expire(engine, frozen)
    with read(engine) as connection:
        assert not connection.execute(sa.select(schema.subjects.c.deleting)).scalar_one(), "all of it is taken back"
    expiry = erasure.expire(engine, taken)
    assert expiry is not None
    assert (expiry.tenant_id, taken.id) == ("acme", one)


def test_one_that_was_deleted_meanwhile_is_not_counted(engine: Engine) -> None:
    one = subject(engine, ArtifactStore(MemoryStore()))
    erasure.mark_deleted(engine, "acme", one)
    lease = claim_due(engine, owner="a", ttl_seconds=60.0)
    assert lease is not None
    assert erasure.expire(engine, lease) is None
    assert claim_due(engine, owner="a", ttl_seconds=60.0) is None


async def test_a_clock_that_jumps_ahead_erases_nobody_for_an_hour(engine: Engine) -> None:
    store = ArtifactStore(MemoryStore())
    at = [0.0]
    clock = ClockWatch(lambda: at[0])
    gateway = Gateway(engine, store, clock)
    # As the clock was before it jumped 40 days ahead, to now.
    with read(engine) as connection:
        now = database_now(connection)
    assert clock.trusts(now - 40 * 86400.0)
    one = subject(engine, store)
    await gateway.expiring.sweep()
    assert store.list_sync("tenants"), "nothing is erased"
    with pytest.raises(FailedPreconditionError, match="SUBJECT_EXPIRED"):
        extend_retention(engine, "acme", one, now + 86400.0)
    assert not clock.trusts(now + 1.0)
    at[0] = 3601.0
    assert clock.trusts(now + 3601.0)


async def test_a_jump_before_the_first_sweep_is_known(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    store = ArtifactStore(MemoryStore())
    subject(engine, store)
    done_by = NoGenerator(), NoPainters(), GatewayMetrics(CollectorRegistry(), engine), issuer()
    settings = ErasingSettings(sweep_seconds=60.0)
    erasing = Erasing(engine, store, *done_by, settings, owner="g", forget=lambda _: None)
    with monkeypatch.context() as earlier:
        earlier.setattr(expiring_module, "database_now", lambda connection: database_now(connection) - 40 * 86400.0)
        await erasing.begin()
    (expiring,) = (loop for loop in erasing.loops if isinstance(loop, Expiring))
    await expiring.sweep()
    assert store.list_sync("tenants"), "nothing is erased"


class JumpsAtTheLease(ClockWatch):
    """Trusts the clock when a sweep begins, and not after the first lease."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = [True, False]

    def trusts(self, now: float) -> bool:
        return self.answers.pop(0) if self.answers else True


async def test_a_clock_that_jumps_while_a_sweep_leases_erases_nobody(engine: Engine) -> None:
    store = ArtifactStore(MemoryStore())
    one = subject(engine, store)
    gateway = Gateway(engine, store, JumpsAtTheLease())
    await gateway.expiring.sweep()
    assert [row.id for row in rows(engine)] == [one]
    assert store.list_sync("tenants"), "nothing is erased"
    with read(engine) as connection:
        waiting = connection.execute(sa.select(schema.retentions)).one()
    assert (waiting.state, waiting.lease_owner) == (schema.PENDING, None), "nor leased until the time it jumped to"
    await gateway.expiring.sweep()
    assert gateway.told("expired_subjects_total") == 1.0


def test_a_jump_that_is_taken_back_is_forgotten_and_small_steps_are_none() -> None:
    at = [0.0]
    clock = ClockWatch(lambda: at[0])
    assert clock.trusts(1000.0)
    for _ in range(50):
        at[0] += 30.0
        assert clock.trusts(1000.0 + at[0] * 1.5)
    now = 1000.0 + at[0] * 1.5
    assert not clock.trusts(now + 1e6)
    assert clock.trusts(now)


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="this host's clock counts sleep by itself")
def test_a_host_that_slept_has_not_jumped(monkeypatch: pytest.MonkeyPatch) -> None:
    at = [0.0]
    monkeypatch.setattr("time.clock_gettime", lambda clock: at[0] if clock == time.CLOCK_BOOTTIME else 0.0)
    clock = ClockWatch()
    assert clock.trusts(1000.0)
    at[0] = 8 * 3600.0
    assert clock.trusts(1000.0 + at[0])
    assert not clock.trusts(2000.0 + at[0])


async def test_a_gateway_that_runs_finds_subjects_without_a_time(engine: Engine) -> None:
    one = subject(engine, ArtifactStore(MemoryStore()), expired=False)
    with write(engine) as connection:
        connection.execute(sa.delete(schema.retentions))
    gateway = Gateway(engine, ArtifactStore(MemoryStore()))
    running = asyncio.create_task(gateway.expiring.run())

    def times() -> list[str]:
        with read(engine) as connection:
            return list(connection.execute(sa.select(schema.retentions.c.id)).scalars())

    await until(lambda: times() == [one])
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_database_that_is_away_is_told(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = Gateway(engine, ArtifactStore(MemoryStore()))

    def away(*_: object, **__: object) -> None:
        raise UnavailableError("DATABASE_UNAVAILABLE", "away")

    monkeypatch.setattr("services.gateway.subjects.expiring.claim_due", away)
    with pytest.raises(UnavailableError):
        await gateway.expiring.sweep()
