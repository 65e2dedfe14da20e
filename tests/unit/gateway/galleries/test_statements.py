"""A shot takes few statements, as each is a message to the database, and those few do all that is to be done."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Engine

from headshots import schema
from headshots.database import read, write
from services.gateway.galleries import claiming
from services.gateway.galleries.images.rows import find_images
from services.gateway.galleries.rows import request_cancel
from services.gateway.subjects.rows import get_subject
from tests.support.gateway.queue import finish, order, take, trained_subject


@contextlib.contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """What is sent in the block, without what begins and ends transactions."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_others: Any) -> None:
        if not statement.startswith("BEGIN"):
            sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


def claimed(engine: Engine, **named: Any) -> Any:
    return claiming.claim(engine, owner="test", ttl_seconds=60.0, **named)


def test_a_shot_takes_few_statements(engine: Engine) -> None:
    subject = trained_subject(engine, "acme")
    order(engine, "acme", subject, 4)
    finish(engine, take(engine))
    with statements(engine) as sent:
        shot = claimed(engine)
    assert [one.split()[0] for one in sent] == ["SELECT", "UPDATE", "SELECT", "UPDATE"]
    with statements(engine) as sent:
        finish(engine, shot)
    assert [one.split()[0] for one in sent] == ["SELECT", "UPDATE", "UPDATE", "INSERT", "INSERT"]
    with statements(engine) as sent:
        get_subject(engine, "acme", subject)
    assert [one.split()[0] for one in sent] == ["SELECT"]


def test_a_gallery_starts_with_its_first_shot_whoever_cancels_it_meanwhile(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = trained_subject(engine, "acme")
    started = order(engine, "acme", subject, 2)
    assert [claimed(engine).starts_gallery for _ in range(2)] == [True, False]
    cancelled = order(engine, "acme", subject, 2)
    start = claiming._start_gallery

    def after_a_cancel(of: Engine, gallery_id: str) -> bool:
        request_cancel(of, "acme", subject, gallery_id)
        return start(of, gallery_id)

    monkeypatch.setattr(claiming, "_start_gallery", after_a_cancel)
    # A lock of the shot that is claimed, held until the gallery is started, would have the cancel wait for good.
    shot = claimed(engine)
    assert (shot.gallery_id, shot.starts_gallery) == (cancelled, True)
    with read(engine) as connection:
        rows = connection.execute(sa.select(schema.galleries.c.id, schema.galleries.c.state)).all()
        asked = connection.execute(sa.select(schema.shots.c.cancel_requested).where(schema.shots.c.id == shot.lease.id))
        assert asked.scalar_one()
    assert {row.id: row.state for row in rows} == {started: "running", cancelled: "running"}


def test_images_that_are_known_are_left_out(engine: Engine) -> None:
    gallery = order(engine, "acme", trained_subject(engine, "acme"), 6)
    for _ in range(5):
        finish(engine, take(engine))
    with write(engine) as connection:
        connection.execute(sa.update(schema.shots).values(image_key="key"))

    def unknown(*known: int) -> list[int]:
        with read(engine) as connection:
            return [image.number for image in find_images(connection, gallery, frozenset(known))]

    assert unknown() == [0, 1, 2, 3, 4]
    assert unknown(0, 1) == [2, 3, 4]
    assert unknown(0, 1, 3) == [2, 4]
    assert unknown(1, 4) == [0, 2, 3]
    assert unknown(0, 1, 2, 3, 4) == []
