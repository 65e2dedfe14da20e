"""Leaves tombstones of adapters in the object store, finds those of an erasure, and removes old ones. Blocking.

Raises (all functions):
    UnavailableError: OBJECT_STORE_UNAVAILABLE, OBJECT_STORE_FULL.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta

from headshots.artifacts import ArtifactStore
from headshots.stores import tombstones
from services.gateway.erasures.models import Unfinished

_DAY = timedelta(days=1)


def leave(store: ArtifactStore, subject_id: str, adapters: Iterable[str]) -> None:
    """Leaves a tombstone for each of these digests of a subject's adapters; those of the day that are there stay."""
    for sha256 in adapters:
        store.put_sync(tombstones.tombstone_key(today(), sha256, subject_id), b"")


def adapters_of(store: ArtifactStore, erasures: Sequence[Unfinished]) -> dict[str, set[str]]:
    """The digests of the adapters that subjects had who are erased, by subject; others are left out."""
    erased = [(each.subject_id, each.begun_at, each.erased_at) for each in erasures if each.erased_at is not None]
    days = {day for _, begun_at, erased_at in erased for day in _days(begun_at, erased_at)}
    keys = [key for day in sorted(days) for key in store.list_sync(tombstones.day_folder(day))]
    return {subject_id: tombstones.adapters_of(keys, subject_id) for subject_id, _, _ in erased}


def _days(begun_at: float | None, erased_at: float) -> list[date]:
    """The days on which an erasure may have left tombstones that are there still."""
    # They are left by a gateway's clock, the times are the database's. Days of an erasure that crashed are many.
    last = _day(erased_at) + _DAY
    first = last - tombstones.KEPT
    # One that began after it ended was begun by a clock that was ahead.
    if begun_at is not None and begun_at <= erased_at:
        first = max(_day(begun_at) - _DAY, first)
    return [first + number * _DAY for number in range((last - first).days + 1)]


def _day(at: float) -> date:
    return datetime.fromtimestamp(at, UTC).date()


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
