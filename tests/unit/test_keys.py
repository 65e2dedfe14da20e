"""API keys: made, listed, revoked, checked; never stored."""

from __future__ import annotations

import stat
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from headshots import keys, schema
from headshots.database import open_database
from headshots.errors import InvalidArgumentError, NotFoundError, UnauthenticatedError
from headshots.keys import rows as key_rows
from tests.support.deploy.tables import make_tables
from tests.support.waiting import PATIENCE_SECONDS


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'headshots.db'}")
    make_tables(engine)
    yield engine
    engine.dispose()


def test_a_key_names_its_tenant(engine: Engine) -> None:
    mine, theirs = keys.create_key(engine, "acme"), keys.create_key(engine, "globex", label="ci")
    assert mine.startswith("hs_")
    assert keys.tenant_of_key(engine, mine) == "acme"
    assert keys.tenant_of_key(engine, theirs) == "globex"
    # Two keys of one millisecond may stand in either order.
    assert sorted((key.tenant_id, key.label) for key in keys.list_keys(engine)) == [("acme", ""), ("globex", "ci")]
    assert [key.tenant_id for key in keys.list_keys(engine, "globex")] == ["globex"]


def test_the_id_of_a_key_can_be_told_from_it(engine: Engine) -> None:
    key = keys.create_key(engine, "acme")
    (known,) = keys.list_keys(engine)
    assert keys.id_of_key(key) == keys.id_of_key(known.id) == known.id


def test_the_database_does_not_hold_the_secret(engine: Engine, tmp_path: Path) -> None:
    key = keys.create_key(engine, "acme")
    secret = key.split("_", 2)[2]
    assert len(secret) == 43, "256 bits"
    engine.dispose()
    assert not any(secret.encode() in path.read_bytes() for path in tmp_path.iterdir())


@pytest.mark.parametrize(
    "spoil", [str.upper, lambda key: key[:-1], lambda key: key[3:], lambda key: "hs_x_y", lambda _: ""]
)
def test_wrong_keys_are_refused_alike(engine: Engine, spoil: object) -> None:
    key = keys.create_key(engine, "acme")
    with pytest.raises(UnauthenticatedError) as caught:
        keys.tenant_of_key(engine, spoil(key))  # type: ignore[operator]
    assert caught.value.reason == "API_KEY_INVALID"


def test_the_secret_of_another_key_is_refused(engine: Engine) -> None:
    one, two = keys.create_key(engine, "acme"), keys.create_key(engine, "globex")
    mixed = "_".join([*one.split("_", 2)[:2], two.split("_", 2)[2]])
    with pytest.raises(UnauthenticatedError):
        keys.tenant_of_key(engine, mixed)


async def test_a_revoked_key_is_refused_at_once(engine: Engine) -> None:
    key = keys.create_key(engine, "acme")
    authenticate = keys.KnownKeys(engine).authenticate
    assert await authenticate({"authorization": f"Bearer {key}"}) == "acme"
    (known,) = keys.list_keys(engine)
    keys.revoke_key(engine, known.id)
    first = keys.list_keys(engine)[0].revoked_at
    assert first is not None
    keys.revoke_key(engine, known.id)
    assert keys.list_keys(engine)[0].revoked_at == first
    with pytest.raises(UnauthenticatedError):
        await authenticate({"authorization": f"Bearer {key}"})


async def test_a_missing_key_says_how_to_send_one(engine: Engine) -> None:
    with pytest.raises(UnauthenticatedError, match="authorization: Bearer") as caught:
        await keys.KnownKeys(engine).authenticate({})
    assert caught.value.reason == "API_KEY_MISSING"


def test_revoking_an_unknown_key_is_an_error(engine: Engine) -> None:
    with pytest.raises(NotFoundError) as caught:
        keys.revoke_key(engine, "0123")
    assert caught.value.reason == "API_KEY_NOT_FOUND"


