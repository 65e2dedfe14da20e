"""What killed writers and removed folders leave on disk goes, and nothing else."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from headshots.artifacts import ArtifactStore
from headshots.errors import UnavailableError
from headshots.stores.local import remove_empty


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
