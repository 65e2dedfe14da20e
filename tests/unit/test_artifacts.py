"""The object store on disk and in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from headshots.artifacts import ArtifactStore
from headshots.errors import InvalidArgumentError, NotFoundError


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ArtifactStore:
    return ArtifactStore.open((tmp_path / "o b").as_uri() if request.param == "file" else "memory:///")


async def test_what_is_put_is_got_and_never_overwritten(store: ArtifactStore) -> None:
    await store.put("a/b.txt", b"one")
    await store.put("a/b.txt", b"two")
    assert await store.get("a/b.txt") == b"one"
    assert await store.exists("a/b.txt")


async def test_a_missing_key_is_a_typed_error_and_its_delete_is_fine(store: ArtifactStore) -> None:
    assert not await store.exists("nope")
    with pytest.raises(NotFoundError, match="OBJECT_NOT_FOUND"):
        await store.get("nope")
    await store.delete("nope")


async def test_a_prefix_is_a_folder_not_a_beginning_of_a_name(store: ArtifactStore) -> None:
    for key in ("t/1/a", "t/1/b/c", "t/10/a"):
        await store.put(key, b"x")
    assert await store.list("t/1") == ["t/1/a", "t/1/b/c"]
    assert await store.delete_prefix("t/1") == 2
    assert await store.list("t") == ["t/10/a"]


def test_an_unknown_scheme_is_named() -> None:
    with pytest.raises(InvalidArgumentError, match="STORE_URL_INVALID"):
        ArtifactStore.open("ftp://host/x")
