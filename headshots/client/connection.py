"""Holds one channel to a gateway, for unary calls, paging, and watches that survive a restart of the server."""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self, cast

import grpc

from headshots.client.roots import RootCertificates, trusted_roots
from headshots.client.stub import METHODS, GatewayStub, full_name
from headshots.client.target import check_address, check_api_key
from headshots.client.watching import Reconnect, WatchState, ended_too_early, went_away
from headshots.errors import HeadshotsError, UnavailableError
from headshots.rpc.channel import error_from_rpc, open_channel
from headshots.telemetry.calls import Metadata, adopted, calling

# Calls that may be sent twice: reads, creates and regenerations (each carries a request_id), updates, cancels, what is
# given, extended, held and released.
_IDEMPOTENT_VERBS = (
    *("Get", "List", "Create", "Update", "Cancel", "Archive", "Preview", "Regenerate"),
    *("Give", "Extend", "Hold", "Release"),
)
IDEMPOTENT_CALLS = tuple(
    (service, method)
    for service, methods in METHODS.items()
    for method in methods
    if method.startswith(_IDEMPOTENT_VERBS)
)
# gRPC itself repeats these, up to five times over some four seconds; see gRFC A6. A gateway that ends cancels what it
# could not finish, and nothing that a caller cancels is repeated.
SERVICE_CONFIG = json.dumps(
    {
        "loadBalancingConfig": [{"round_robin": {}}],
        "methodConfig": [
            {
                "name": [{"service": service, "method": method} for service, method in IDEMPOTENT_CALLS],
                "retryPolicy": {
                    "maxAttempts": 5,
                    "initialBackoff": "0.25s",
                    "maxBackoff": "2s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],
                },
            }
        ],
    }
)
CHANNEL_OPTIONS: dict[str, str | int] = {
    "grpc.service_config": SERVICE_CONFIG,
    # By default gRPC looks less and less often for a server that is away, in the end every two minutes, and all clients
    # of a process share that: one that was just opened gave up while the gateway was there again.
    "grpc.initial_reconnect_backoff_ms": 200,
    "grpc.max_reconnect_backoff_ms": 1000,
    "grpc.use_local_subchannel_pool": 1,
}


