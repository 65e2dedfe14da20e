"""Asks connections to a database that lay idle whether they live, before somebody relies on them."""

from __future__ import annotations

import math
import time
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import InvalidatePoolError

IDLE_SECONDS = 1.0
DOUBT_SECONDS = 60.0
"""So long after a failed statement or connection every connection is asked before it is used."""


def ping_idle_connections(engine: Engine) -> None:
    """Replaces connections that have ended while they were idle for a second, as all have after a failover.

    SQLAlchemy's own `pool_pre_ping` asks before each use: that is one of the four messages of a small transaction. So
    it is done here for a while after something has failed, as a database that comes back may end what was just opened.
    """
    failed_at = -math.inf

    @event.listens_for(engine, "handle_error")
    def _failed(context: Any) -> None:
        nonlocal failed_at
        if not isinstance(context.original_exception, engine.dialect.loaded_dbapi.IntegrityError):
            failed_at = time.monotonic()

    @event.listens_for(engine, "connect")
    @event.listens_for(engine, "checkin")
    def _used(_connection: Any, record: Any) -> None:
        record.info["used_at"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _ping(connection: Any, record: Any, _proxy: Any) -> None:
        now = time.monotonic()
        if now - record.info["used_at"] > IDLE_SECONDS or now - failed_at < DOUBT_SECONDS:
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.loaded_dbapi.Error as error:
                # The pool opens another in its place, and looks at no other that is as old.
                raise InvalidatePoolError("a connection has ended while it was idle") from error
