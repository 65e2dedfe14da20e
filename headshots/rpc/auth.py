"""Holds the tenant of the running call, and which of its API keys made it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar

from headshots.errors import UnauthenticatedError

# Metadata of a call (lower-case keys) to the tenant's id; raises UnauthenticatedError.
Authenticator = Callable[[Mapping[str, str]], Awaitable[str]]

_tenant: ContextVar[str] = ContextVar("headshots_tenant")
_key_id: ContextVar[str] = ContextVar("headshots_key_id", default="")


def current_tenant() -> str:
    """The tenant whose key made the running call. Only on servers started with an authenticator."""
    return _tenant.get()


def current_key() -> str:
    """The id of the key that made the running call; empty where none runs, as in the loops of a service.

    Also in the threads of `headshots.threads`, which take the call's context along.
    """
    return _key_id.get()


def set_current_caller(tenant: str, key_id: str) -> None:
    """For the interceptor, and for tests that call an engine directly."""
    _tenant.set(tenant)
    _key_id.set(key_id)


def id_of_key(key: str) -> str:
    """The id in a key, `hs_<id>_<secret>`, which is no secret; of an id, itself."""
    return parts_of_key(key)[0]


def parts_of_key(key: str) -> tuple[str, str]:
    """(id, secret)."""
    key_id, _, secret = key.removeprefix("hs_").partition("_")
    return key_id, secret


def bearer_token(metadata: Mapping[str, str]) -> str:
    """The token of ``authorization: Bearer …``, or of ``x-api-key``.

    Raises:
        UnauthenticatedError: API_KEY_MISSING.
    """
    scheme, _, token = metadata.get("authorization", "").partition(" ")
    token = token.strip() if scheme.lower() == "bearer" else metadata.get("x-api-key", "").strip()
    if not token:
        raise UnauthenticatedError(
            "API_KEY_MISSING",
            "send the key in the metadata: `authorization: Bearer hs_…` (make one: headshots keys create)",
        )
    return token
