"""Watches cost one query a poll, however many there are, and share what they read."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots.database import open_database
from headshots.errors import UnavailableError
from headshots.schema import galleries
from services.gateway.events.hub import Hub, Subscription
from services.gateway.events.poller import WatchPoller, read_revisions
from services.gateway.events.reads import SharedReads
from tests.support.deploy.tables import make_tables
from tests.support.waiting import PATIENCE_SECONDS, until


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'headshots.db'}")
    make_tables(engine)
    yield engine
    engine.dispose()


class Table:
    """Revisions of rows, and how often somebody asked for them."""

    def __init__(self, revisions: dict[str, int]) -> None:
        self.revisions = revisions
        self.asked: list[list[str]] = []
        self.failure: Exception | None = None

    def __call__(self, _engine: Engine, ids: Sequence[str]) -> dict[str, int]:
        self.asked.append(list(ids))
        if self.failure is not None:
            raise self.failure
        return {id: self.revisions[id] for id in ids if id in self.revisions}


class Watchers:
    """Watchers of things `0`, `1`, …, each at revision 1; notes who was woken and how often."""

    def __init__(self, hub: Hub, count: int) -> None:
        self.woken = [0] * count
        self.tasks = [asyncio.create_task(self._watch(hub, number)) for number in range(count)]

    async def _watch(self, hub: Hub, number: int) -> None:
        with hub.subscribe(str(number), kind="thing") as subscription:
            while True:
                await subscription.wait(1)
                self.woken[number] += 1

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def polling(engine: Engine, hub: Hub, table: Table) -> AsyncIterator[None]:
    """A poller runs within the block."""
    running = asyncio.create_task(WatchPoller(engine, hub, {"thing": table}, poll_seconds=0.001).run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_thousand_idle_watchers_cost_a_query_a_poll_and_are_left_asleep(engine: Engine) -> None:
    hub, table = Hub(), Table({str(number): 1 for number in range(1000)})
    watchers = Watchers(hub, 1000)
    await asyncio.sleep(0)
    async with polling(engine, hub, table):
        await until(lambda: len(table.asked) >= 4)
    assert all(sorted(ids) == sorted(table.revisions) for ids in table.asked)
    assert sum(watchers.woken) == 0
    await watchers.close()
    assert hub.watched("thing") == []


async def test_what_another_process_changed_or_removed_wakes_its_watchers_alone(engine: Engine) -> None:
    hub, table = Hub(), Table({"0": 1, "1": 2})
    watchers = Watchers(hub, 3)
    await asyncio.sleep(0)
    async with polling(engine, hub, table):
        await until(lambda: watchers.woken[1] > 0 and watchers.woken[2] > 0)
    assert watchers.woken[0] == 0
    await watchers.close()


async def test_a_database_that_does_not_answer_ends_the_watches(engine: Engine) -> None:
    hub, table = Hub(), Table({"0": 1})
    watchers = Watchers(hub, 1)
    table.failure = UnavailableError("DATABASE_UNAVAILABLE", "try again")
    async with polling(engine, hub, table), asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(UnavailableError, match="DATABASE_UNAVAILABLE"):
            await watchers.tasks[0]


async def test_a_defect_of_one_poll_ends_no_watch(engine: Engine) -> None:
    hub, table = Hub(), Table({"0": 1})
    watchers = Watchers(hub, 1)
    table.failure = RuntimeError("a defect")
    async with polling(engine, hub, table):
        await until(lambda: len(table.asked) >= 3)
        assert not watchers.tasks[0].done()
        table.failure, table.revisions["0"] = None, 2
        await until(lambda: watchers.woken[0] > 0)
    await watchers.close()


async def test_a_change_between_reading_and_waiting_is_not_missed() -> None:
    hub = Hub()
    with hub.subscribe("0", kind="thing") as subscription:
        hub.changed("0")
        async with asyncio.timeout(PATIENCE_SECONDS):
            await subscription.wait(1)


def test_revisions_are_read_in_few_queries_by_the_primary_key(engine: Engine) -> None:
    asked: list[tuple[str, Any]] = []
    sa.event.listen(engine, "before_cursor_execute", lambda _c, _k, sql, values, *_: asked.append((sql, values)))
    assert read_revisions(engine, galleries, [str(number) for number in range(1000)]) == {}
    selects = [(sql, values) for sql, values in asked if sql.startswith("SELECT")]
    assert len(selects) == 2
    with engine.connect() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {selects[0][0]}", selects[0][1]).all()
    assert not [step.detail for step in plan if step.detail.startswith("SCAN")]


class Reading:
    """A read that blocks until it may go on."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.go = threading.Event()

    def __call__(self, what: str) -> str:
        self.begun.append(what)
        self.go.wait(PATIENCE_SECONDS)
        return f"{what} {len(self.begun)}"


async def test_watchers_of_the_same_share_a_read_that_has_not_begun_and_few_read_at_once() -> None:
    reads, reading = SharedReads(), Reading()
    first = [asyncio.create_task(reads.read(reading, what)) for what in ("a", "b")]
    await until(lambda: len(reading.begun) == 2)
    # A read that has begun may have missed what these want to see, so they share a new one.
    later = [asyncio.create_task(reads.read(reading, "a")) for _ in range(1000)]
    other = asyncio.create_task(reads.read(reading, "c"))
    await asyncio.sleep(0.01)
    assert len(reading.begun) == 2, "two at once, so that threads are left for others"
    reading.go.set()
    await asyncio.gather(*first, other)
    assert len({await each for each in later}) == 1
    assert sorted(reading.begun) == ["a", "a", "b", "c"]


async def test_a_read_that_fails_tells_all_who_wait_for_it_and_nobody_who_left() -> None:
    def fail() -> None:
        raise UnavailableError("DATABASE_UNAVAILABLE", "try again")

    reads = SharedReads()
    waiting = [asyncio.create_task(reads.read(fail)) for _ in range(3)]
    await asyncio.sleep(0)
    waiting.pop().cancel()
    for each in await asyncio.gather(*waiting, return_exceptions=True):
        assert isinstance(each, UnavailableError)


async def test_previews_reach_those_who_asked() -> None:
    hub = Hub()
    with hub.subscribe("0", kind="thing", previews=True), hub.subscribe("0", kind="thing") as plain:
        assert isinstance(plain, Subscription)
        assert hub.wants_previews("0")
    assert not hub.wants_previews("0")