class Connection:
    """The base of `AsyncHeadshots`: what all groups of calls share. Use it from one event loop."""

    def __init__(
        self,
        address: str,
        api_key: str,
        *,
        root_certificates: RootCertificates = None,
        timeout_seconds: float = 30.0,
        upload_timeout_seconds: float = 600.0,
        reconnect_seconds: float = 60.0,
        wait_for_gateway: bool = False,
        on_reconnect: Callable[[HeadshotsError], None] | None = None,
    ) -> None:
        """Nothing is sent until the first call.

        Args:
            address: `host:port` of a gateway.
            api_key: `hs_…`; it names the tenant.
            root_certificates: PEM of the authorities to trust, or "system" for those that this machine trusts (see
                `headshots.client.roots.system_roots`): TLS where given, plain text where not.
            timeout_seconds: deadline of a call, uploads and watches apart.
            upload_timeout_seconds: deadline of an upload or a download.
            reconnect_seconds: how long a watch tries to reach a gateway that went away.
            wait_for_gateway: whether calls wait until their deadline while no gateway can be reached. Else they raise
                SERVER_UNREACHABLE, after four seconds of tries where they may be sent twice.
            on_reconnect: called with the cause each time a watch has lost its gateway and starts to reconnect.

        Raises:
            InvalidArgumentError: ADDRESS_INVALID, CERTIFICATES_INVALID, CERTIFICATES_MISSING.
            UnauthenticatedError: API_KEY_INVALID, of a key that cannot be sent.
        """
        check_address(address)
        check_api_key(api_key)
        self._address, self._root_certificates = address, trusted_roots(root_certificates)
        self._metadata = (("authorization", f"Bearer {api_key}"),)
        self._timeout, self._upload_timeout = timeout_seconds, upload_timeout_seconds
        self._reconnect, self._on_reconnect = reconnect_seconds, on_reconnect
        self._wait_for_gateway = wait_for_gateway
        self._channel: grpc.aio.Channel | None = None
        self._open_stub: Any = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the channel. A later call opens a new one."""
        channel, self._channel, self._open_stub = self._channel, None, None
        if channel is not None:
            await channel.close()

    @property
    def _stub(self) -> Any:
        # Lazily: a grpc.aio channel belongs to the loop that runs when it is made.
        if self._channel is None:
            self._channel = open_channel(
                self._address, root_certificates=self._root_certificates, options=CHANNEL_OPTIONS
            )
            self._open_stub = GatewayStub(self._channel)
        return self._open_stub

    async def _unary(self, method: str, request: Any) -> Any:
        try:
            with self._calling(method) as metadata:
                return await getattr(self._stub, method)(
                    request, timeout=self._timeout, metadata=metadata, wait_for_ready=self._wait_for_gateway
                )
        except grpc.aio.AioRpcError as error:
            raise self._error_from(error) from error

    def _error_from(self, error: grpc.RpcError) -> HeadshotsError:
        """The error that the server reported; a server that does not know the call is not a gateway."""
        if cast(grpc.Call, error).code() is grpc.StatusCode.UNIMPLEMENTED:
            return UnavailableError(
                "NOT_A_GATEWAY",
                f"the server at {self._address} does not speak the gateway's API, or an older one; a trainer and a "
                "generator listen on ports of their own",
            )
        return error_from_rpc(error)

    async def _pages(self, method: str, request: Any, field: str) -> AsyncIterator[Any]:
        """Every item of every page of a List call; `request` is used up."""
        while True:
            response = await self._unary(method, request)
            for item in getattr(response, field):
                yield item
            if not response.next_page_token:
                return
            request.page_token = response.next_page_token

    async def _stream(self, method: str, request: Any) -> AsyncIterator[Any]:
        """Every message of a call that streams its answer, under the deadline of an upload."""
        try:
            with self._calling(method) as metadata:
                call = getattr(self._stub, method)(
                    request, timeout=self._upload_timeout, metadata=metadata, wait_for_ready=self._wait_for_gateway
                )
                try:
                    async for message in call:
                        yield message
                finally:
                    call.cancel()
        except grpc.aio.AioRpcError as error:
            raise self._error_from(error) from error

    async def _watch(
        self,
        method: str,
        request: Any,
        is_terminal: Callable[[Any], bool],
        event_number: Callable[[Any], int] = lambda _message: 0,
    ) -> AsyncIterator[Any]:
        """Messages of a Watch call, until the server ends it after one that `is_terminal`.

        Connects again when the server goes away before that. Where messages have an `event_number`, the next call asks
        for those after the last one seen, so that callers see each once. Else every connection starts with the whole
        present: callers miss nothing, and see some messages twice.

        Raises:
            UnavailableError: no gateway answered for `reconnect_seconds`.
        """
        seen = WatchState(request, is_terminal, event_number)
        reconnect = Reconnect(self._reconnect, self._on_reconnect)
        while True:
            try:
                async with contextlib.aclosing(self._messages(method, request)) as messages:
                    async for message in messages:
                        reconnect.succeeded()
                        seen.record(message)
                        yield message
                if seen.complete:
                    return
                cause = ended_too_early(method)
            except grpc.aio.AioRpcError as error:
                if seen.ended:
                    # The last message arrived; only the end of the stream was lost.
                    return
                cause = self._error_from(error)
                cause.__cause__ = error
                if not went_away(error):
                    raise cause from error
            await reconnect.wait(cause)

    async def _messages(self, method: str, request: Any) -> AsyncGenerator[Any, None]:
        """Every message of one call that streams its answer, without a deadline; it ends with the iterator."""
        with self._calling(method) as metadata:
            call = getattr(self._stub, method)(request, metadata=metadata)
            try:
                async for message in call:
                    yield message
            finally:
                call.cancel()

    def _calling(self, method: str) -> AbstractContextManager[Metadata]:
        """The metadata of a call, and its span where the program traces."""
        return calling(full_name(method), self._metadata, adopted())


def new_request_id() -> str:
    """A fresh id that makes a create idempotent."""
    return uuid.uuid4().hex
