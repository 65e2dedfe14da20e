"""Records under the fence how claimed shots go on and end; `claiming` claims them. Blocking SQL."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from headshots import leases
from headshots.acceptance.gate import against_accepted
from headshots.acceptance.verdict import Acceptance
from headshots.database import now_expression, write
from headshots.leases import LeaseLostError
from headshots.schema import CANCELLED, FAILED, PENDING, RUNNING, SUCCEEDED, shots
from services.gateway.api.names import image_name
from services.gateway.audit.models import Action
from services.gateway.audit.recording import record
from services.gateway.erasures.commitments import commit
from services.gateway.erasures.models import StoreClass
from services.gateway.galleries.images.tries import (
    Judgement,
    Recorded,
    Try,
    ended_with,
    failure_columns,
    from_column,
)
from services.gateway.galleries.limits import SEEDS
from services.gateway.galleries.queue.locking import delivered_together, lock, lock_delivered_together
from services.gateway.galleries.queue.shot import Shot
from services.gateway.galleries.remix import is_change
from services.gateway.galleries.state import update_state
from services.gateway.marks.rows import record_mark
from services.gateway.peers.events import ImageDone
from services.gateway.peers.models import Failure


def renew(engine: Engine, shot: Shot, *, ttl_seconds: float) -> bool:
    """Extends the lease; whether the shot is to be cancelled. Raises as `leases.renew`."""
    return leases.renew(engine, shots, shot.lease, ttl_seconds=ttl_seconds)


def record_try(
    engine: Engine, shot: Shot, image: ImageDone, *, prompt: str, seconds: float, judgement: Judgement
) -> Recorded:
    """Records an image: the shot ends, or goes back to the queue with the next seed where the image is refused.

    Under the locks of all galleries whose images it is compared with, so that of two near-duplicates that are finished
    at once only one is accepted.

    Raises:
        LeaseLostError: another worker has the shot.
    """
    with write(engine) as connection:
        if not lock_delivered_together(connection, shot.subject_id, shot.gallery_id):
            raise LeaseLostError(shot.lease)
        document = {**dataclasses.asdict(image), "prompt": prompt, "seconds": seconds, "likeness": judgement.likeness}
        final = _against_accepted(connection, shot, judgement)
        # Of an image that is not cut its verdict tells.
        document.pop("frame_missed")
        if mark_id := document.pop("mark_id"):
            record_mark(connection, mark_id, shot.tenant_id, shot.subject_id, image.key)
        tries = [*_earlier_tries(connection, shot), Try(shot.seed, document.pop("key"), document, final)]
        goes_on = tries[-1].is_refused and _has_another_try(connection, shot)
        values = _next_try(shot, tries) if goes_on else ended_with(tries)
        leases.update_in(connection, shots, shot.lease, tries=shot.tries + 1, **values)
        update_state(connection, shot.gallery_id)
        name = image_name(shot.subject_id, shot.gallery_id, shot.number)
        record(connection, shot.tenant_id, shot.subject_id, Action.PAINTED, name)
        commit(connection, shot.subject_id, StoreClass.IMAGES, image.key, image.sha256, image.size_bytes)
    return Recorded(final, is_last=not goes_on, has_image=values["state"] == SUCCEEDED)


def _earlier_tries(connection: Connection, shot: Shot) -> list[Try]:
    if not shot.tries:
        return []
    return from_column(connection.execute(sa.select(shots.c.refused_tries).where(shots.c.id == shot.lease.id)).scalar())


def _has_another_try(connection: Connection, shot: Shot) -> bool:
    """Whether a try is left to a shot that is not cancelled and whose last one is not recorded yet.

    Under the gallery's lock.

    Every shot that has not ended has one coming, which counts already: so no other loses what it was promised.
    """
    if shot.tries + 1 >= shot.most_tries:
        return False
    asked = sa.select(shots.c.cancel_requested).where(shots.c.id == shot.lease.id)
    if connection.execute(asked).scalar_one():
        return False
    coming = sa.func.sum(sa.case((shots.c.state.in_((PENDING, RUNNING)), 1), else_=0))
    query = sa.select(sa.func.sum(shots.c.tries) + coming).where(shots.c.gallery_id == shot.gallery_id)
    return int(connection.execute(query).scalar_one()) < shot.budget


def _against_accepted(connection: Connection, shot: Shot, judgement: Judgement) -> Judgement:
    if judgement.view is None or is_change(shot.remix):  # images of one change are meant to be alike
        return judgement
    # Anew, under the locks: another may have been made, and an image of it accepted, while they were waited for.
    together = shots.c.gallery_id.in_(delivered_together(connection, shot.subject_id, shot.gallery_id))
    accepted = sa.and_(together, shots.c.acceptance == Acceptance.ACCEPTED.value)
    judged = connection.execute(sa.select(shots.c.judged).where(accepted)).scalars()
    before = [known.view for each in judged if (known := Judgement.from_json(each)) is not None and known.view]
    verdict = against_accepted(judgement.verdict, judgement.view, before, shot.profile.limits)
    return dataclasses.replace(judgement, verdict=verdict)


def _next_try(shot: Shot, tries: Sequence[Try]) -> dict[str, Any]:
    """The next seed; attempts and losses are counted anew, as they are evidence against one image alone."""
    return {
        "state": PENDING,
        "seed": (shot.seed + shot.seed_step) % SEEDS,
        "refused_tries": [each.to_json() for each in tries],
        "earlier_attempts": shot.lease.attempt,
        "uncounted_attempts": 0,
        "lost_workers": 0,
        "lone_losses": 0,
        "lost_alone_by": None,
    }


def fail(engine: Engine, shot: Shot, failure: Failure) -> None:
    """Records that no further attempt is made; a shot with earlier tries ends with the best of them.

    Raises as `record_try`.
    """
    with write(engine) as connection:
        _lock_gallery(connection, shot)
        column = connection.execute(sa.select(shots.c.refused_tries).where(shots.c.id == shot.lease.id)).scalar()
        values: dict[str, Any] = {"state": FAILED}
        if tries := from_column(column):
            values = ended_with(tries)
        leases.update_in(connection, shots, shot.lease, **{**values, **failure_columns(failure)})
        update_state(connection, shot.gallery_id)


def cancel(engine: Engine, shot: Shot) -> None:
    """Records that the shot was stopped because its gallery is cancelled. Raises as `record_try`."""
    with write(engine) as connection:
        _lock_gallery(connection, shot)
        leases.update_in(connection, shots, shot.lease, state=CANCELLED)
        update_state(connection, shot.gallery_id)


def requeue(engine: Engine, shot: Shot, *, counts: bool, after_seconds: float, status_message: str = "") -> None:
    """Puts the shot back into the queue, to be claimed after `after_seconds`. Raises as `record_try`.

    Where the gallery is cancelled the shot ends as cancelled instead: no worker would see that of a waiting row.
    """
    with write(engine) as connection:
        _lock_gallery(connection, shot)
        asked = sa.select(shots.c.cancel_requested).where(shots.c.id == shot.lease.id)
        cancelled = connection.execute(asked).scalar_one()
        values: dict[str, Any] = {"state": CANCELLED}
        if not cancelled:
            values = {
                "state": PENDING,
                "not_before": now_expression(connection.dialect.name) + leases.pause_seconds(after_seconds),
                "uncounted_attempts": shot.uncounted_attempts + (0 if counts else 1),
            }
        leases.update_in(connection, shots, shot.lease, **values)
        update_state(connection, shot.gallery_id, status_message="" if cancelled else status_message)


def end_pauses(engine: Engine) -> None:
    """Makes claimable now what no generator took. Raises UnavailableError (DATABASE_UNAVAILABLE)."""
    with write(engine) as connection:
        waits = (shots.c.state == PENDING, shots.c.uncounted_attempts > 0, shots.c.not_before > 0)
        connection.execute(sa.update(shots).where(*waits).values(not_before=0.0))


def _lock_gallery(connection: Connection, shot: Shot) -> None:
    """Raises LeaseLostError where it is erased: another worker ended the shot before."""
    if not lock(connection, {shot.gallery_id}):
        raise LeaseLostError(shot.lease)
