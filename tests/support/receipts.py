"""Makes signed receipts without a gateway."""

from __future__ import annotations

import hashlib
from typing import Any

from headshots.receipts.signing import ReceiptKey
from headshots.receipts.verifying import FIRST, FORMAT

TIME = "2026-11-29T10:00:00.000Z"


def receipt(key: ReceiptKey, number: int = 1, previous: str = FIRST, **told: Any) -> bytes:
    """One of tenant `acme`."""
    document = {
        "format": FORMAT,
        "erasure": f"{number:032x}",
        "tenant": "acme",
        "subject": "ab" * 32,
        "trigger": "REQUEST",
        "policy": {"retention_seconds": 2592000, "set_by": "TENANT"},
        "requested_at": TIME,
        "erased_at": TIME,
        "signed_at": TIME,
        "classes": [{"class": "photos", "count": 6, "bytes": 600, "root": "cd" * 32}],
        "uncommitted": [],
        "verified": {"at": TIME, "listed_at": TIME, "tables": ["photos"]},
        "replicas": {"confirmed": [], "silent": []},
        "backups": {"horizon_days": 0, "until": TIME},
        "exceptions": [],
        "number": number,
        "previous": previous,
    }
    return key.signed({**document, **told})


def chain(key: ReceiptKey, length: int) -> list[bytes]:
    """The first receipts of tenant `acme`."""
    made: list[bytes] = []
    for number in range(1, length + 1):
        previous = hashlib.sha256(made[-1]).hexdigest() if made else FIRST
        made.append(receipt(key, number, previous))
    return made
