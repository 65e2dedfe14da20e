"""Makes, lists, revokes and checks API keys: `hs_<id>_<secret>`.

The secret is 256 random bits and only its SHA-256 is stored: with that much entropy a slow password hash would buy
nothing, and a stolen table still holds no key. Comparison is constant in time. Blocking; call through `to_thread`.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from headshots.database import database_now, read, write
from headshots.errors import NotFoundError, UnauthenticatedError
from headshots.keys.tenants import DEFAULT_TENANT, create_tenant
from headshots.rpc.auth import parts_of_key
from headshots.schema import api_keys

# The longest list of values in a query.
_CHUNK = 500
# Compared against when the id is unknown, so that a wrong id takes as long as a wrong secret.
_NO_DIGEST = "0" * 64


class RevocationListener(Protocol):
    """Is told of each key that this process revokes."""

    def revoked(self, key_id: str) -> None:
        """The key is refused from now on. May be called from any thread."""
        ...


revocation_listeners: weakref.WeakSet[RevocationListener] = weakref.WeakSet()
"""Of this process; other processes' revocations show in `keys_revision`."""


@dataclass(frozen=True)
class ApiKey:
    """What is known of a key; the secret is not. Times are seconds since the epoch."""

    id: str
    tenant_id: str
    label: str
    created_at: float
    revoked_at: float | None


def create_key(engine: Engine, tenant_id: str = DEFAULT_TENANT, *, label: str = "") -> str:
    """Makes a key of a tenant, and the tenant where it is new. The answer is the only copy of the key.

    Raises:
        InvalidArgumentError: TENANT_ID_INVALID.
    """
    create_tenant(engine, tenant_id)
    key = new_key()
    insert_key(engine, tenant_id, key, label)
    return key


def new_key() -> str:
    """A fresh key, which no database knows yet."""
    return f"hs_{secrets.token_hex(8)}_{secrets.token_urlsafe(32)}"


def insert_key(engine: Engine, tenant_id: str, key: str, label: str) -> None:
    """Lets the key in from now on. The tenant has to exist."""
    key_id, secret = parts_of_key(key)
    with write(engine) as connection:
        connection.execute(
            sa.insert(api_keys).values(
                id=key_id,
                tenant_id=tenant_id,
                secret_sha256=digest_of_secret(secret),
                label=label,
                created_at=database_now(connection),
            )
        )


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
    for listener in list(revocation_listeners):
        listener.revoked(key_id)


def keys_revision(engine: Engine) -> tuple[int, int]:
    """What changes when a key is revoked or removed, by whichever process."""
    query = sa.select(sa.func.count(), sa.func.count(api_keys.c.revoked_at)).select_from(api_keys)
    with read(engine) as connection:
        known, revoked = connection.execute(query).one()
    return int(known), int(revoked)


def valid_keys(engine: Engine, key_ids: Sequence[str]) -> set[str]:
    """Those of the keys with these ids that are not revoked."""
    valid: set[str] = set()
    with read(engine) as connection:
        for at in range(0, len(key_ids), _CHUNK):
            wanted = sa.and_(api_keys.c.id.in_(key_ids[at : at + _CHUNK]), api_keys.c.revoked_at.is_(None))
            valid |= set(connection.execute(sa.select(api_keys.c.id).where(wanted)).scalars())
    return valid


def tenant_of_key(engine: Engine, key: str) -> str:
    """The id of the tenant that the key names.

    Raises:
        UnauthenticatedError: API_KEY_INVALID, for an unknown, wrong, revoked or malformed key alike.
    """
    with read(engine) as connection:
        return _tenant_of_key(connection, key)


def _tenant_of_key(connection: Connection, key: str) -> str:
    key_id, secret = parts_of_key(key)
    row = connection.execute(
        sa.select(api_keys.c.tenant_id, api_keys.c.secret_sha256).where(
            api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None)
        )
    ).first()
    matches = hmac.compare_digest(digest_of_secret(secret), row.secret_sha256 if row else _NO_DIGEST)
    if row is None or not matches or not key.startswith("hs_"):
        raise UnauthenticatedError(
            "API_KEY_INVALID", "the API key is unknown or revoked; make one with `headshots keys create`"
        )
    return str(row.tenant_id)


def digest_of_secret(secret: str) -> str:
    """The SHA-256, in hex, by which a secret is known."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
