"""Makes and checks tenants and their API keys: `hs_<id>_<secret>`.

The secret is 256 random bits and only its SHA-256 is stored: with that much entropy a slow password hash would buy
nothing, and a stolen table still holds no key. Comparison is constant in time. Blocking; call through `to_thread`.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Engine

from headshots.database import database_now, read, write
from headshots.errors import InvalidArgumentError, NotFoundError, UnauthenticatedError
from headshots.rpc.auth import Authenticator, bearer_token
from headshots.schema import api_keys, tenants
from headshots.settings import make_private
from headshots.threads import in_thread

DEFAULT_TENANT = "default"
_LOG = logging.getLogger(__name__)
_TENANT_ID = re.compile(r"[a-z0-9-]{1,64}")
# Compared against when the id is unknown, so that a wrong id takes as long as a wrong secret.
_NO_DIGEST = "0" * 64


@dataclass(frozen=True)
class ApiKey:
    """What is known of a key; the secret is not. Times are seconds since the epoch."""

    id: str
    tenant_id: str
    label: str
    created_at: float
    revoked_at: float | None


def create_tenant(engine: Engine, tenant_id: str, display_name: str = "") -> None:
    """Makes a tenant unless it is there.

    Raises:
        InvalidArgumentError: TENANT_ID_INVALID.
    """
    if not _TENANT_ID.fullmatch(tenant_id):
        raise InvalidArgumentError(
            "TENANT_ID_INVALID", f"{tenant_id!r}: a tenant's id is 1 to 64 characters of a-z, 0-9 and -"
        )
    with write(engine) as connection:
        insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        # One statement: between a look and an insert another process could make it.
        connection.execute(
            insert(tenants)
            .values(id=tenant_id, display_name=display_name, created_at=database_now(connection))
            .on_conflict_do_nothing()
        )


def create_key(engine: Engine, tenant_id: str = DEFAULT_TENANT, *, label: str = "") -> str:
    """Makes a key of a tenant, and the tenant where it is new. The answer is the only copy of the key.

    Raises:
        InvalidArgumentError: TENANT_ID_INVALID.
    """
    create_tenant(engine, tenant_id)
    key = _new_key()
    _insert_key(engine, tenant_id, key, label)
    return key


def _new_key() -> str:
    return f"hs_{secrets.token_hex(8)}_{secrets.token_urlsafe(32)}"


def _insert_key(engine: Engine, tenant_id: str, key: str, label: str) -> None:
    key_id, secret = _parts(key)
    with write(engine) as connection:
        connection.execute(
            sa.insert(api_keys).values(
                id=key_id,
                tenant_id=tenant_id,
                secret_sha256=_digest(secret),
                label=label,
                created_at=database_now(connection),
            )
        )


def id_of_key(key: str) -> str:
    """The id in a key, `hs_<id>_<secret>`, which is no secret; of an id, itself."""
    return _parts(key)[0]


def _parts(key: str) -> tuple[str, str]:
    """(id, secret)."""
    key_id, _, secret = key.removeprefix("hs_").partition("_")
    return key_id, secret


def list_keys(engine: Engine, tenant_id: str | None = None) -> list[ApiKey]:
    """Keys, oldest first, revoked ones included; of one tenant or of all."""
    query = sa.select(api_keys).order_by(api_keys.c.created_at, api_keys.c.id)
    if tenant_id is not None:
        query = query.where(api_keys.c.tenant_id == tenant_id)
    with read(engine) as connection:
        return [
            ApiKey(row.id, row.tenant_id, row.label, row.created_at, row.revoked_at)
            for row in connection.execute(query)
        ]


def revoke_key(engine: Engine, key_id: str) -> None:
    """Refuses the key from now on; revoking twice is fine.

    Raises:
        NotFoundError: API_KEY_NOT_FOUND.
    """
    with write(engine) as connection:
        known = connection.execute(
            sa.update(api_keys)
            .where(api_keys.c.id == key_id)
            .values(revoked_at=sa.func.coalesce(api_keys.c.revoked_at, database_now(connection)))
        )
        if known.rowcount == 0:
            raise NotFoundError("API_KEY_NOT_FOUND", f"no key has the id {key_id!r}; `headshots keys list` shows them")


def tenant_of_key(engine: Engine, key: str) -> str:
    """The id of the tenant that the key names.

    Raises:
        UnauthenticatedError: API_KEY_INVALID, for an unknown, wrong, revoked or malformed key alike.
    """
    with read(engine) as connection:
        return _tenant_of_key(connection, key)


def _tenant_of_key(connection: Connection, key: str) -> str:
    key_id, secret = _parts(key)
    row = connection.execute(
        sa.select(api_keys.c.tenant_id, api_keys.c.secret_sha256).where(
            api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None)
        )
    ).first()
    matches = hmac.compare_digest(_digest(secret), row.secret_sha256 if row else _NO_DIGEST)
    if row is None or not matches or not key.startswith("hs_"):
        raise UnauthenticatedError(
            "API_KEY_INVALID", "the API key is unknown or revoked; make one with `headshots keys create`"
        )
    return str(row.tenant_id)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def authenticator(engine: Engine) -> Authenticator:
    """The function that a server's interceptor asks who is calling. Revocation takes effect at once: no cache."""

    async def authenticate(metadata: Mapping[str, str]) -> str:
        return await in_thread(tenant_of_key, engine, bearer_token(metadata))

    return authenticate


def ensure_default_key(engine: Engine, key_file: Path) -> None:
    """For the first start of the embedded default: leaves a key of tenant `default` in `key_file`, for its owner only.

    Where the database has any key, be it revoked, nothing is made: who revoked it does not want the next start to let
    the same file's reader in again.
    """
    create_tenant(engine, DEFAULT_TENANT, "Default")
    if list_keys(engine):
        if not _works(engine, key_file):
            _LOG.warning(
                "%s; the database has keys already, so none was made. `headshots keys create --save` leaves one there",
                f"{key_file} holds no key that works" if key_file.exists() else f"there is no {key_file}",
            )
        return
    key = _new_key()
    # The file first: a crash in between leaves a database without keys, and the next start begins anew.
    write_key_file(key_file, key)
    _insert_key(engine, DEFAULT_TENANT, key, "made on first start")


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
        tenant_of_key(engine, key_file.read_text().strip())
    except (FileNotFoundError, UnauthenticatedError):
        return False
    return True
