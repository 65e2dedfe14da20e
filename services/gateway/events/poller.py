"""Finds what other processes have changed of all that is watched: one query a kind and poll, however many watch."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots.database import read
from headshots.errors import HeadshotsError
from headshots.threads import in_read_thread
from services.gateway.events.hub import Hub

_LOG = logging.getLogger(__name__)
# The longest list of values in a query.
_CHUNK = 500

Revisions = Callable[[Engine, Sequence[str]], dict[str, int]]
"""Reads the revisions of the rows with these ids; those that are gone are left out."""


def read_revisions(engine: Engine, table: sa.Table, ids: Sequence[str]) -> dict[str, int]:
    """The revisions of the rows of `table` with these ids; those that are gone are left out. Blocking SQL."""
    found: dict[str, int] = {}
    with read(engine) as connection:
        for at in range(0, len(ids), _CHUNK):
            wanted = table.c.id.in_(ids[at : at + _CHUNK])
            found |= {
                row.id: row.revision
                for row in connection.execute(sa.select(table.c.id, table.c.revision).where(wanted))
            }
    return found


class WatchPoller:
    """Works from `run` until it is cancelled."""

    def __init__(self, engine: Engine, hub: Hub, kinds: Mapping[str, Revisions], *, poll_seconds: float) -> None:
        self._engine = engine
        self._hub = hub
        self._kinds = kinds
        self._poll_seconds = poll_seconds

    async def run(self) -> None:
        """Looks every `poll_seconds`."""
        while True:
            await asyncio.sleep(self._poll_seconds)
            for kind, revisions in self._kinds.items():
                try:
                    await self._look(kind, revisions)
                except HeadshotsError as error:
                    # As every call that needs the database: the callers connect again, perhaps to another gateway.
                    self._hub.fail(kind, error)
                except Exception:  # noqa: BLE001 - whatever it was, watchers have to be woken again
                    _LOG.exception("cannot look for changes of what is watched; trying again")

    async def _look(self, kind: str, revisions: Revisions) -> None:
        watched = self._hub.watched(kind)
        if watched:
            self._hub.compare(kind, watched, await in_read_thread(revisions, self._engine, watched))
