"""The photos of a stream are stored all or none, also when the store fails or streams race."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from obstore.store import MemoryStore
from sqlalchemy.engine import Engine

from headshots import keys, schema
from headshots.artifacts import ArtifactStore
from headshots.database import open_database
from headshots.errors import AlreadyExistsError, UnavailableError
from services.gateway.api.requests import IdempotencyKey
from services.gateway.photos.storing import photo_key, store_photos
from services.gateway.photos.uploads import SpooledPhoto
from services.gateway.subjects.rows import create_subject
from tests.support.consents import GIVEN
from tests.support.deploy.tables import make_tables


class FailingStore(ArtifactStore):
    """Fails from the n-th put on."""

    def __init__(self, good_puts: int) -> None:
        super().__init__(MemoryStore())
        self.good_puts = good_puts

    def put_sync(self, key: str, data: bytes) -> None:
        if self.good_puts == 0:
            raise UnavailableError("OBJECT_STORE_UNAVAILABLE", "the disk is full")
        self.good_puts -= 1
        super().put_sync(key, data)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'headshots.db'}")
    make_tables(engine)
    keys.create_tenant(engine, "acme")
    yield engine
    engine.dispose()


@pytest.fixture
def subject(engine: Engine) -> str:
    return create_subject(engine, "acme", display_name="", class_noun="", key=IdempotencyKey(), consent=GIVEN).id


def spooled(folder: Path, *contents: str) -> list[SpooledPhoto]:
    photos = []
    for number, content in enumerate(contents):
        path = folder / f"{content}.png"
        path.write_text(content)
        png_sha256 = hashlib.sha256(content.encode()).hexdigest()
        photos.append(SpooledPhoto(number, "", 5, f"up-{content}", png_sha256, 64, 64, path))
    return photos


def stored_keys(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(sa.select(schema.photos.c.key)).scalars())


def test_a_store_that_fails_in_the_middle_leaves_nothing(engine: Engine, subject: str, tmp_path: Path) -> None:
    store = FailingStore(2)
    with pytest.raises(UnavailableError, match="the disk is full"):
        store_photos(engine, store, "acme", subject, spooled(tmp_path, "a", "b", "c"))
    assert store.list_sync("tenants") == []
    assert stored_keys(engine) == []
    store.good_puts = 3
    assert len(store_photos(engine, store, "acme", subject, spooled(tmp_path, "a", "b", "c"))) == 3
    assert store.list_sync("tenants") == sorted(stored_keys(engine))


def test_a_failing_stream_removes_no_object_of_another(engine: Engine, subject: str, tmp_path: Path) -> None:
    store = FailingStore(1)
    store_photos(engine, store, "acme", subject, spooled(tmp_path, "a"))
    before = store.list_sync("tenants")
    store.good_puts = 1
    with pytest.raises(UnavailableError):
        store_photos(engine, store, "acme", subject, spooled(tmp_path, "b", "c"))
    assert store.list_sync("tenants") == before == [photo_key("acme", subject, hashlib.sha256(b"a").hexdigest())]


def test_of_streams_with_the_same_picture_one_wins(engine: Engine, subject: str, tmp_path: Path) -> None:
    store = ArtifactStore(MemoryStore())
    outcomes: list[str] = []

    def send(other: str) -> None:
        try:
            store_photos(engine, store, "acme", subject, spooled(tmp_path, other, "same"))
        except AlreadyExistsError as error:
            outcomes.append(error.reason)
        else:
            outcomes.append("stored")

    threads = [threading.Thread(target=send, args=(other,)) for other in ("a", "b", "c", "d")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["PHOTO_DUPLICATE"] * 3 + ["stored"]
    assert store.list_sync("tenants") == sorted(stored_keys(engine))
    assert len(stored_keys(engine)) == 2
