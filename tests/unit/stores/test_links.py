"""No symbolic link within an object store's folder is followed."""

from __future__ import annotations

from pathlib import Path

import pytest

from headshots.artifacts import ArtifactStore
from headshots.errors import UnavailableError


@pytest.fixture
def linked(tmp_path: Path) -> ArtifactStore:
    """A store in which one folder and one object of a subject are links to what lies outside; all have a neighbour."""
    outside, inside = tmp_path / "outside", tmp_path / "store" / "t"
    for folder in (outside, inside / "own"):
        folder.mkdir(parents=True)
        (folder / "x").write_bytes(b"x")
    (inside / "folder").symlink_to(outside)
    (inside / "object").symlink_to(outside / "x")
    (inside / "dangling").symlink_to(outside / "new")
    return ArtifactStore.open((tmp_path / "store").as_uri())


def everything(folder: Path) -> dict[Path, bool]:
    """All that is in a folder, and of each whether it is a link."""
    return {path: path.is_symlink() for path in folder.rglob("*")}


@pytest.mark.parametrize("call", ["put", "get", "size", "exists", "delete"])
@pytest.mark.parametrize("key", ["t/folder/x", "t/folder/new", "t/object", "t/dangling"])
async def test_no_link_is_followed_to_an_object(
    linked: ArtifactStore, key: str, call: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = everything(tmp_path)
    with pytest.raises(UnavailableError, match="OBJECT_STORE_UNAVAILABLE") as caught:
        await getattr(linked, call)(key, *([b"y"] if call == "put" else []))
    assert str(tmp_path) not in caught.value.message
    assert "is a symbolic link" in caplog.text
    assert everything(tmp_path) == before
    assert (tmp_path / "outside" / "x").read_bytes() == b"x"


@pytest.mark.parametrize("call", ["list", "delete_prefix"])
@pytest.mark.parametrize("prefix", ["", "t", "t/folder"])
async def test_no_link_is_followed_by_what_looks_at_a_folder(
    linked: ArtifactStore, call: str, prefix: str, tmp_path: Path
) -> None:
    """An erasure must not count as done where it cannot reach all that there is."""
    with pytest.raises(UnavailableError, match="OBJECT_STORE_UNAVAILABLE"):
        await getattr(linked, call)(prefix)
    assert (tmp_path / "outside" / "x").read_bytes() == b"x"
    assert await linked.list("t/own") == ["t/own/x"], "what has no link is served"
    assert await linked.delete_prefix("t/own") == 1


@pytest.mark.parametrize("call", ["list", "delete_prefix"])
async def test_a_link_to_a_file_alone_is_met_too(tmp_path: Path, call: str) -> None:
    store = ArtifactStore.open((tmp_path / "store").as_uri())
    await store.put("t/x", b"x")
    (tmp_path / "secret").write_bytes(b"s")
    (tmp_path / "store" / "t" / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(UnavailableError):
        await getattr(store, call)("t")
    assert (tmp_path / "secret").read_bytes() == b"s"
    assert await store.get("t/x") == b"x", "refused as a whole"


async def test_the_folder_of_a_store_may_be_reached_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "store").symlink_to(tmp_path / "disk")
    store = ArtifactStore.open((tmp_path / "store").as_uri())
    await store.put("a/b", b"x")
    assert (await store.get("a/b"), await store.list(""), await store.delete_prefix("")) == (b"x", ["a/b"], 1)
