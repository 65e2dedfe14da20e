"""Leaves the first key of an embedded database in a file, for its owner only. Blocking."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from sqlalchemy.engine import Engine

from headshots.errors import UnauthenticatedError
from headshots.keys import rows
from headshots.keys.tenants import DEFAULT_TENANT, create_tenant
from headshots.settings import make_private

_LOG = logging.getLogger(__name__)


def ensure_default_key(engine: Engine, key_file: Path) -> None:
    """For the first start of the embedded default: leaves a key of tenant `default` in `key_file`, for its owner only.

    Where the database has any key, be it revoked, nothing is made: who revoked it does not want the next start to let
    the same file's reader in again.
    """
    create_tenant(engine, DEFAULT_TENANT, "Default")
    if rows.list_keys(engine):
        if not _works(engine, key_file):
            _LOG.warning(
                "%s; the database has keys already, so none was made. `headshots keys create --save` leaves one there",
                f"{key_file} holds no key that works" if key_file.exists() else f"there is no {key_file}",
            )
        return
    key = rows.new_key()
    # The file first: a crash in between leaves a database without keys, and the next start begins anew.
    write_key_file(key_file, key)
    rows.insert_key(engine, DEFAULT_TENANT, key, "made on first start")


def write_key_file(key_file: Path, key: str) -> None:
    """Leaves the key in the file, whole or not at all, for its owner only."""
    make_private(key_file.parent)
    fresh = key_file.with_name(f"{key_file.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(key + "\n")
    fresh.replace(key_file)


def _works(engine: Engine, key_file: Path) -> bool:
    try:
        rows.tenant_of_key(engine, key_file.read_text().strip())
    except (FileNotFoundError, UnauthenticatedError):
        return False
    return True
