"""Tells a server who calls: the tenant of the API key in a call's metadata."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.engine import Engine

from headshots.keys.rows import tenant_of_key
from headshots.rpc.auth import Authenticator, bearer_token
from headshots.threads import in_thread


def authenticator(engine: Engine) -> Authenticator:
    """The function that a server's interceptor asks who is calling. Revocation takes effect at once: no cache."""

    async def authenticate(metadata: Mapping[str, str]) -> str:
        return await in_thread(tenant_of_key, engine, bearer_token(metadata))

    return authenticate
