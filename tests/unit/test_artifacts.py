"""The object store on disk and in memory."""

from __future__ import annotations

import hashlib
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import obstore
import pytest
from obstore.exceptions import GenericError
from obstore.store import LocalStore

from headshots.artifacts import ArtifactStore
from headshots.errors import FailedPreconditionError, InvalidArgumentError, NotFoundError, UnavailableError


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ArtifactStore:
    return ArtifactStore.open((tmp_path / "o b").as_uri() if request.param == "file" else "memory:///")


async def test_what_is_put_is_got_and_never_overwritten(store: ArtifactStore) -> None:
    await store.put("a/b.txt", b"one")
    await store.put("a/b.txt", b"two")
    assert await store.get("a/b.txt") == b"one"
    assert await store.exists("a/b.txt")
    assert await store.size("a/b.txt") == 3


async def test_a_missing_key_is_a_typed_error_and_its_delete_is_fine(store: ArtifactStore) -> None:
    assert not await store.exists("nope")
    for call in (store.get("nope"), store.size("nope")):
        with pytest.raises(NotFoundError, match="OBJECT_NOT_FOUND"):
            await call
    await store.delete("nope")


async def test_what_was_promised_is_got_and_nothing_else(store: ArtifactStore) -> None:
    await store.put("a", b"one")
    promised = hashlib.sha256(b"one").hexdigest()
    assert await store.get_promised("a", promised) == store.get_promised_sync("a", promised) == b"one"
    with pytest.raises(FailedPreconditionError, match=r"under a does not .* promised, abababababab…") as caught:
        await store.get_promised("a", "ab" * 32)
    assert promised[:4] not in str(caught.value), "who guesses learns nothing of the right digest"
    with pytest.raises(FailedPreconditionError, match="OBJECT_DIGEST_MISMATCH"):
        store.get_promised_sync("a", "ab" * 32)
    with pytest.raises(NotFoundError, match="OBJECT_NOT_FOUND"):
        await store.get_promised("b", promised)


async def test_a_prefix_is_a_folder_not_a_beginning_of_a_name(store: ArtifactStore) -> None:
    for key in ("t/1/a", "t/1/b/c", "t/10/a"):
        await store.put(key, b"x")
    assert await store.list("t/1") == ["t/1/a", "t/1/b/c"]
    assert await store.delete_prefix("t/1") == 2
    assert await store.list("t") == ["t/10/a"]


async def test_an_image_has_its_content_type_where_the_store_keeps_such(store: ArtifactStore) -> None:
    for key in ("a/b.png", "a/b.jpg", "a/b.webp", "a/b.safetensors"):
        await store.put(key, b"x")
    found = [obstore.get(store._store, f"a/b.{suffix}").attributes for suffix in ("png", "jpg", "webp", "safetensors")]
    types = ["image/png", "image/jpeg", "image/webp"]
    in_memory = [{"Content-Type": content_type} for content_type in types]
    assert found == ([{}] * 4 if store._folder else [*in_memory, {}])


def test_an_unknown_scheme_is_named() -> None:
    with pytest.raises(InvalidArgumentError, match="STORE_URL_INVALID"):
        ArtifactStore.open("ftp://host/x")


@pytest.mark.parametrize("key", ["../x", "a/../b", "a//b", "a/./b", "a\0b", "/a", "//a"])
async def test_a_key_that_is_no_path_is_refused_by_every_method(store: ArtifactStore, key: str) -> None:
    for call in (
        store.put(key, b"x"),
        store.get(key),
        store.size(key),
        store.exists(key),
        store.list(key),
        store.delete(key),
        store.delete_prefix(key),
    ):
        with pytest.raises(InvalidArgumentError, match="KEY_INVALID"):
            await call


async def test_nothing_outside_a_store_is_removed_by_a_prefix_that_leads_there(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "empty").mkdir(parents=True)
    (outside / "x#1").write_bytes(b"staged by another store")
    store = ArtifactStore.open((tmp_path / "store").as_uri())
    with pytest.raises(InvalidArgumentError, match="KEY_INVALID"):
        await store.delete_prefix(str(outside))
    assert sorted(path.name for path in outside.iterdir()) == ["empty", "x#1"]


async def test_what_the_backend_says_is_for_the_log_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a").write_text("a file, where a folder has to be")
    store = ArtifactStore(LocalStore(tmp_path))
    with pytest.raises(UnavailableError, match="OBJECT_STORE_UNAVAILABLE") as caught:
        await store.put("a/b", b"x")
    assert str(tmp_path) not in f"{caught.value} {caught.value.metadata}"
    assert "try again" in caught.value.message
    assert str(tmp_path) in caplog.text


def test_the_folder_of_a_store_is_its_owners_only(tmp_path: Path) -> None:
    ArtifactStore.open((tmp_path / "home" / "objects").as_uri())
    for folder in (tmp_path / "home", tmp_path / "home" / "objects"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_full_disk_is_called_that_and_leaves_no_half_of_a_file(tmp_path: Path) -> None:
    # A process of its own, as the limit on file sizes cannot be raised again by everybody.
    script = (
        "import resource, sys; from headshots.artifacts import ArtifactStore;"
        "store = ArtifactStore.open(sys.argv[1]); resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000));"
        "store.put_sync('a/b', bytes(100_000))"
    )
    ended = subprocess.run([sys.executable, "-c", script, tmp_path.as_uri()], capture_output=True, text=True)
    assert "UnavailableError: OBJECT_STORE_FULL" in ended.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("key", ["a#1", "t/photos/b.png#27"])
async def test_no_object_has_a_name_of_staged_files(store: ArtifactStore, key: str) -> None:
    with pytest.raises(InvalidArgumentError, match="KEY_INVALID"):
        await store.put(key, b"x")
    await store.put("a#b", b"x")


async def test_every_object_is_stored_by_one_request(store: ArtifactStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a bucket a multipart upload that is not ended stays, and no listing shows it."""
    seen: list[dict[str, object]] = []
    put = obstore.put

    def watched(*arguments: Any, **options: Any) -> Any:
        seen.append(options)
        return put(*arguments, **options)

    monkeypatch.setattr(obstore, "put", watched)
    await store.put("a", bytes(6 * 2**20))
    assert seen == [{"mode": "create", "use_multipart": False, "attributes": None}]


@pytest.mark.parametrize("words", ["No space left on device (os error 28)", "Disk quota exceeded (os error 122)"])
async def test_a_full_store_and_an_absent_one_have_different_reasons(
    words: str, store: ArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise GenericError(f"Generic LocalFileSystem error: Unable to copy data to file: {words}")

    monkeypatch.setattr(obstore, "put", full)
    with pytest.raises(UnavailableError, match="OBJECT_STORE_FULL") as caught:
        await store.put("a/b", b"x")
    assert "os error" not in caught.value.message
