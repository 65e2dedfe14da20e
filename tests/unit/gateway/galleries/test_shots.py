"""Shots are claimed by fair share between tenants, however many one of them has ordered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import keys, schema
from headshots.database import database_now, migrate, open_database, read, write
from headshots.styles import StyleLibrary
from headshots.v1.jobs_pb2 import PRIORITY_HIGH
from services.gateway.galleries import shots
from services.gateway.galleries.creating import create_gallery
from services.gateway.galleries.models import GalleryOrder
from services.gateway.galleries.shots import Shot
from services.gateway.peers.models import PRIORITY_STANDARD, Adapter, ImageDone, TrainingJob
from services.gateway.settings import default_styles
from services.gateway.subjects.rows import create_subject

LIBRARY = StyleLibrary.load(default_styles())
ADAPTER = Adapter("ab" * 32, "a/adapter.safetensors", "cd" * 32, 4, "ohwx", 9, "", "")
IMAGE = ImageDone("key", "ab" * 32, 1, "image/png", 8, 8)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'headshots.db'}")
    migrate(engine)
    yield engine
    engine.dispose()


def trained_subject(engine: Engine, tenant: str) -> str:
    keys.create_tenant(engine, tenant)
    subject = create_subject(engine, tenant, display_name="", class_noun="", request_id="").id
    with write(engine) as connection:
        connection.execute(
            sa.insert(schema.trainings).values(
                id=f"training-{subject}",
                subject_id=subject,
                tenant_id=tenant,
                state=schema.SUCCEEDED,
                request={},
                job=TrainingJob(schema.SUCCEEDED, adapter=ADAPTER).to_json(),
                created_at=0.0,
                ended_at=0.0,
            )
        )
    return subject


def let_time_pass(engine: Engine) -> None:
    """Waits until the database's clock has moved; SQLite's counts milliseconds."""
    with read(engine) as connection:
        before = database_now(connection)
    while True:
        with read(engine) as connection:
            if database_now(connection) > before:
                return


def order(engine: Engine, tenant: str, subject: str, count: int, priority: int = PRIORITY_STANDARD) -> str:
    let_time_pass(engine)
    gallery_order = GalleryOrder(("studio-navy-suit",), shots_per_style=count, priority=priority)
    return create_gallery(engine, LIBRARY, tenant, subject, gallery_order, request_id="", validate_only=False).id


def take(engine: Engine) -> Shot:
    let_time_pass(engine)
    shot = shots.claim(engine, owner="test", ttl_seconds=60.0)
    assert shot is not None
    return shot


def finish(engine: Engine, shot: Shot) -> None:
    shots.succeed(engine, shot, IMAGE, prompt="", seconds=0.0)


def test_many_earlier_galleries_do_not_hold_up_another_tenants_first(engine: Engine) -> None:
    big, small = trained_subject(engine, "big"), trained_subject(engine, "small")
    for _ in range(5):
        order(engine, "big", big, 4)
    held = [take(engine) for _ in range(4)]
    order(engine, "small", small, 4)
    assert [take(engine).tenant_id for _ in range(4)] == ["small"] * 4
    for shot in held:
        finish(engine, shot)
    # Four of small's run by now, and none of big's.
    assert [take(engine).tenant_id for _ in range(2)] == ["big"] * 2


def test_one_shot_at_a_time_tenants_alternate(engine: Engine) -> None:
    big, small = trained_subject(engine, "big"), trained_subject(engine, "small")
    for _ in range(3):
        order(engine, "big", big, 2)
    order(engine, "small", small, 3)
    served = []
    for _ in range(6):
        shot = take(engine)
        served.append(shot.tenant_id)
        finish(engine, shot)
    assert served in (["big", "small"] * 3, ["small", "big"] * 3)


def test_within_a_tenant_galleries_go_by_priority_then_age_and_shots_by_number(engine: Engine) -> None:
    subject = trained_subject(engine, "acme")
    first, second = order(engine, "acme", subject, 2), order(engine, "acme", subject, 1)
    urgent = order(engine, "acme", subject, 1, PRIORITY_HIGH)
    taken = [take(engine) for _ in range(4)]
    assert [(shot.gallery_id, shot.number) for shot in taken] == [(urgent, 0), (first, 0), (first, 1), (second, 0)]


def test_a_shot_whose_worker_is_lost_does_not_count_as_running(engine: Engine) -> None:
    lost, other = trained_subject(engine, "lost"), trained_subject(engine, "other")
    order(engine, "lost", lost, 1)
    take(engine)
    with write(engine) as connection:
        connection.execute(sa.update(schema.shots).values(lease_expires_at=0.0))
        connection.execute(sa.update(schema.tenants).values(last_shot_at=0.0))
    order(engine, "other", other, 1)
    assert [take(engine).tenant_id for _ in range(2)] == ["lost", "other"]
