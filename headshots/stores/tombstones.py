"""Names the objects that tell every generator which adapters were erased: tombstones.

`erased/adapters/{day}/{sha256}-{erasure}`: an empty object, its day by UTC. `erasure` is the digest of an identifier
that is never used again, so that the same file, erased twice, has two tombstones. Nobody's name or tenant is in it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

FOLDER = "erased/adapters"
KEPT = timedelta(days=60)
"""How long a tombstone is kept. Longer than a generator keeps files that it does not use, or one that was switched off
before an erasure and is started after the tombstone's end would serve what was erased."""
_KEY = re.compile(rf"{FOLDER}/(\d{{4}}-\d\d-\d\d)/([0-9a-f]{{64}})-[0-9a-f]+")


@dataclass(frozen=True)
class Tombstone:
    """Tells that an adapter of this SHA-256 (hex) was erased on this day."""

    day: date
    sha256: str


def tombstone_key(day: date, sha256: str, erased_id: str) -> str:
    """The key of a tombstone for an adapter of what had the unique ``erased_id``."""
    return f"{day_folder(day)}/{sha256}-{_erasure(erased_id)}"


def adapters_of(keys: Iterable[str], erased_id: str) -> set[str]:
    """The digests of adapters that tombstones with these keys tell of, of what had this ``erased_id``."""
    mine = f"-{_erasure(erased_id)}"
    return {found.sha256 for key in keys if key.endswith(mine) and (found := read_key(key)) is not None}


def day_folder(day: date) -> str:
    """The prefix of a day's tombstones."""
    return f"{FOLDER}/{day.isoformat()}"


def read_key(key: str) -> Tombstone | None:
    """The tombstone of a key; None for an object that is none."""
    found = _KEY.fullmatch(key)
    return None if found is None else Tombstone(date.fromisoformat(found[1]), found[2])


def _erasure(erased_id: str) -> str:
    return hashlib.sha256(erased_id.encode()).hexdigest()[:16]
