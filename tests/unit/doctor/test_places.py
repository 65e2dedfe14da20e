"""Room on disks, memory by the control group, and what the first start will make."""

from __future__ import annotations

from pathlib import Path

import pytest

from headshots.doctor import places
from headshots.doctor.findings import State
from headshots.processes.memory import memory_limit

MUCH = 2**62


def test_a_disk_without_room_is_told_with_how_much_there_should_be(tmp_path: Path) -> None:
    assert places.room(tmp_path / "new" / "folder", 1).state is State.OK
    found = places.room(tmp_path, MUCH)
    assert found.state is State.WARNING
    assert "and 4294967296.0 GiB should be" in found.seen
    assert found.cure


def test_a_place_that_is_a_file_is_a_failure(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    for found in (places.room(file / "folder"), places.first_start_makes(file / "key", "the key")):
        assert found.state is State.FAILED
        assert f"{file} is no folder that this user may write to" in found.seen
        assert found.cure
    assert not (file / "key").exists()


def test_of_folders_on_one_disk_one_is_told_but_every_fault(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    needs = {tmp_path / "a": 1, tmp_path / "b": 1, tmp_path / "c": MUCH, file / "d": 1}
    assert [each.state for each in places.rooms(needs)] == [State.OK, State.WARNING, State.FAILED]


@pytest.mark.parametrize(
    ("own", "files", "limit"),
    [
        ("", {}, None),
        ("0::/\n", {"memory.max": "max\n"}, None),
        ("0::/\n", {"memory.max": "1073741824\n"}, 2**30),
        ("0::/a/b\n", {"a/memory.max": "4096\n", "a/b/memory.max": "8192\n"}, 4096),
        ("4:memory:/\n2:cpu:/\n", {"memory/memory.limit_in_bytes": "4096\n", "memory.max": "1\n"}, 4096),
        ("4:memory:/\n", {"memory/memory.limit_in_bytes": "9223372036854771712\n"}, None),
    ],
)
def test_the_tightest_limit_of_the_control_groups_counts(
    tmp_path: Path, own: str, files: dict[str, str], limit: int | None
) -> None:
    (tmp_path / "own").write_text(own)
    for name, text in files.items():
        path = tmp_path / "groups" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert memory_limit(tmp_path / "groups", tmp_path / "own") == limit


def test_less_memory_than_the_service_may_take_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "memory_limit", lambda: 2**29)
    found = places.memory(2**30, "the gateway")
    assert (found.state, found.seen) == (
        State.WARNING,
        "512 MiB of the control group, and the gateway may take 1.0 GiB",
    )
    assert found.cure
    assert places.memory(2**28, "the gateway").state is State.OK
