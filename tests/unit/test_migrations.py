"""Migrations that meet rows: what was there before is read as it was meant."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.engine import Engine

from headshots.database import database_now, migrate, open_database, read, write
from headshots.keys import list_tenants
from services.gateway.api.labels import NO_LABELS, Labelling, LabellingChange
from services.gateway.galleries.claiming import claim
from services.gateway.galleries.images.labelling import label_image
from services.gateway.galleries.rows import get_gallery
from services.gateway.peers.pools.openness import Openness
from services.gateway.photos.rows import label_photo, list_photos
from services.gateway.tenants.rows import change_policy, rights_of
from tests.support.gateway.queue import ADAPTER, LIBRARY

_BEFORE_JUDGING, _BEFORE_LABELS_OF_FILES, _BEFORE_CONSENTS = "0006", "0010", "0011"
_BEFORE_RETENTION, _BEFORE_RIGHTS, _BEFORE_POOLS = "0012", "0018", "0020"


def migrate_to(engine: Engine, revision: str, step: Callable[[Config, str], None] = command.upgrade) -> None:
    config = Config()
    config.set_main_option("script_location", "headshots:migrations")
    config.set_main_option("path_separator", "os")
    with write(engine) as connection:
        config.attributes["connection"] = connection
        step(config, revision)


def insert(engine: Engine, table: str, **values: object) -> None:
    """A row of the schema as it is in the database, whatever the code's tables have by now."""
    with write(engine) as connection:
        reflected = sa.Table(table, sa.MetaData(), autoload_with=connection)
        connection.execute(sa.insert(reflected).values(**values))


