"""The search for residue finds what is there, however it lies in a file."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

from benchmarks.faults.residue import PIECE_BYTES, files, residue

SECRET = random.Random(7).randbytes(1000)


def test_a_piece_is_found_wherever_it_lies(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / ".hidden#1").write_bytes(b"\0" * 333 + SECRET[100 : 100 + 2 * PIECE_BYTES] + b"\0")
    (tmp_path / "whole").write_bytes(SECRET)
    (tmp_path / "other").write_bytes(random.Random(8).randbytes(5000))
    assert residue([tmp_path], SECRET) == {
        tmp_path / "deep" / "er" / ".hidden#1": PIECE_BYTES,
        tmp_path / "whole": 1000 // PIECE_BYTES * PIECE_BYTES,
    }


def test_a_whole_secret_is_found_at_any_byte(tmp_path: Path) -> None:
    for shift in range(9):
        (tmp_path / str(shift)).write_bytes(bytes(shift) + SECRET)
    found = residue([tmp_path], SECRET, bytes(60) + SECRET[:4])
    assert set(found.values()) == {1000 // PIECE_BYTES * PIECE_BYTES}
    assert len(found) == 9


def test_a_piece_that_begins_with_zeros_is_found(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(1000) + SECRET[:4])
    assert residue([tmp_path], bytes(60) + SECRET[:4]) == {tmp_path / "file": PIECE_BYTES}


def test_names_are_found_and_zeros_are_nobodys(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"2026 Ada Lovelace came")
    (tmp_path / "empty").write_bytes(bytes(10_000))
    assert residue([tmp_path], b"Ada Lovelace", bytes(500)) == {tmp_path / "log": 12}


def test_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "a").write_bytes(SECRET)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a").symlink_to(tmp_path / "outside" / "a")
    assert residue([tmp_path / "in"], SECRET) == {}


def test_what_others_have_too_is_nobodys(tmp_path: Path) -> None:
    head, other = SECRET[:320], random.Random(9).randbytes(500)
    (tmp_path / "theirs").write_bytes(head + other)
    (tmp_path / "hers").write_bytes(SECRET)
    assert set(residue([tmp_path], SECRET)) == {tmp_path / "theirs", tmp_path / "hers"}
    # However it lies in what they have.
    assert set(residue([tmp_path], SECRET, common=[b"x" + head + other])) == {tmp_path / "hers"}


def test_any_64_bytes_are_found(tmp_path: Path) -> None:
    for start in range(0, 40):
        (tmp_path / "file").write_bytes(b"-" * 5 + SECRET[start : start + 64] + b"-" * 5)
        assert residue([tmp_path], SECRET), start


def test_a_folder_that_is_removed_meanwhile_ends_no_search(tmp_path: Path) -> None:
    for name in ("a/one", "b/two", "three"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    found = files([tmp_path])
    assert next(found) == tmp_path / "three"
    shutil.rmtree(tmp_path / "a")
    assert list(found) == [tmp_path / "b" / "two"]
