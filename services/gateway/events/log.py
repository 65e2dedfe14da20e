"""Keeps numbered events of jobs in a table, so that a watch can resume after any of them. Blocking SQL.

Every change that a caller can see is one event. Its number is the job's revision: the creation has 1, and each event
has one more than the one before. Events are kept for a day; the job's row always holds the last one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from headshots.errors import InvalidArgumentError

_KEPT_SECONDS = 24 * 3600.0
# Events of one read; a watch that is further behind reads again.
_BATCH_EVENTS = 200


class Numbered(Protocol):
    """A job as it was after an event."""

    @property
    def revision(self) -> int:
        """The event's number."""
        ...


class Waiting(Protocol):
    """A watcher that waits; `hub.Subscription` implements it."""

    async def wait(self, seen: int) -> Any:
        """Waits for a change since revision `seen`."""
        ...


JobT = TypeVar("JobT", bound=Numbered)


@dataclass(frozen=True)
class EventBatch(Generic[JobT]):
    """Events of a job, in order."""

    events: list[JobT]
    """The job as it was after each event."""
    is_last: bool
    """Whether the job has ended and no event follows these."""


class EventLog:
    """The events in `table`, which has the columns `number`, `event`, `created_at` and one of the job's id."""

    def __init__(self, table: sa.Table, job: sa.Column[Any], noun: str) -> None:
        """`job` is the column of the job's id; `noun` is what callers call the job."""
        self._table = table
        self._job = job
        self._noun = noun

    def append(self, connection: Connection, job_id: str, number: int, event: dict[str, Any], now: float) -> None:
        """Adds an event."""
        values = {self._job.name: job_id, "number": number, "event": event, "created_at": now}
        connection.execute(sa.insert(self._table).values(**values))

    def forget_old(self, connection: Connection, now: float) -> None:
        """Removes the events of all jobs that are older than a day."""
        connection.execute(sa.delete(self._table).where(self._table.c.created_at < now - _KEPT_SECONDS))

    def delete(self, connection: Connection, jobs: sa.Select[Any]) -> None:
        """Removes the events of the jobs with these ids."""
        connection.execute(sa.delete(self._table).where(self._job.in_(jobs)))

    def after(
        self,
        connection: Connection,
        job_id: str,
        current: JobT,
        after: int | None,
        *,
        has_ended: bool,
        read: Callable[[Row[Any]], JobT],
    ) -> EventBatch[JobT]:
        """The events of a job after number `after`, oldest first; without a number its current state alone.

        Where the oldest of them are no longer kept, the first that is kept comes first: it holds the whole state too.
        `read` makes the job as it was from a row of the table.

        Raises:
            InvalidArgumentError: AFTER_EVENT_UNKNOWN, there is no event with this number yet.
        """
        if after is None:
            return EventBatch([current], has_ended)
        if after > current.revision:
            raise InvalidArgumentError(
                "AFTER_EVENT_UNKNOWN",
                f"the {self._noun} has had {current.revision} events and none after {after}; leave after_event away to "
                "begin with the present",
            )
        number = self._table.c.number
        between = sa.and_(self._job == job_id, number > after, number <= current.revision)
        query = sa.select(self._table).where(between).order_by(number).limit(_BATCH_EVENTS)
        events = [read(row) for row in connection.execute(query)]
        if not events and after < current.revision:
            events = [current]
        last = events[-1].revision if events else after
        return EventBatch(events, has_ended and last == current.revision)


async def follow(
    subscription: Waiting, read: Callable[[int | None], Awaitable[EventBatch[JobT]]], after: int | None
) -> AsyncIterator[JobT]:
    """Yields the job, or its events after number `after`, then every event until it has ended. Raises as `read`."""
    while True:
        batch = await read(after)
        for event in batch.events:
            after = event.revision
            yield event
        if batch.is_last:
            return
        if not batch.events:
            assert after is not None, "without a number the first batch has an event"
            await subscription.wait(after)
