"""Defines how an event is linked to the one before it: its digest covers all that it says and the digest before.

The digest is the SHA-256 of a JSON object, its keys in the order of their bytes, without spaces, all of it ASCII:
`{"action":…,"count":…,"key":…,"number":…,"previous":…,"resource":…,"subject":…,"tenant":…,"time_us":…}`. That is its
canonical form by RFC 8785 too, so any language can compute it. A chain's first event follows `FIRST`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Row

FIRST = "0" * 64
"""What the first event of a chain follows."""


@dataclass(frozen=True)
class Link:
    """An event in its tenant's chain."""

    tenant_id: str
    number: int
    """From 1 on, without gaps."""
    at: float
    """Seconds since the epoch, to the microsecond."""
    key_id: str
    subject_id: str
    action: str
    resource: str
    count: int

    @classmethod
    def of_row(cls, row: Row[Any], number: int) -> Link:
        """A row of `audit_events` as the event of this number."""
        # A row's own `count` is that of tuples, for those who read types.
        count = row._mapping["count"]
        return cls(row.tenant_id, number, row.at, row.key_id, row.subject_id, row.action, row.resource, count)

    def sha256(self, previous: str) -> str:
        """The digest of the event where it follows the one with the digest `previous`, in hex."""
        told = {
            "tenant": self.tenant_id,
            "number": self.number,
            "time_us": round(self.at * 1e6),
            "key": self.key_id,
            "subject": self.subject_id,
            "action": self.action,
            "resource": self.resource,
            "count": self.count,
            "previous": previous,
        }
        return hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
