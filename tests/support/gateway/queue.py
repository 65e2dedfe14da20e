"""Orders, claims and ends shots on a database alone, without a gateway."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import keys, schema
from headshots.acceptance.profiles import PROFILE_WORTHY
from headshots.acceptance.verdict import Acceptance, Check, Verdict
from headshots.database import database_now, read, write
from headshots.keys.tenants import MAX_HIGH_LIMIT
from headshots.styles.library import StyleLibrary
from services.gateway.api.requests import IdempotencyKey
from services.gateway.galleries import shots
from services.gateway.galleries.claiming import claim
from services.gateway.galleries.creating import create_gallery
from services.gateway.galleries.images.tries import Judgement
from services.gateway.galleries.models import GalleryOrder
from services.gateway.galleries.queue.shot import Shot
from services.gateway.peers.events import ImageDone
from services.gateway.peers.models import PRIORITY_STANDARD, Adapter, TrainingJob, TrainingOptions, TrainingRequest
from services.gateway.settings import default_styles
from services.gateway.subjects.rows import create_subject
from tests.support.consents import GIVEN

LIBRARY = StyleLibrary.load(default_styles())
ADAPTER = Adapter("ab" * 32, "a/adapter.safetensors", "cd" * 32, 4, "ohwx", 9, "", "")
IMAGE = ImageDone("key", "ab" * 32, 1, "image/png", 8, 8)


def judgement(acceptance: Acceptance, *, likeness: float | None = None) -> Judgement:
    """A judgement with this outcome, which no view tells from others."""
    check = Check("NOT_ALIKE", acceptance is Acceptance.ACCEPTED, 1.0, 2.0, "")
    return Judgement(Verdict(acceptance, "profile-worthy", 1, "", (check,)), likeness)


ACCEPTED, REFUSED = judgement(Acceptance.ACCEPTED), judgement(Acceptance.REFUSED)


def trained_subject(engine: Engine, tenant: str) -> str:
    """The id of a new subject with an adapter."""
    keys.create_tenant(engine, tenant)
    subject = create_subject(engine, tenant, display_name="", class_noun="", key=IdempotencyKey(), consent=GIVEN).id
    with write(engine) as connection:
        connection.execute(
            sa.insert(schema.trainings).values(
                id=f"training-{subject}",
                subject_id=subject,
                tenant_id=tenant,
                state=schema.SUCCEEDED,
                request=TrainingRequest(f"training-{subject}", tenant, (), "", "", TrainingOptions(), 1).to_json(),
                job=TrainingJob(schema.SUCCEEDED, adapter=ADAPTER).to_json(),
                created_at=0.0,
                ended_at=0.0,
            )
        )
    return subject


def granted_subject(engine: Engine, tenant: str, *, weight: int = 4) -> str:
    """The same, of a tenant that may ask for high priority, for as much as any may at a time."""
    subject = trained_subject(engine, tenant)
    keys.grant_high(engine, tenant, weight, MAX_HIGH_LIMIT)
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
    """Orders a gallery of `count` shots; its id."""
    let_time_pass(engine)
    gallery_order = GalleryOrder(("studio-navy-suit",), shots_per_style=count, priority=priority)
    recipes = [LIBRARY.get(style) for style in gallery_order.styles]
    made = create_gallery(
        engine, tenant, subject, gallery_order, recipes, PROFILE_WORTHY, key=IdempotencyKey(), validate_only=False
    )
    return made.id


def take(engine: Engine, owner: str = "test", *, has_others: bool = False) -> Shot:
    """Claims the next shot, of which there has to be one."""
    let_time_pass(engine)
    shot = claim(engine, owner=owner, ttl_seconds=60.0, has_others=has_others)
    assert shot is not None
    return shot


def finish(engine: Engine, shot: Shot) -> None:
    """Records an image."""
    shots.record_try(engine, shot, IMAGE, prompt="", seconds=0.0, judgement=ACCEPTED)


def expire(engine: Engine) -> None:
    """Makes the leases of all shots run out."""
    with write(engine) as connection:
        connection.execute(sa.update(schema.shots).values(lease_expires_at=0.0))
