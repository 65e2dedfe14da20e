"""Signs grants for the calls of a client."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable

from headshots.rpc.internal.grants import METADATA_KEY, Grant, sign
from headshots.rpc.internal.secret import Secret

_ALIAS = b"headshots replica v1\n"


class Signer:
    """Signs with the deployment's secret; a new grant for every call."""

    def __init__(self, secret: Secret, clock: Callable[[], float] = time.time) -> None:
        """``clock``: seconds since the epoch."""
        self._secret, self._clock = secret, clock

    def metadata(self, grant: Grant) -> tuple[tuple[str, str], ...]:
        """The metadata of a call that ``grant`` allows."""
        return ((METADATA_KEY, sign(grant, self._secret.signing, self._clock())),)

    def alias(self, address: str) -> str:
        """A name for a server, 16 hex digits: the same while the secret is, and without it nobody finds the address."""
        return hmac.digest(self._secret.signing, _ALIAS + address.encode(), hashlib.sha256).hex()[:16]
