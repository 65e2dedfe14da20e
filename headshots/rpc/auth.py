"""Holds the tenant of the running call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar

from headshots.errors import UnauthenticatedError

# Metadata of a call (lower-case keys) to the tenant's id; raises UnauthenticatedError.
Authenticator = Callable[[Mapping[str, str]], Awaitable[str]]

_tenant: ContextVar[str] = ContextVar("headshots_tenant")


def current_tenant() -> str:
    """The tenant whose key made the running call. Only on servers started with an authenticator."""
    return _tenant.get()


def set_current_tenant(tenant: str) -> None:
    """For the interceptor, and for tests that call an engine directly."""
    _tenant.set(tenant)


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
