"""Keys are remembered for as long as it is known that none was revoked."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import keys
from headshots.database import database_now, write
from headshots.errors import UnauthenticatedError, UnavailableError
from headshots.keys import KnownKeys, authenticating
from headshots.schema import api_keys
from tests.support.waiting import PATIENCE_SECONDS, until


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def revoke_elsewhere(engine: Engine, key: str) -> None:
    """As another process does: this one is not told."""
    with write(engine) as connection:
        mine = api_keys.c.id == keys.id_of_key(key)
        connection.execute(sa.update(api_keys).where(mine).values(revoked_at=database_now(connection)))


@contextlib.asynccontextmanager
async def watching(known: KnownKeys) -> AsyncIterator[None]:
    """`known` looks for revocations, and has looked once."""
    running = asyncio.create_task(known.run())
    await until(lambda: known._confirmed_at > float("-inf"))
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


class Statements:
    """Counts look-ups of keys, and fails or blocks all queries on demand."""

    def __init__(self, engine: Engine) -> None:
        self.look_ups = 0
        self.fail = False
        self.looked_up, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()
        sa.event.listen(engine, "before_cursor_execute", self._before)
        sa.event.listen(engine, "after_cursor_execute", self._after)

    def _before(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if self.fail:
            raise sa.exc.OperationalError(statement, {}, Exception("no answer"))
        self.look_ups += "secret_sha256" in statement

    def _after(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "secret_sha256" in statement and statement.startswith("SELECT"):
            self.looked_up.set()
            self.go_on.wait(PATIENCE_SECONDS)


async def test_a_key_is_looked_up_once_and_its_secret_is_checked_each_time(engine: Engine) -> None:
    key = keys.create_key(engine, "acme")
    statements = Statements(engine)
    known = KnownKeys(engine)
    async with watching(known):
        for _ in range(5):
            assert await known.authenticate(bearer(key)) == "acme"
        assert statements.look_ups == 1
        for wrong in (f"{key[:-1]}-", key.removeprefix("hs_")):
            with pytest.raises(UnauthenticatedError, match="API_KEY_INVALID"):
                await known.authenticate(bearer(wrong))
        assert await known.authenticate(bearer(key)) == "acme"


async def test_without_looks_for_revocations_nothing_is_remembered(engine: Engine) -> None:
    key = keys.create_key(engine, "acme")
    known = KnownKeys(engine)
    assert await known.authenticate(bearer(key)) == "acme"
    revoke_elsewhere(engine, key)
    with pytest.raises(UnauthenticatedError):
        await known.authenticate(bearer(key))
    async with watching(known):
        with pytest.raises(UnauthenticatedError):
            await known.authenticate(bearer(key))


async def test_a_revocation_by_another_process_is_seen_at_the_next_look(engine: Engine) -> None:
    key, other = keys.create_key(engine, "acme"), keys.create_key(engine, "globex")
    known = KnownKeys(engine, poll_seconds=0.01)
    async with watching(known):
        assert await known.authenticate(bearer(key)) == "acme"
        revoke_elsewhere(engine, key)

        async def is_refused() -> bool:
            try:
                await known.authenticate(bearer(key))
            except UnauthenticatedError:
                return True
            return False

        await until(is_refused)
        assert await known.authenticate(bearer(other)) == "globex"


async def test_a_revocation_by_this_process_is_seen_at_once(engine: Engine) -> None:
    key = keys.create_key(engine, "acme")
    known = KnownKeys(engine, poll_seconds=1e6)
    async with watching(known):
        assert await known.authenticate(bearer(key)) == "acme"
        keys.revoke_key(engine, keys.id_of_key(key))
        with pytest.raises(UnauthenticatedError, match="API_KEY_INVALID"):
            await known.authenticate(bearer(key))


async def test_a_key_that_is_revoked_while_it_is_looked_up_is_refused(engine: Engine) -> None:
    key = keys.create_key(engine, "acme")
    statements = Statements(engine)
    known = KnownKeys(engine)
    async with watching(known):
        statements.go_on.clear()
        asking = asyncio.create_task(known.authenticate(bearer(key)))
        await asyncio.to_thread(statements.looked_up.wait, PATIENCE_SECONDS)
        await asyncio.to_thread(keys.revoke_key, engine, keys.id_of_key(key))
        statements.go_on.set()
        with pytest.raises(UnauthenticatedError):
            await asking


async def test_while_the_database_is_away_keys_are_known_for_a_minute(engine: Engine) -> None:
    now = 0.0
    key, new = keys.create_key(engine, "acme"), keys.create_key(engine, "globex")
    statements = Statements(engine)
    known = KnownKeys(engine, poll_seconds=0.01, clock=lambda: now)
    async with watching(known):
        assert await known.authenticate(bearer(key)) == "acme"
        statements.fail = True
        now = authenticating.KEPT_SECONDS
        assert await known.authenticate(bearer(key)) == "acme"
        with pytest.raises(UnavailableError, match="DATABASE_UNAVAILABLE"):
            await known.authenticate(bearer(new))
        now += 1.0
        with pytest.raises(UnavailableError, match="DATABASE_UNAVAILABLE"):
            await known.authenticate(bearer(key))
        statements.fail = False
        await until(lambda: known._confirmed_at == now)
        assert await known.authenticate(bearer(key)) == "acme"


async def test_no_more_keys_are_remembered_than_the_limit(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authenticating, "_MAX_REMEMBERED", 2)
    made = [keys.create_key(engine, "acme") for _ in range(3)]
    statements = Statements(engine)
    known = KnownKeys(engine)
    async with watching(known):
        for key in (made[0], made[1], made[0], made[2]):
            await known.authenticate(bearer(key))
        assert statements.look_ups == 3
        # The one that was used longest ago made room.
        await known.authenticate(bearer(made[0]))
        assert statements.look_ups == 3
        await known.authenticate(bearer(made[1]))
        assert statements.look_ups == 4


def test_looking_for_revocations_reads_an_index_alone(engine: Engine) -> None:
    asked: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda _c, _k, statement, *_: asked.append(statement))
    keys.rows.keys_revision(engine)
    with engine.connect() as connection:
        (plan,) = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked[-1]}").all()
    assert "USING COVERING INDEX ix_api_keys_revoked_at" in plan.detail
