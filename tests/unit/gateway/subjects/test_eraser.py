"""A subject is erased even where the object store fails half-way."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import schema
from headshots.database import now_expression
from headshots.errors import NotFoundError, UnavailableError
from services.gateway.erasures.rows import open_erasures_query
from services.gateway.subjects import erasure
from services.gateway.subjects.eraser import Eraser
from services.gateway.subjects.rows import get_subject, give_consent
from tests.support.consents import GIVEN
from tests.support.gateway.erasing import FailingStore, NoGenerator, rows, subject_with_objects
from tests.support.gateway.receipts import issuer


async def test_a_deletion_that_the_store_refused_can_be_repeated(engine: Engine) -> None:
    store = FailingStore(1)
    subject = subject_with_objects(engine, store)
    eraser = Eraser(engine, store, NoGenerator(), issuer(), sweep_seconds=60.0)
    with pytest.raises(UnavailableError):
        await eraser.delete("acme", subject)
    with pytest.raises(NotFoundError):
        get_subject(engine, "acme", subject)
    with pytest.raises(NotFoundError):
        await eraser.delete("globex", subject)
    assert (await eraser.delete("acme", subject)).deleted_objects == 2
    assert store.list_sync("tenants") == []
    with pytest.raises(NotFoundError):
        await eraser.delete("acme", subject)


async def test_sweeps_finish_what_the_store_refused_and_remove_the_row(engine: Engine) -> None:
    store = FailingStore(2)
    first, second = subject_with_objects(engine, store), subject_with_objects(engine, store)
    eraser = Eraser(engine, store, NoGenerator(), issuer(), sweep_seconds=0.0)
    with pytest.raises(UnavailableError):
        await eraser.delete("acme", first)
    await eraser.sweep()
    assert store.failures == 0
    await eraser.sweep()
    await eraser.sweep()
    assert rows(engine) == [(second, None)]
    assert [key.split("/")[3] for key in store.list_sync("tenants")] == [second] * 3


async def test_the_row_stays_for_a_last_look_until_the_grace_period_is_over(engine: Engine) -> None:
    store = FailingStore(0)
    subject = subject_with_objects(engine, store)
    eraser = Eraser(engine, store, NoGenerator(), issuer(), sweep_seconds=3600.0)
    assert (await eraser.delete("acme", subject)).deleted_objects == 3
    store.put_sync(f"tenants/acme/subjects/{subject}/images/late.png", b"x")
    await eraser.sweep()
    assert len(rows(engine)) == len(store.list_sync("tenants")) == 1
    await Eraser(engine, store, NoGenerator(), issuer(), sweep_seconds=0.0).sweep()
    assert rows(engine) == store.list_sync("tenants") == []


@pytest.mark.parametrize(("ahead_seconds", "signed"), [(1_800.0, False), (86_400.0, True)])
@pytest.mark.parametrize("orphaned", [False, True])
async def test_a_clock_that_was_ahead_keeps_no_erasure_unsigned(
    engine: Engine, ahead_seconds: float, *, signed: bool, orphaned: bool
) -> None:
    """`orphaned`: a gateway without receipts has removed the subject's row."""
    store = FailingStore(0)
    subject = subject_with_objects(engine, store)
    eraser = Eraser(engine, store, NoGenerator(), issuer(), sweep_seconds=7_200.0)
    await eraser.delete("acme", subject)
    with engine.begin() as connection:
        ahead = now_expression(engine.dialect.name) + ahead_seconds
        connection.execute(sa.update(schema.subjects).values(erased_at=ahead))
        connection.execute(sa.update(schema.erasures).values(erased_at=ahead))
        if orphaned:
            connection.execute(sa.delete(schema.subjects))
    await eraser.sweep(completing=False)
    assert numbers(engine) == [None]
    await eraser.sweep()
    assert numbers(engine) == [1 if signed else None]


async def test_what_an_older_gateway_left_of_an_erased_subject_goes_with_its_row(engine: Engine) -> None:
    """One that has erased it while newer gateways began to run, and knew neither consents nor times."""
    store = FailingStore(0)
    subject = subject_with_objects(engine, store)
    give_consent(engine, "acme", subject, GIVEN)
    erasure.mark_deleted(engine, "acme", subject)
    with engine.begin() as connection:
        connection.execute(sa.update(schema.subjects).values(erased_at=0.0))
    await Eraser(engine, store, NoGenerator(), issuer(), sweep_seconds=0.0).sweep()
    with engine.connect() as connection:
        left = [connection.execute(sa.select(table)).all() for table in (schema.consents, schema.retentions)]
    assert (left, rows(engine)) == ([[], []], [])


async def test_a_subject_whose_erasure_meets_a_defect_holds_up_no_other(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FailingStore(0)
    hidden = [subject_with_objects(engine, store) for _ in range(3)]
    for each in hidden:
        erasure.mark_deleted(engine, "acme", each)
    remove, broken = store.delete_prefix_sync, hidden[0]

    def defect(prefix: str, before: Callable[[Mapping[str, int]], None]) -> int:
        if broken in prefix:
            raise RuntimeError("a defect")
        return remove(prefix, before)

    monkeypatch.setattr(store, "delete_prefix_sync", defect)
    eraser = Eraser(engine, store, NoGenerator(), issuer(), sweep_seconds=0.0)
    await eraser.sweep()
    await eraser.sweep()
    assert rows(engine) == [(broken, None)]


def test_sweeps_read_only_subjects_that_are_being_erased(engine: Engine) -> None:
    with engine.connect() as connection:
        statement = open_erasures_query(connection, grace_seconds=30.0).compile(
            connection, compile_kwargs={"literal_binds": True}
        )
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all()
    assert ["ix_subjects_deleting" in row.detail for row in plan] == [True], plan


def numbers(engine: Engine) -> list[int | None]:
    with engine.connect() as connection:
        return list(connection.execute(sa.select(schema.erasures.c.number)).scalars())
