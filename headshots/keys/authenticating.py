"""Tells a server who calls: the tenant of the API key in a call's metadata.

Keys are remembered, so that a database that is slow or away stops nobody who was known. One query every quarter of a
second tells whether any key was revoked, by whichever process; then all are forgotten, and the open streams of those
keys end. Where the database cannot be asked, a key is known for a minute more.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator, Mapping

from sqlalchemy.engine import Engine

from headshots.errors import HeadshotsError
from headshots.keys import rows
from headshots.keys.open_calls import OpenCall
from headshots.pauses import pause
from headshots.rpc.auth import bearer_token, parts_of_key
from headshots.threads import in_key_thread

POLL_SECONDS = 0.25
"""Between two looks for keys that another process has revoked."""
KEPT_SECONDS = 60.0
"""How long keys are known after the last look that succeeded."""
_LAST_RETRY_SECONDS = 2.0
_MAX_REMEMBERED = 10_000
_LOG = logging.getLogger(__name__)


class KnownKeys:
    """The keys of one database as a server knows them. Until `run` runs, every call is looked up."""

    def __init__(
        self, engine: Engine, *, poll_seconds: float = POLL_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._engine = engine
        self._poll_seconds = poll_seconds
        self._clock = clock
        self._lock = threading.Lock()
        # (digest of the secret, tenant) by the key's id; the last used last.
        self._remembered: OrderedDict[str, tuple[str, str]] = OrderedDict()
        # How often all was forgotten: what was looked up before is not remembered after.
        self._forgettings = 0
        self._revision: tuple[int, int] | None = None
        self._confirmed_at = float("-inf")
        self._calls: defaultdict[str, set[OpenCall]] = defaultdict(set)
        self._woken = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        rows.revocation_listeners.add(self)

    async def authenticate(self, metadata: Mapping[str, str]) -> str:
        """The tenant whose key is in a call's metadata.

        Raises:
            UnauthenticatedError: API_KEY_MISSING, API_KEY_INVALID.
            UnavailableError: DATABASE_UNAVAILABLE, of a key that is not remembered.
        """
        key = bearer_token(metadata)
        tenant = self._recall(key)
        while tenant is None:
            before = self._forgettings
            found = await in_key_thread(rows.tenant_of_key, self._engine, key)
            # Where a key was revoked meanwhile, it may have been this one.
            if self._remember(key, found, before):
                tenant = found
        return tenant

    @contextlib.contextmanager
    def open_call(self, key_id: str) -> Iterator[OpenCall]:
        """A call that ends when the key is revoked. To be entered without a pause after the key was authenticated."""
        call = OpenCall()
        self._calls[key_id].add(call)
        try:
            yield call
        finally:
            self._calls[key_id].discard(call)
            if not self._calls[key_id]:
                del self._calls[key_id]

    async def run(self) -> None:
        """Looks for revoked keys until it is cancelled."""
        self._loop = asyncio.get_running_loop()
        delay = self._poll_seconds
        while True:
            try:
                await self._look()
                delay = self._poll_seconds
            except HeadshotsError:
                # The database's part has logged it.
                delay = min(2 * delay, _LAST_RETRY_SECONDS)
            except Exception:  # noqa: BLE001 - whatever it was, revocations have to be seen
                _LOG.exception("cannot look for revoked keys; trying again")
            await pause(self._woken, delay)
            self._woken.clear()

    def revoked(self, key_id: str) -> None:
        """This process has revoked the key: it is refused at once. From any thread."""
        self._forget()
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._woken.set)

    async def _look(self) -> None:
        """Where a key was revoked since the last look, forgets all, and ends the calls of such keys."""
        begun_at = self._clock()
        revision = await in_key_thread(rows.keys_revision, self._engine)
        if revision != self._revision:
            self._forget()
            open_keys = list(self._calls)
            valid = await in_key_thread(rows.valid_keys, self._engine, open_keys)
            for key_id in set(open_keys) - valid:
                for call in self._calls.get(key_id, ()):
                    call.end()
            self._revision = revision
        self._confirmed_at = begun_at

    def _recall(self, key: str) -> str | None:
        """The tenant of a key that is remembered."""
        key_id, secret = parts_of_key(key)
        digest = rows.digest_of_secret(secret)
        with self._lock:
            known = self._remembered.get(key_id)
            if known is None or self._clock() - self._confirmed_at > KEPT_SECONDS:
                return None
            self._remembered.move_to_end(key_id)
        return known[1] if hmac.compare_digest(digest, known[0]) and key.startswith("hs_") else None

    def _remember(self, key: str, tenant: str, before: int) -> bool:
        """Remembers the key, unless all was forgotten since `before`; whether it was not."""
        key_id, secret = parts_of_key(key)
        with self._lock:
            if self._forgettings != before:
                return False
            self._remembered[key_id] = (rows.digest_of_secret(secret), tenant)
            if len(self._remembered) > _MAX_REMEMBERED:
                self._remembered.popitem(last=False)
        return True

    def _forget(self) -> None:
        with self._lock:
            self._remembered.clear()
            self._forgettings += 1
