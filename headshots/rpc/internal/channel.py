"""Channels to internal ports, which take renewed certificates without a restart."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import grpc
import grpc.aio

from headshots.rpc.channel import host_of, open_channel
from headshots.rpc.internal.certificates import Certificates
from headshots.rpc.internal.expiry import CertificatesInUse

Options = Mapping[str, str | int]


@dataclass(eq=False)
class _Opened:
    """A channel, the certificates that it was opened with, and how many calls use it."""

    channel: grpc.aio.Channel
    certificates: Certificates | None
    calls: int = 0


class InternalChannel:
    """A channel to ``address``, opened anew for the next call when the certificates have changed.

    Calls that run keep the channel that they were begun on. Used from one event loop.
    """

    def __init__(self, address: str, certificates: CertificatesInUse | None, options: Options) -> None:
        """``certificates``: None calls without TLS; ``options``: channel arguments."""
        self.address, self.certificates = address, certificates
        self._options = options
        self._newest: _Opened | None = None
        self._opened: set[_Opened] = set()

    @contextlib.asynccontextmanager
    async def held(self) -> AsyncIterator[grpc.aio.Channel]:
        """The channel for one call, which has to end within the context."""
        opened = self._current()
        opened.calls += 1
        try:
            yield opened.channel
        finally:
            opened.calls -= 1
            await self._close_unused()

    def replica(self, address: str, options: Options | None = None) -> InternalChannel:
        """A channel to one of the servers behind the name, whose certificate is the name's; in a list each has its own.

        ``options`` are channel arguments that come on top of the name's.
        """
        name = {} if "," in self.address else {"grpc.default_authority": host_of(self.address)}
        return InternalChannel(address, self.certificates, {**self._options, **name, **(options or {})})

    async def close_unused(self) -> None:
        """Close as soon as no call uses it. A later call opens it anew."""
        self._newest = None
        await self._close_unused()

    async def close(self) -> None:
        """End all calls."""
        opened, self._opened, self._newest = self._opened, set(), None
        for each in opened:
            await each.channel.close()

    async def _close_unused(self) -> None:
        for unused in [each for each in self._opened if each is not self._newest and not each.calls]:
            self._opened.discard(unused)
            await unused.channel.close()

    def _current(self) -> _Opened:
        certificates = self.certificates.current() if self.certificates is not None else None
        if self._newest is None or self._newest.certificates is not certificates:
            channel = open_channel(self.address, credentials=_credentials(certificates), options=self._options)
            self._newest = _Opened(channel, certificates)
            self._opened.add(self._newest)
        return self._newest


def _credentials(found: Certificates | None) -> grpc.ChannelCredentials | None:
    return None if found is None else grpc.ssl_channel_credentials(found.ca, found.key, found.chain)