def test_tenants_are_named_by_slugs(engine: Engine) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        keys.create_key(engine, "../acme")
    assert caught.value.reason == "TENANT_ID_INVALID"


def test_the_first_start_leaves_one_private_key(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "home" / "api-key"
    keys.ensure_default_key(engine, path)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    key = path.read_text().strip()
    assert keys.tenant_of_key(engine, key) == "default"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    keys.ensure_default_key(engine, path)
    assert path.read_text().strip() == key
    assert len(keys.list_keys(engine)) == 1


def test_a_key_file_of_another_database_is_replaced(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "api-key"
    path.write_text("hs_stale_key\n")
    keys.ensure_default_key(engine, path)
    assert keys.tenant_of_key(engine, path.read_text().strip()) == "default"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with engine.connect() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(schema.tenants)).scalar_one() == 1


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_text("hs_other_key\n"), None])
def test_a_key_that_was_revoked_is_not_replaced_by_the_next_start(
    engine: Engine, tmp_path: Path, spoil: Callable[[Path], object] | None, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "api-key"
    keys.ensure_default_key(engine, path)
    (first,) = keys.list_keys(engine)
    keys.revoke_key(engine, first.id)
    if spoil is not None:
        spoil(path)
    before = path.read_text() if path.exists() else None
    keys.ensure_default_key(engine, path)
    assert [key.id for key in keys.list_keys(engine)] == [first.id]
    assert (path.read_text() if path.exists() else None) == before
    assert "headshots keys create --save" in caplog.text
    assert ("there is no" in caplog.text) == (before is None)


def test_a_start_that_was_cut_short_is_made_good_by_the_next(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "api-key"

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(key_rows, "insert_key", crash)
        with pytest.raises(KeyboardInterrupt):
            keys.ensure_default_key(engine, path)
    assert path.exists()
    keys.ensure_default_key(engine, path)
    assert keys.tenant_of_key(engine, path.read_text().strip()) == "default"


def test_a_tenant_may_be_made_by_several_at_once(engine: Engine) -> None:
    """As two processes would: each sees that the tenant is not there yet."""
    barrier = threading.Barrier(4)

    def make(_: int) -> str:
        barrier.wait(PATIENCE_SECONDS)
        return keys.create_key(engine, "acme")

    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(make, range(4)))
    assert {keys.tenant_of_key(engine, key) for key in made} == {"acme"}


def test_a_tenant_that_is_there_keeps_its_name(engine: Engine) -> None:
    keys.create_tenant(engine, "acme", "Acme")
    keys.create_tenant(engine, "acme", "Other")
    with engine.connect() as connection:
        assert connection.execute(sa.select(schema.tenants.c.display_name)).scalars().all() == ["Acme"]


def test_high_priority_is_granted_with_a_weight_and_taken_back(engine: Engine) -> None:
    for tenant in ("acme", "globex"):
        keys.create_tenant(engine, tenant)
    keys.grant_high(engine, "acme", 8)
    assert {each.id: each.high_weight for each in keys.list_tenants(engine)} == {"acme": 8, "globex": 1}
    keys.revoke_high(engine, "acme")
    assert {each.high_weight for each in keys.list_tenants(engine)} == {1}


@pytest.mark.parametrize("weight", [-1, 0, 1, 9])
def test_the_weight_of_high_priority_is_bounded(engine: Engine, weight: int) -> None:
    keys.create_tenant(engine, "acme")
    with pytest.raises(InvalidArgumentError, match=r"HIGH_WEIGHT_INVALID.*give 2 to 8"):
        keys.grant_high(engine, "acme", weight)


def test_nobody_who_is_not_there_is_granted_anything(engine: Engine) -> None:
    for change in (keys.grant_high, keys.revoke_high):
        with pytest.raises(NotFoundError, match=r"TENANT_NOT_FOUND.*headshots tenants list"):
            change(engine, "nobody")
