"""The object store on disk and in memory."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import obstore
import pytest
from obstore.exceptions import GenericError
from obstore.store import LocalStore

from headshots.artifacts import ArtifactStore
from headshots.errors import FailedPreconditionError, InvalidArgumentError, NotFoundError, UnavailableError
from headshots.stores.local import remove_empty


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


def killed_while_storing(folder: Path, key: str, size: int) -> None:
    """Have a process store ``size`` bytes of ``b"x"``, and the kernel kill it half-way."""
    script = (
        "import resource, signal, sys; from headshots.artifacts import ArtifactStore;"
        "store = ArtifactStore.open(sys.argv[1]); signal.signal(signal.SIGXFSZ, signal.SIG_DFL);"
        "resource.setrlimit(resource.RLIMIT_CORE, (0, 0));"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]) // 2,) * 2);"
        "store.put_sync(sys.argv[2], b'x' * int(sys.argv[3]))"
    )
    arguments = [sys.executable, "-c", script, folder.as_uri(), key, str(size)]
    assert subprocess.run(arguments, capture_output=True).returncode == -signal.SIGXFSZ


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


async def test_what_a_killed_writer_left_goes_with_its_prefix(tmp_path: Path) -> None:
    store = ArtifactStore.open(tmp_path.as_uri())
    for key in ("t/1/photos/a.png", "t/10/photos/a.png"):
        killed_while_storing(tmp_path, key, 100_000)
    assert files(tmp_path) == ["t/1/photos/a.png#1", "t/10/photos/a.png#1"]
    assert await store.list("t") == [], "no listing shows it"
    await store.put("t/1/photos/a.png", b"whole")
    assert await store.delete_prefix("t/1") == 1
    assert files(tmp_path) == ["t/10/photos/a.png#1"]


def folders(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_dir())


async def test_a_removed_prefix_leaves_no_empty_folder_and_takes_none_above_or_beside_it(tmp_path: Path) -> None:
    store = ArtifactStore.open(tmp_path.as_uri())
    for key in ("t/1/photos/a.png", "t/1/adapters/x/b", "t/10/photos/a.png"):
        await store.put(key, b"x")
    (tmp_path / "t" / "2" / "galleries").mkdir(parents=True)
    assert await store.delete_prefix("t/1") == 2
    assert folders(tmp_path) == ["t", "t/10", "t/10/photos", "t/2", "t/2/galleries"]
    assert await store.delete_prefix("t/2") == 0
    assert await store.delete_prefix("t/3") == 0
    assert await store.delete_prefix("t/10") == 1
    assert folders(tmp_path) == ["t"]
    await store.put("t/1/photos/a.png", b"x")
    assert await store.delete_prefix("") == 1
    assert tmp_path in set(tmp_path.parent.iterdir()), "the store itself stays"


async def test_a_folder_that_somebody_writes_into_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = ArtifactStore.open(tmp_path.as_uri())
    for key in ("t/1/photos/a.png", "t/1/adapters/x/b"):
        await store.put(key, b"x")
    rmdir = os.rmdir

    def after_a_write(path: str) -> None:
        if path.endswith("photos"):
            store.put_sync("t/1/photos/late.png", b"x")
        rmdir(path)

    monkeypatch.setattr(os, "rmdir", after_a_write)
    assert await store.delete_prefix("t/1") == 2
    assert await store.list("t") == ["t/1/photos/late.png"]
    assert folders(tmp_path) == ["t", "t/1", "t/1/photos"]


async def test_a_folder_that_cannot_be_removed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = ArtifactStore.open(tmp_path.as_uri())
    await store.put("t/1/a", b"x")

    def refused(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "rmdir", refused)
    with pytest.raises(UnavailableError, match="OBJECT_STORE_UNAVAILABLE"):
        await store.delete_prefix("t/1")


@pytest.mark.parametrize("code", [errno.EBUSY, errno.ENOENT, errno.EEXIST])
async def test_a_mount_or_what_another_gateway_removed_holds_up_no_other_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    store = ArtifactStore.open(tmp_path.as_uri())
    for folder in ("photos", "adapters"):
        await store.put(f"t/1/{folder}/a", b"x")
    rmdir = os.rmdir

    def refused(path: str) -> None:
        if path.endswith("photos"):
            raise OSError(code, os.strerror(code), path)
        rmdir(path)

    monkeypatch.setattr(os, "rmdir", refused)
    assert await store.delete_prefix("t/1") == 2
    assert folders(tmp_path) == ["t", "t/1", "t/1/photos"]


async def test_objects_are_stored_while_their_folders_are_removed(tmp_path: Path) -> None:
    store = ArtifactStore.open(tmp_path.as_uri())
    stop = threading.Event()

    def remove() -> None:
        while not stop.is_set():
            remove_empty(tmp_path, "t/1/photos")

    remover = threading.Thread(target=remove)
    remover.start()
    try:
        for number in range(200):
            await store.put(f"t/1/photos/{number}", b"x")
            assert await store.get(f"t/1/photos/{number}") == b"x"
            await store.delete(f"t/1/photos/{number}")
    finally:
        stop.set()
        remover.join()


def test_only_staged_files_that_nobody_writes_are_swept_and_no_link_is_followed(tmp_path: Path) -> None:
    store = ArtifactStore.open((tmp_path / "store").as_uri())
    (tmp_path / "outside").mkdir()
    (tmp_path / "store" / "t").mkdir()
    (tmp_path / "store" / "t" / "link").symlink_to(tmp_path / "outside")
    for path in ("outside/a#1", "store/t/old.png#2", "store/t/new.png#1", "store/t/issue#b"):
        (tmp_path / path).write_bytes(b"x")
    for path in ("outside/a#1", "store/t/old.png#2", "store/t/issue#b"):
        os.utime(tmp_path / path, (0, 0))
    assert store.remove_staged_sync(unused_seconds=60) == 1
    assert files(tmp_path) == ["outside/a#1", "store/t/issue#b", "store/t/new.png#1"]
    assert store.remove_staged_sync() == 1
    assert files(tmp_path) == ["outside/a#1", "store/t/issue#b"]
    assert store.remove_staged_sync("nowhere") == 0
    assert ArtifactStore.open("memory:///").remove_staged_sync() == 0


async def test_a_folder_that_cannot_be_swept_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = ArtifactStore.open(tmp_path.as_uri())
    (tmp_path / "a#1").write_bytes(b"x")

    def refused(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refused)
    with pytest.raises(UnavailableError, match="OBJECT_STORE_UNAVAILABLE"):
        store.remove_staged_sync()


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
