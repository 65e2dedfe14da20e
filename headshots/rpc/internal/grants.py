"""Grants: what the gateway allows an internal call to do, signed with the deployment's secret.

A grant travels in the call's metadata as ``v1.<payload>.<signature>``: canonical JSON and its HMAC-SHA256, both in
URL-safe base64 without padding.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass

from headshots.errors import FieldViolation, PermissionDeniedError, UnauthenticatedError

METADATA_KEY = "x-headshots-grant"
LIFETIME_SECONDS = 300
"""From its signing a grant may start calls for so long; a call that runs longer goes on."""
CLOCK_SKEW_SECONDS = 60
"""How far the clocks of two services may differ."""
_VERSION = "v1"
_CURE = "this port is internal: call the gateway"


@dataclass(frozen=True)
class Grant:
    """What one call may do.

    ``audience`` is the service that it may call (``trainer``, ``generator``) and ``method`` the name of the RPC. All
    else is empty where the call needs none of it: ``reads`` the object-store prefixes below which it may read,
    ``writes`` the one below which it may write, ``job`` the training job, ``adapter`` the SHA-256 of the adapter that
    it is about, ``rights`` the digest of what the tenant says of rights. Prefixes are folders without a closing slash.
    """

    audience: str
    method: str
    tenant: str = ""
    reads: tuple[str, ...] = ()
    writes: str = ""
    job: str = ""
    adapter: str = ""
    rights: str = ""

    def check_equal(self, field: str, value: str, granted: str) -> None:
        """Hold a field to the granted value.

        Raises:
            PermissionDeniedError: GRANT_TOO_NARROW, naming the field.
        """
        if not granted or value != granted:
            raise _too_narrow(field)

    def check_readable(self, field: str, key: str) -> None:
        """Hold a key to the prefixes below which the call may read.

        Raises:
            PermissionDeniedError: GRANT_TOO_NARROW, naming the field.
        """
        if not any(_is_below(key, prefix) for prefix in self.reads):
            raise _too_narrow(field)

    def check_writable(self, field: str, prefix: str) -> None:
        """Hold a prefix to the one below which the call may write.

        Raises:
            PermissionDeniedError: GRANT_TOO_NARROW, naming the field.
        """
        if not _is_below(prefix, self.writes):
            raise _too_narrow(field)


def sign(grant: Grant, secret: bytes, now: float) -> str:
    """The grant as metadata; ``now`` in seconds since the epoch."""
    issued = int(now)
    facts = {**dataclasses.asdict(grant), "issued": issued, "expires": issued + LIFETIME_SECONDS}
    payload = _encode(json.dumps(facts, sort_keys=True, separators=(",", ":")).encode())
    return f"{_VERSION}.{payload}.{_encode(_signature(payload, secret))}"


def verify(token: str, secrets: Sequence[bytes], now: float) -> Grant:
    """The grant in a call's metadata.

    Raises:
        UnauthenticatedError: GRANT_MISSING, GRANT_INVALID, GRANT_EXPIRED.
    """
    if not token:
        raise UnauthenticatedError("GRANT_MISSING", f"the call brings no grant; {_CURE}")
    version, _, rest = token.partition(".")
    payload, _, signature = rest.partition(".")
    given = _decode(signature)
    # Every secret is tried, so that the time taken does not tell which one matched.
    matches = [hmac.compare_digest(given, _signature(payload, secret)) for secret in secrets]
    if version != _VERSION or not any(matches):
        raise UnauthenticatedError(
            "GRANT_INVALID",
            "the grant was not signed with this deployment's secret (HEADSHOTS_INTERNAL_KEY_FILE, the same file for "
            f"all services); {_CURE}",
        )
    facts = json.loads(_decode(payload))
    issued, expires = facts.pop("issued"), facts.pop("expires")
    if not issued - CLOCK_SKEW_SECONDS <= now < expires + CLOCK_SKEW_SECONDS:
        raise UnauthenticatedError(
            "GRANT_EXPIRED",
            f"the grant is not valid now; let the services' clocks agree to {CLOCK_SKEW_SECONDS} s, and {_CURE}",
        )
    return _grant(facts)


def _grant(facts: dict[str, object]) -> Grant:
    """A signed grant of another version of ours may limit what this one does not know: it is refused."""
    if facts.keys() != {field.name for field in dataclasses.fields(Grant)}:
        raise UnauthenticatedError("GRANT_INVALID", "the grant is of another version of headshots; update all services")
    return Grant(**{**facts, "reads": tuple(facts["reads"])})  # type: ignore[arg-type]


def _is_below(key: str, prefix: str) -> bool:
    """Whether ``key`` is ``prefix`` or lies in that folder, by whole names."""
    parts = key.split("/")
    plain = all(part not in ("", ".", "..") for part in parts)
    return bool(prefix) and plain and parts[: prefix.count("/") + 1] == prefix.split("/")


def _too_narrow(field: str) -> PermissionDeniedError:
    return PermissionDeniedError(
        "GRANT_TOO_NARROW",
        f"{field}: the grant of this call does not allow it; {_CURE}",
        violations=[FieldViolation(field, "is not what the call's grant allows")],
    )


def _signature(payload: str, secret: bytes) -> bytes:
    return hmac.new(secret, f"{_VERSION}.{payload}".encode("utf-8", "surrogatepass"), hashlib.sha256).digest()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decode(text: str) -> bytes:
    """Empty where it is no base64: no signature is."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return b""
