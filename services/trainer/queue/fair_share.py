"""Fair share: orders jobs by how few the tenant has running, then by when it was last served, then by priority.

A tenant's running jobs are divided by its weight where a high-priority job of it waits, so high priority gives a larger
share of the trainers and never all of them: a tenant with nothing running goes before all that have something running.

The rule exists twice: as SQL, to claim one row under a lock, and in Python, to tell the position of every job. A test
checks that the two agree.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import leases
from headshots.database import now_expression, read
from headshots.schema import HIGH_PRIORITY, NO_HIGH_WEIGHT, PENDING, RUNNING, SUCCEEDED, tenants, training_jobs

# The expected length of a run is the mean over so many finished ones.
_RECENT_RUNS = 20


@dataclass(frozen=True)
class WaitingJob:
    """A job in the queue."""

    id: str
    tenant: str
    priority: int
    created_at: float


@dataclass(frozen=True)
class Queue:
    """The queue at one moment: waiting jobs, and each tenant's running jobs, last start and weight (default 1)."""

    waiting: Sequence[WaitingJob]
    running: Mapping[str, int]
    last_start: Mapping[str, float]
    mean_seconds: float | None
    high_weight: Mapping[str, int] = field(default_factory=dict)

    def order(self) -> list[str]:
        """Ids in the order in which the jobs will start, if no other job comes and none ends before."""
        queues: dict[str, list[WaitingJob]] = {}
        for job in sorted(self.waiting, key=lambda job: (-job.priority, job.created_at, job.id), reverse=True):
            queues.setdefault(job.tenant, []).append(job)
        running, last = dict(self.running), dict(self.last_start)

        def key(tenant: str) -> tuple[float, float, int, float, str, str]:
            head = queues[tenant][-1]
            weight = self.high_weight.get(tenant, NO_HIGH_WEIGHT) if head.priority >= HIGH_PRIORITY else 1
            share = running.get(tenant, 0) / weight
            return share, last.get(tenant, 0.0), -head.priority, head.created_at, head.id, tenant

        keys = [key(tenant) for tenant in queues]
        heapq.heapify(keys)
        clock, order = max(last.values(), default=0.0), []
        while keys:
            tenant = heapq.heappop(keys)[-1]
            order.append(queues[tenant].pop().id)
            clock += 1.0
            running[tenant] = running.get(tenant, 0) + 1
            last[tenant] = clock
            if queues[tenant]:
                heapq.heappush(keys, key(tenant))
        return order

    def eta_seconds(self, position: int) -> float | None:
        """Time until a job with ``position`` jobs ahead is done; ``None`` while no run has finished yet."""
        if self.mean_seconds is None:
            return None
        running = max(sum(self.running.values()), 1)
        return self.mean_seconds * (1 + (position + 0.5) / running)


def claim_order(dialect_name: str) -> list[sa.ColumnElement[Any]]:
    """The rule as ORDER BY for :func:`headshots.leases.claim`; jobs to cancel come first, as they take a moment."""
    other = training_jobs.alias("other")
    now = now_expression(dialect_name)
    running = (
        sa.select(sa.func.count())
        .select_from(other)
        .where(other.c.tenant == training_jobs.c.tenant, other.c.state == RUNNING, other.c.lease_expires_at >= now)
        .scalar_subquery()
    )
    last_start = (
        sa.select(sa.func.coalesce(sa.func.max(other.c.started_at), 0.0))
        .where(other.c.tenant == training_jobs.c.tenant)
        .scalar_subquery()
    )
    high_weight = (
        sa.select(sa.func.coalesce(sa.func.max(tenants.c.high_weight), NO_HIGH_WEIGHT))
        .where(tenants.c.id == training_jobs.c.tenant)
        .scalar_subquery()
    )
    # Of a tenant with both, the high-priority jobs come first by this alone, so it need not be asked which it has.
    weight = sa.case((training_jobs.c.priority >= HIGH_PRIORITY, high_weight), else_=1)
    job = training_jobs.c
    return [job.cancel_requested.desc(), running * 1.0 / weight, last_start, job.priority.desc(), job.created_at]


def claimable_now(dialect_name: str) -> sa.ColumnElement[bool]:
    """Excludes jobs whose back-off has not ended."""
    return leases.is_past(training_jobs.c.not_before, now_expression(dialect_name))


def is_for(foundation_digest: str) -> sa.ColumnElement[bool]:
    """Excludes jobs of trainers with another foundation."""
    return training_jobs.c.foundation_digest.in_((foundation_digest, ""))


def read_queue(engine: Engine, foundation_digest: str = "") -> Queue:
    """The queue of a foundation's trainers as it is now. A tenant's running jobs count, whoever runs them."""
    job = training_jobs.c
    with read(engine) as connection:
        now = now_expression(connection.dialect.name)
        waiting = connection.execute(
            sa.select(job.id, job.tenant, job.priority, job.created_at).where(
                job.state == PENDING, is_for(foundation_digest)
            )
        ).all()
        running = connection.execute(
            sa.select(job.tenant, sa.func.count())
            .where(job.state == RUNNING, job.lease_expires_at >= now)
            .group_by(job.tenant)
        ).all()
        last_start = connection.execute(
            sa.select(job.tenant, sa.func.max(job.started_at))
            .where(job.started_at.is_not(None), job.tenant.in_({row.tenant for row in waiting}))
            .group_by(job.tenant)
        ).all()
        high_weight = connection.execute(
            sa.select(tenants.c.id, tenants.c.high_weight).where(tenants.c.id.in_({row.tenant for row in waiting}))
        ).all()
        recent = connection.execute(
            sa.select(job.ended_at - job.started_at)
            .where(job.state == SUCCEEDED)
            .order_by(job.ended_at.desc())
            .limit(_RECENT_RUNS)
        ).scalars().all()  # fmt: skip
    return Queue(
        waiting=[WaitingJob(*row) for row in waiting],
        running={row[0]: row[1] for row in running},
        last_start={row[0]: row[1] for row in last_start},
        mean_seconds=sum(recent) / len(recent) if recent else None,
        high_weight={row[0]: row[1] for row in high_weight},
    )
