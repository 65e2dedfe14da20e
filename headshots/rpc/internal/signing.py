"""Signs grants for the calls of a client."""

from __future__ import annotations

import time
from collections.abc import Callable

from headshots.rpc.internal.grants import METADATA_KEY, Grant, sign
from headshots.rpc.internal.secret import Secret


class Signer:
    """Signs with the deployment's secret; a new grant for every call."""

    def __init__(self, secret: Secret, clock: Callable[[], float] = time.time) -> None:
        """``clock``: seconds since the epoch."""
        self._secret, self._clock = secret, clock

    def metadata(self, grant: Grant) -> tuple[tuple[str, str], ...]:
        """The metadata of a call that ``grant`` allows."""
        return ((METADATA_KEY, sign(grant, self._secret.signing, self._clock())),)
