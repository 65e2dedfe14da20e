"""Tombstones tell an adapter's digest and day, and nothing of whose it was."""

from __future__ import annotations

from datetime import date

import pytest

from headshots.stores.tombstones import FOLDER, Tombstone, day_folder, read_key, tombstone_key

SHA256 = "0123456789abcdef" * 4
DAY = date(2026, 11, 28)


def test_a_key_is_read_back_and_names_nobody() -> None:
    key = tombstone_key(DAY, SHA256, "subject7")
    assert read_key(key) == Tombstone(DAY, SHA256)
    assert key.startswith(f"{day_folder(DAY)}/{SHA256}-")
    assert "subject7" not in key


def test_the_same_adapter_erased_twice_has_two_tombstones_and_a_repeated_erasure_one() -> None:
    assert tombstone_key(DAY, SHA256, "subject7") == tombstone_key(DAY, SHA256, "subject7")
    of_many = {tombstone_key(DAY, SHA256, f"subject{number}") for number in range(1000)}
    assert len(of_many) == 1000


@pytest.mark.parametrize(
    "name",
    [
        f"2026-11-28/{SHA256}",
        "2026-11-28/README.md",
        f"today/{SHA256}-ab",
        f"{SHA256}-ab",
        f"2026-11-28/{SHA256}-ab/part",
    ],
)
def test_what_is_no_tombstone_is_none(name: str) -> None:
    assert read_key(f"{FOLDER}/{name}") is None
