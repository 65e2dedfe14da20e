"""Records under the fence how claimed shots go on and end; `claiming` claims them. Blocking SQL."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from headshots import leases
from headshots.database import now_expression, write
from headshots.leases import Lease, LeaseLostError
from headshots.schema import CANCELLED, FAILED, PENDING, SUCCEEDED, galleries, shots
from headshots.styles.recipe import Style
from services.gateway.galleries.limits import ALONE_AFTER_LOSSES, MAX_LONE_LOSSES
from services.gateway.galleries.remix import Remix
from services.gateway.galleries.state import update_state
from services.gateway.peers.models import Adapter, Failure, ImageDone


@dataclass(frozen=True)
class Shot:
    """A claimed shot with everything that is needed to paint it."""

    lease: Lease
    gallery_id: str
    subject_id: str
    tenant_id: str
    number: int
    seed: int
    counted_attempts: int
    """Claims so far, this one included, without the uncounted ones."""
    uncounted_attempts: int
    """Claims that ended because the generator was away or full, or because the gateway drained or was lost."""
    lost_workers: int
    """Workers that were lost while they held it."""
    lone_losses: int
    """Of these, how many different ones held nothing else."""
    cancel_requested: bool
    recipe: Style
    adapter: Adapter
    class_noun: str
    image_format: int
    quality: int
    priority: int
    remix: Remix | None

    @property
    def needs_to_be_alone(self) -> bool:
        """Whether its worker may hold no other shot, so that it is known what a further loss is due to."""
        return self.lost_workers >= ALONE_AFTER_LOSSES

    @property
    def ends_workers(self) -> bool:
        """Whether so many workers were lost with it and nothing else that it must be the cause."""
        return self.lone_losses >= MAX_LONE_LOSSES


def renew(engine: Engine, shot: Shot, *, ttl_seconds: float) -> bool:
    """Extends the lease; whether the shot is to be cancelled. Raises as `leases.renew`."""
    return leases.renew(engine, shots, shot.lease, ttl_seconds=ttl_seconds)


def succeed(
    engine: Engine, shot: Shot, image: ImageDone, *, prompt: str, seconds: float, likeness: float | None = None
) -> None:
    """Records the image.

    Raises:
        LeaseLostError: another worker has the shot.
    """
    document = dataclasses.asdict(image)
    key = document.pop("key")
    _end(
        engine,
        shot,
        state=SUCCEEDED,
        image_key=key,
        image={**document, "prompt": prompt, "seconds": seconds, "likeness": likeness},
        failure_reason=None,
        failure_message=None,
    )


def fail(engine: Engine, shot: Shot, failure: Failure) -> None:
    """Records that no further attempt is made. Raises as `succeed`."""
    _end(engine, shot, state=FAILED, failure_reason=failure.reason, failure_message=failure.message)


def cancel(engine: Engine, shot: Shot) -> None:
    """Records that the shot was stopped because its gallery is cancelled. Raises as `succeed`."""
    _end(engine, shot, state=CANCELLED)


def requeue(engine: Engine, shot: Shot, *, counts: bool, after_seconds: float, status_message: str = "") -> None:
    """Puts the shot back into the queue, to be claimed after `after_seconds`. Raises as `succeed`.

    Where the gallery is cancelled the shot ends as cancelled instead: no worker would see that of a waiting row.
    """
    with write(engine) as connection:
        _lock_gallery(connection, shot)
        cancelled = connection.execute(
            sa.select(shots.c.cancel_requested).where(shots.c.id == shot.lease.id)
        ).scalar_one()
        values: dict[str, Any] = {"state": CANCELLED}
        if not cancelled:
            values = {
                "state": PENDING,
                "not_before": now_expression(connection.dialect.name) + after_seconds,
                "uncounted_attempts": shot.uncounted_attempts + (0 if counts else 1),
            }
        leases.update_in(connection, shots, shot.lease, **values)
        update_state(connection, shot.gallery_id, status_message="" if cancelled else status_message)


def _end(engine: Engine, shot: Shot, **values: Any) -> None:
    """One transaction under the gallery's lock: the fenced write to the shot, then the gallery's own state."""
    with write(engine) as connection:
        _lock_gallery(connection, shot)
        leases.update_in(connection, shots, shot.lease, **values)
        update_state(connection, shot.gallery_id)


def _lock_gallery(connection: Connection, shot: Shot) -> None:
    """Raises LeaseLostError where the gallery is erased: another worker ended the shot before."""
    mine = galleries.c.id == shot.gallery_id
    if connection.execute(sa.select(galleries.c.id).where(mine).with_for_update()).first() is None:
        raise LeaseLostError(shot.lease)
