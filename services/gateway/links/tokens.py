"""Signs what a served link may open: one object, until a time. Every gateway of an installation can check it.

A token reads `<payload>.<signature>`: JSON and its HMAC-SHA256, both in URL-safe base64 without padding. The key is
derived from the secret of internal calls, so that neither a grant nor a link can stand for the other.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import json

from headshots.rpc.internal.secret import Secret
from services.gateway.links.models import LinkedFile

_PURPOSE = b"headshots image links v1"


class LinkTokens:
    """Signs with the first line of the secret's file, and takes what either line signed."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    def sign(self, file: LinkedFile, expires_at: int) -> str:
        """The token that opens ``file`` until ``expires_at``."""
        facts = {**dataclasses.asdict(file), "expires_at": expires_at}
        payload = _encode(json.dumps(facts, sort_keys=True, separators=(",", ":")).encode())
        return f"{payload}.{_encode(_signature(payload, self._secret.signing))}"

    def open(self, token: str, now: float) -> LinkedFile | None:
        """What the token opens now; None where it is not one of ours, was changed, or has expired."""
        payload, _, signature = token.partition(".")
        given = signature.encode("utf-8", "surrogatepass")
        # Every secret is tried, so that the time taken does not tell which one matched. Compared as text: base64 has
        # several texts for the same bytes.
        matches = [
            hmac.compare_digest(given, _encode(_signature(payload, secret)).encode())
            for secret in self._secret.verifying
        ]
        if not any(matches):
            return None
        facts = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        if now >= facts.pop("expires_at"):
            return None
        return LinkedFile(**facts)


def _signature(payload: str, secret: bytes) -> bytes:
    key = hmac.digest(secret, _PURPOSE, hashlib.sha256)
    return hmac.digest(key, payload.encode("utf-8", "surrogatepass"), hashlib.sha256)


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
