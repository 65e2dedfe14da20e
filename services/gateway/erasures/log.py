"""Keeps an entry for each erasure outside what it erases, so that nobody comes back from a backup.

`erased/subjects/{day}/{hash}`, the day by UTC: a JSON object of `subject` (the hash), `tenant`, `time` and `trigger`.
The hash tells whoever knows a subject's id that it was erased, and nobody else anything. Blocking.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from headshots.artifacts import ArtifactStore
from services.gateway.erasures.models import Trigger

FOLDER = "erased/subjects"
DEFAULT_KEEP_DAYS = 400
_DAY_NAME = re.compile(r"\d{4}-\d\d-\d\d")
_KEY = re.compile(rf"{FOLDER}/{_DAY_NAME.pattern}/([0-9a-f]{{64}})")
_DAY = timedelta(days=1)


def subject_hash(tenant_id: str, subject_id: str) -> str:
    """What entries call a subject, 64 hex digits."""
    return hashlib.sha256(f"headshots erased subject v1\n{tenant_id}\n{subject_id}".encode()).hexdigest()


class ErasureLog:
    """The log in one store, by default that of the objects. Several gateways write to it.

    Raises (all methods):
        UnavailableError: OBJECT_STORE_UNAVAILABLE, OBJECT_STORE_FULL.
    """

    def __init__(self, store: ArtifactStore, *, keep_days: int = DEFAULT_KEEP_DAYS) -> None:
        """Entries leave after ``keep_days``: longer than any backup is kept."""
        self._store = store
        self._keep = timedelta(days=keep_days)

    def write(self, tenant_id: str, subject_id: str, trigger: Trigger, at: float) -> None:
        """Leaves an entry, unless this day's is there; `at` is the database's time, seconds since the epoch."""
        subject, time = subject_hash(tenant_id, subject_id), datetime.fromtimestamp(at, UTC)
        told = {
            "subject": subject,
            "tenant": tenant_id,
            "time": time.isoformat(timespec="seconds"),
            "trigger": trigger.value,
        }
        self._store.put_sync(f"{_folder(time.date())}/{subject}", json.dumps(told, sort_keys=True).encode())

    def erased(self, since: date | None, today: date) -> set[str]:
        """Hashes of all who were erased on this day or later, as `subject_hash` has them; None: of all.

        Entries of the day after `today` are among them: clocks may differ by less than a day.
        """
        if since is None:
            return _subjects(self._store.list_sync(FOLDER))
        days = range((today + _DAY - since).days + 1)
        return _subjects(key for number in days for key in self._store.list_sync(_folder(since + number * _DAY)))

    def remove_old(self, today: date) -> int:
        """Removes entries at the end of their term; returns how many."""
        days = [name for name in self._store.folders_sync(FOLDER) if _DAY_NAME.fullmatch(name)]
        old = [day for day in map(date.fromisoformat, days) if day < today - self._keep]
        return sum(self._store.delete_prefix_sync(_folder(day)) for day in old)


def _folder(day: date) -> str:
    return f"{FOLDER}/{day.isoformat()}"


def _subjects(keys: Iterable[str]) -> set[str]:
    """The hashes that entries are of; other objects are none."""
    return {found[1] for key in keys if (found := _KEY.fullmatch(key)) is not None}
