"""Keeps an entry for each erasure outside what it erases, so that nobody comes back from a backup, and a copy of each
receipt, so that none is lost by it. Blocking.

`erased/subjects/{day}/{hash}`, the day by UTC: a JSON object of `subject` (the hash), `tenant`, `time` and `trigger`.
The hash tells whoever knows a subject's id that it was erased, and nobody else anything.

`erased/receipts/{tenant}/{number}-{digits}.json`: the receipt as it was signed, under its number in the tenant's chain
(ten digits) and the first twelve hex digits of its SHA-256. Two receipts of one number have two copies.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from headshots.artifacts import ArtifactStore
from services.gateway.erasures.models import Trigger

_LOG = logging.getLogger(__name__)
FOLDER = "erased/subjects"
RECEIPTS = "erased/receipts"
DEFAULT_KEEP_DAYS = 400
_DAY_NAME = re.compile(r"\d{4}-\d\d-\d\d")
_KEY = re.compile(rf"{FOLDER}/{_DAY_NAME.pattern}/([0-9a-f]{{64}})")
_COPY = re.compile(rf"{RECEIPTS}/([^/]+)/(\d{{10}})-([0-9a-f]{{12}})\.json")
_DAY = timedelta(days=1)
_LARGEST_RECEIPT = 2**20
"""Bytes; receipts have a few thousand. What else lies in a copy's place may be larger than the memory."""


@dataclass(frozen=True)
class ReceiptCopy:
    """What the name of a receipt's copy tells; not yet that it is one."""

    key: str
    tenant_id: str
    number: int
    digits: str
    """The first twelve hex digits of the receipt's SHA-256."""

    def is_of(self, sha256: str) -> bool:
        """Whether it is named after the receipt of this SHA-256, in hex."""
        return sha256.startswith(self.digits)


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

    def write_receipt(self, tenant_id: str, number: int, receipt: bytes) -> bool:
        """Leaves a copy of a receipt, which has no term, unless it is there; False: something else lies in its place.

        `number`: its place in the tenant's chain, from 1.
        """
        digits = hashlib.sha256(receipt).hexdigest()[:12]
        key = f"{_receipts_from(tenant_id, number)}-{digits}.json"
        if self._store.put_or_get_sync(key, receipt) == receipt:
            return True
        _LOG.error("%s in the log of erasures is not the receipt that it is named after; move it away", key)
        return False

    def tenants_with_receipts(self) -> list[str]:
        """Ids of the tenants that have copies of receipts."""
        return self._store.folders_sync(RECEIPTS)

    def receipts(self, tenant_id: str, after: int) -> list[ReceiptCopy]:
        """Copies of a tenant's receipts with numbers above `after`, in their order."""
        keys = self._store.list_after_sync(f"{RECEIPTS}/{tenant_id}", _receipts_from(tenant_id, after + 1))
        found = []
        for key in keys:
            if (named := _COPY.fullmatch(key)) is None:
                _LOG.error("%s in the log of erasures is not named as the copy of a receipt; it is left out", key)
            else:
                found.append(ReceiptCopy(key, named[1], int(named[2]), named[3]))
        return found

    def read_receipt(self, copy: ReceiptCopy) -> bytes:
        """What a copy holds. Raises OBJECT_NOT_FOUND too, and ValueError where that is larger than any receipt."""
        size = self._store.size_sync(copy.key)
        if size > _LARGEST_RECEIPT:
            raise ValueError(f"it has {size} bytes, and no receipt has more than {_LARGEST_RECEIPT}")
        return self._store.get_sync(copy.key)


def _receipts_from(tenant_id: str, number: int) -> str:
    """What the keys of copies of this number begin with. Copies are listed in the order of their numbers."""
    return f"{RECEIPTS}/{tenant_id}/{number:010d}"


def _folder(day: date) -> str:
    return f"{FOLDER}/{day.isoformat()}"


def _subjects(keys: Iterable[str]) -> set[str]:
    """The hashes that entries are of; other objects are none."""
    return {found[1] for key in keys if (found := _KEY.fullmatch(key)) is not None}
