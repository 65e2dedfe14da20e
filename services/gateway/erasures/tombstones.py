"""Leaves tombstones of adapters in the object store, finds those of an erasure, and removes old ones. Blocking.

Raises (all functions):
    UnavailableError: OBJECT_STORE_UNAVAILABLE, OBJECT_STORE_FULL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

from headshots.artifacts import ArtifactStore
from headshots.stores import tombstones


def leave(store: ArtifactStore, subject_id: str, adapters: Iterable[str]) -> None:
    """Leaves a tombstone for each of these digests of a subject's adapters; those of the day that are there stay."""
    for sha256 in adapters:
        store.put_sync(tombstones.tombstone_key(today(), sha256, subject_id), b"")


def adapters_of(store: ArtifactStore, erased: Mapping[str, float]) -> dict[str, set[str]]:
    """The digests of the adapters that erased subjects had, by subject.

    `erased`: when each was, by the database's clock, seconds since the epoch.
    """
    found = {datetime.fromtimestamp(at, UTC).date() for at in erased.values()}
    # Tombstones are left by a gateway's clock, before the erasure ends.
    days = {day + timedelta(days=distance) for day in found for distance in (-1, 0, 1)}
    keys = [key for day in sorted(days) for key in store.list_sync(tombstones.day_folder(day))]
    return {subject_id: tombstones.adapters_of(keys, subject_id) for subject_id in erased}


def remove_old(store: ArtifactStore, now: date) -> int:
    """Removes tombstones that no generator needs any more; returns how many."""
    found = [(key, tombstones.read_key(key)) for key in store.list_sync(tombstones.FOLDER)]
    old = [key for key, tombstone in found if tombstone is not None and tombstone.day < now - tombstones.KEPT]
    for key in old:
        store.delete_sync(key)
    return len(old)


def today() -> date:
    """The day of a tombstone that is left now."""
    return datetime.now(UTC).date()
