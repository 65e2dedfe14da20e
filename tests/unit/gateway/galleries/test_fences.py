"""A worker that lost a shot to another cannot write to it any more, whatever it writes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import schema
from headshots.database import read
from headshots.leases import LeaseLostError
from services.gateway.galleries import shots
from services.gateway.galleries.queue.shot import Shot
from services.gateway.galleries.rows import delete_of_subject
from services.gateway.peers.models import Failure
from tests.support.gateway.queue import ACCEPTED, IMAGE, REFUSED, expire, finish, order, take, trained_subject

Write = Callable[[Engine, Shot], Any]

WRITES: dict[str, Write] = {
    "record_try": partial(shots.record_try, image=IMAGE, prompt="late", seconds=1.0, judgement=ACCEPTED),
    "record_try refused": partial(shots.record_try, image=IMAGE, prompt="late", seconds=1.0, judgement=REFUSED),
    "fail": partial(shots.fail, failure=Failure("INTERNAL", "late")),
    "cancel": shots.cancel,
    "requeue": partial(shots.requeue, counts=True, after_seconds=1.0, status_message="late"),
    "requeue uncounted": partial(shots.requeue, counts=False, after_seconds=1.0, status_message="late"),
    "renew": partial(shots.renew, ttl_seconds=600.0),
}
ENDS: dict[str, Write] = {
    "running": lambda engine, shot: None,
    "succeeded": finish,
    "failed": WRITES["fail"],
    "waiting": WRITES["requeue"],
}


def everything(engine: Engine) -> list[list[Any]]:
    with read(engine) as connection:
        return [list(connection.execute(sa.select(table))) for table in (schema.shots, schema.galleries)]


def test_every_write_of_a_shot_is_among_the_rows() -> None:
    """A new function that takes a claimed shot needs a row here."""
    public = (value for name, value in vars(shots).items() if not name.startswith("_") and callable(value))
    mine = (value for value in public if getattr(value, "__module__", "") == shots.__name__)
    assert {value.__name__ for value in mine if "shot" in inspect.signature(value).parameters} == {
        name.split()[0] for name in WRITES
    }


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_after_another_has_claimed_it_an_old_write_changes_nothing(engine: Engine, write: Write, end: Write) -> None:
    order(engine, "acme", trained_subject(engine, "acme"), 2)
    old = take(engine, "first")
    expire(engine)
    # The other shot, which nobody was lost with, comes first; with it the gallery goes on whatever this one does.
    take(engine, "bystander")
    new = take(engine, "second")
    assert (new.lease.id, new.lease.attempt) == (old.lease.id, 2)
    end(engine, new)
    before = everything(engine)
    with pytest.raises(LeaseLostError):
        write(engine, old)
    assert everything(engine) == before


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_the_holder_may_write_though_its_lease_ran_out_as_long_as_nobody_took_it(engine: Engine, write: Write) -> None:
    """Without this the test above would pass for a write that is refused for another reason."""
    order(engine, "acme", trained_subject(engine, "acme"), 2)
    shot = take(engine, "first")
    expire(engine)
    before = everything(engine)
    write(engine, shot)
    assert everything(engine) != before


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_after_the_gallery_was_erased_an_old_write_is_told_that_it_lost_the_shot(engine: Engine, write: Write) -> None:
    order(engine, "acme", trained_subject(engine, "acme"), 1)
    old = take(engine, "first")
    expire(engine)
    finish(engine, take(engine, "second"))
    with engine.begin() as connection:
        delete_of_subject(connection, old.subject_id)
    with pytest.raises(LeaseLostError):
        write(engine, old)
