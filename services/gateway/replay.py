"""Erases again who came back from a backup, and brings receipts back: ``python -m services.gateway.replay``.

`headshots erasure replay` runs it. Settings are the gateway's. It prints a JSON object of what it did, and ends with 1
and a message where it cannot.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import sys

from headshots.artifacts import ArtifactStore
from headshots.database import migrate, open_database
from headshots.errors import HeadshotsError
from headshots.receipts.signing import ReceiptKey
from services.gateway.erasures.issuing import Issuer
from services.gateway.settings import GatewaySettings
from services.gateway.subjects.replaying import Replayed, replay


def run(settings: GatewaySettings) -> Replayed:
    """Replays the whole log; a database of an older version is migrated first. Raises as `replay`.

    And RECEIPT_KEY_INVALID, STORE_URL_INVALID and the like.
    """
    store = ArtifactStore.open(settings.store_url)
    log = settings.erasing.open_log(store)
    # The database may be from before the key was. Where there is none, none is made.
    key = ReceiptKey.open(settings.receipt_key) if settings.receipt_key.exists() else None
    own = Issuer(key, backup_horizon_days=settings.backup_horizon_days) if key is not None else None
    database = open_database(settings.database_url)
    try:
        migrate(database)
        return replay(database, store, log, own)
    finally:
        database.dispose()


def main() -> int:
    """Entry point; the exit status tells whether all were erased."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        settings = GatewaySettings.from_environment(os.environ)
        told = {
            "log": settings.erasure_log_url or settings.store_url,
            "log_is_in_store": settings.erasure_log_url is None,
        }
        print(json.dumps({**dataclasses.asdict(run(settings)), **told}))
    except HeadshotsError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
