"""A process's temporary files are its own, and go with it or at the next start."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from headshots.errors import UnavailableError
from headshots.processes.scratch import scratch

HOLDER = """
import sys, tempfile
from pathlib import Path
from headshots.processes.scratch import scratch
with scratch(Path(sys.argv[1]), "X_SCRATCH_DIR") as folder:
    Path(tempfile.mkdtemp(), "photo.png").write_bytes(b"a face")
    print(folder.name, flush=True)
    sys.stdin.read()
"""


@contextmanager
def holder(parent: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Another process with a scratch folder in ``parent``, and that folder."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(parent)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process, parent / process.stdout.readline().strip()
        finally:
            process.kill()


def photos(folder: Path) -> list[Path]:
    return list(folder.rglob("photo.png"))


def test_temporary_files_of_the_process_and_of_its_children_are_in_it(tmp_path: Path) -> None:
    before = tempfile.gettempdir(), os.environ.get("TMPDIR")
    with scratch(tmp_path / "home" / "scratch", "X_SCRATCH_DIR") as folder:
        assert folder.parent == tmp_path / "home" / "scratch"
        assert folder.stat().st_mode & 0o077 == folder.parent.stat().st_mode & 0o077 == 0
        made = Path(tempfile.mkdtemp())
        told = subprocess.run(
            [sys.executable, "-c", "import tempfile; print(tempfile.gettempdir())"], capture_output=True, text=True
        )
        assert made.parent == Path(told.stdout.strip()) == folder
    assert not folder.exists()
    assert (tempfile.gettempdir(), os.environ.get("TMPDIR")) == before


def test_a_start_removes_what_killed_processes_left_and_nothing_of_living_ones(tmp_path: Path) -> None:
    with holder(tmp_path) as (dead, left), holder(tmp_path) as (_, kept):
        assert len(photos(tmp_path)) == 2
        dead.kill()
        dead.wait()
        assert len(photos(left)) == 1
        with scratch(tmp_path, "X_SCRATCH_DIR"), scratch(tmp_path, "X_SCRATCH_DIR"):
            assert not left.exists()
            assert len(photos(kept)) == 1
            assert len(list(tmp_path.glob("headshots-scratch-*"))) == 3


def test_one_that_died_before_it_had_a_lock_is_removed(tmp_path: Path) -> None:
    (tmp_path / "headshots-scratch-abc").mkdir()
    with scratch(tmp_path, "X_SCRATCH_DIR") as folder:
        assert list(tmp_path.glob("headshots-scratch-*")) == [folder]


def test_nothing_else_in_the_folder_is_touched(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("kept")
    (tmp_path / "notes.txt").write_text("kept")
    with scratch(tmp_path, "X_SCRATCH_DIR"):
        assert (tmp_path / "mine" / "letter.txt").read_text() == (tmp_path / "notes.txt").read_text() == "kept"


def test_a_folder_that_cannot_be_used_is_named_with_its_variable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with (
        pytest.raises(UnavailableError, match=f"SCRATCH_UNUSABLE: .*{tmp_path}/file.*X_SCRATCH_DIR"),
        scratch(tmp_path / "file" / "scratch", "X_SCRATCH_DIR"),
    ):
        pass