def insert_old_gallery(engine: Engine) -> None:
    """Two styles of two shots: one is painted, three wait."""
    insert(engine, "tenants", id="acme", display_name="", last_shot_at=0.0, high_weight=1, created_at=0.0)
    insert(
        engine, "subjects", id="s", tenant_id="acme", display_name="", class_noun="man", deleting=False, created_at=0
    )
    gallery = {"id": "g", "subject_id": "s", "tenant_id": "acme", "state": "running", "revision": 0}
    recipes = [LIBRARY.get(name).to_json() for name in ("studio-navy-suit", "clinic-lab-coat")]
    kept = {"styles": recipes, "shots_per_style": 2, "seed": 5, "priority": 1, "format": 1, "quality": 0}
    more = {"adapter": vars(ADAPTER), "note": "", "created_at": 0.0, "cancel_requested": False}
    insert(engine, "galleries", **gallery, **kept, **more)
    image = {"sha256": "ab" * 32, "size_bytes": 1, "content_type": "image/png", "width_px": 8, "height_px": 8}
    for number in range(4):
        painted = {"state": "succeeded", "image_key": "key", "image": {**image, "prompt": "", "seconds": 1.0}}
        numbers = dict.fromkeys(("attempt", "revision", "uncounted_attempts", "lost_workers", "lone_losses"), 0)
        insert(
            engine,
            "shots",
            id=f"g-{number}",
            gallery_id="g",
            number=number,
            style=recipes[number // 2]["name"],
            seed=5 + number % 2,
            cancel_requested=False,
            in_company=False,
            not_before=0.0,
            **numbers,
            **(painted if number == 0 else {"state": "pending"}),
        )


def test_a_gallery_of_before_images_were_judged_keeps_its_image_and_goes_on(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    migrate_to(engine, _BEFORE_JUDGING)
    insert_old_gallery(engine)
    migrate(engine)
    gallery = get_gallery(engine, "acme", "s", "g")
    assert (gallery.style_shots, gallery.shots_per_style, gallery.total_shots) == ((2, 2), 2, 4)
    assert (gallery.tries, gallery.completed_shots, gallery.accepted_shots) == (1, 1, 0)
    assert (gallery.max_tries, gallery.profile, gallery.guarantee) == (1, None, None)
    assert (gallery.style_seeds, gallery.seed) == ("same", 5)
    [image] = gallery.images
    assert (image.seed, image.tries, image.judgement, image.likeness) == (5, 1, None, None)
    shot = claim(engine, owner="new", ttl_seconds=60.0)
    assert shot is not None
    assert (shot.number, shot.recipe.name, shot.profile.name) == (1, "studio-navy-suit", "profile-worthy")
    assert (shot.tries, shot.most_tries, shot.counted_attempts) == (0, 1, 1)
    engine.dispose()


def test_photos_and_images_of_before_labels_have_none_and_are_changed_as_any(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    migrate_to(engine, _BEFORE_JUDGING)
    insert_old_gallery(engine)
    migrate_to(engine, _BEFORE_LABELS_OF_FILES)
    numbers = dict.fromkeys(("size_bytes", "width_px", "height_px", "position", "created_at"), 1)
    names = {"sha256": "ab" * 32, "key": "key", "object_sha256": "cd" * 32, "filename": ""}
    insert(engine, "photos", subject_id="s", **names, **numbers)
    migrate(engine)
    [photo], _ = list_photos(engine, "acme", "s", NO_LABELS, 10, "")
    [image] = get_gallery(engine, "acme", "s", "g").images
    assert (photo.labelling, image.labelling) == (NO_LABELS, NO_LABELS)
    wanted, change = Labelling({"order": "1"}), LabellingChange({"order": "1"})
    label_photo(engine, "acme", "s", "ab" * 16, change)
    assert label_image(engine, "acme", "s", "g", image.number, change).labelling == wanted
    assert len(list_photos(engine, "acme", "s", wanted, 10, "")[0]) == 1
    migrate_to(engine, _BEFORE_LABELS_OF_FILES, command.downgrade)
    with read(engine) as connection:
        for table in ("photos", "shots"):
            assert "labels" not in {column["name"] for column in sa.inspect(connection).get_columns(table)}
    engine.dispose()


def test_the_migration_to_judging_can_be_taken_back(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    migrate_to(engine, _BEFORE_JUDGING)
    insert_old_gallery(engine)
    migrate(engine)
    migrate_to(engine, _BEFORE_JUDGING, command.downgrade)
    with read(engine) as connection:
        assert "profiles" not in sa.inspect(connection).get_table_names()
        columns = {column["name"] for column in sa.inspect(connection).get_columns("shots")}
        assert {"tries", "judged", "acceptance"} & columns == set()
        assert connection.execute(sa.text("SELECT COUNT(*) FROM shots")).scalar() == 4
    engine.dispose()


def test_a_gallery_of_before_pools_is_painted_by_the_pool_of_its_adapters_foundation(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    migrate_to(engine, _BEFORE_JUDGING)
    insert_old_gallery(engine)
    migrate(engine)
    other, own = "e1" * 32, ADAPTER.foundation_digest
    assert claim(engine, owner="a", ttl_seconds=60.0, openness=Openness(frozenset({other}), others=False)) is None
    assert (
        claim(engine, owner="a", ttl_seconds=60.0, openness=Openness(frozenset({own, other}), frozenset({own}))) is None
    )
    assert claim(engine, owner="a", ttl_seconds=60.0, openness=Openness(frozenset({own}), others=False)) is not None
    migrate_to(engine, _BEFORE_POOLS, command.downgrade)
    with read(engine) as connection:
        assert "pools" not in sa.inspect(connection).get_table_names()
    engine.dispose()


def test_tenants_of_before_consents_need_them_too(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    migrate_to(engine, _BEFORE_CONSENTS)
    insert(engine, "tenants", id="acme", display_name="", last_shot_at=0.0, high_weight=1, created_at=0.0)
    migrate(engine)
    assert [tenant.consent_required for tenant in list_tenants(engine)] == [True]
    migrate_to(engine, _BEFORE_CONSENTS, command.downgrade)
    with read(engine) as connection:
        assert "consents" not in sa.inspect(connection).get_table_names()
    engine.dispose()


def test_tenants_and_galleries_of_before_rights_say_nothing_of_them(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    migrate_to(engine, _BEFORE_RIGHTS)
    insert(engine, "tenants", id="acme", display_name="", last_shot_at=0.0, high_weight=1, created_at=0.0)
    migrate(engine)
    with read(engine) as connection:
        assert rights_of(connection, "acme") is None
    changed = change_policy(engine, "acme", {"rights_owner": "Ada", "prompts_in_images": True})
    assert (changed.rights_owner, changed.prompts_in_images) == ("Ada", True)
    migrate_to(engine, _BEFORE_RIGHTS, command.downgrade)
    with read(engine) as connection:
        for table, name in (("tenants", "rights_owner"), ("galleries", "rights")):
            assert name not in {column["name"] for column in sa.inspect(connection).get_columns(table)}
    engine.dispose()


def test_subjects_of_before_retention_are_kept_for_thirty_days_from_then_on(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    check_subjects_of_before_retention(engine)
    engine.dispose()


def check_subjects_of_before_retention(engine: Engine) -> None:
    """Runs the migration of an empty database's subjects there and back."""
    migrate_to(engine, _BEFORE_RETENTION)
    insert(engine, "tenants", id="acme", display_name="", last_shot_at=0.0, high_weight=1, created_at=0.0)
    for name, deleting in (("kept", False), ("erased", True)):
        values = {"id": name, "deleting": deleting, "tenant_id": "acme", "display_name": "", "class_noun": "man"}
        insert(engine, "subjects", **values, created_at=0.0)
    migrate(engine)
    with read(engine) as connection:
        now = database_now(connection)
        rows = connection.execute(sa.text("SELECT id, state, expires_at FROM retentions")).all()
    assert [(row.id, row.state) for row in rows] == [("kept", "pending")]
    assert 0 <= now + 30 * 86400 - rows[0].expires_at < 3600
    assert [tenant.retention_seconds for tenant in list_tenants(engine)] == [30 * 86400]
    migrate_to(engine, _BEFORE_RETENTION, command.downgrade)
    with read(engine) as connection:
        assert "retentions" not in sa.inspect(connection).get_table_names()
