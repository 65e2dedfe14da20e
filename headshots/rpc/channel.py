"""Opens every client's channel."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import grpc
import grpc.aio

from headshots.rpc.statuses import error_from_rpc

__all__ = ["NO_RETRIES", "channel_arguments", "channel_options", "error_from_rpc", "open_channel", "service_config"]

# UNAVAILABLE means that the server did not take the call, so any call may be tried again.
_RETRY_POLICY = {
    "maxAttempts": 4,
    "initialBackoff": "0.2s",
    "maxBackoff": "3s",
    "backoffMultiplier": 2.5,
    "retryableStatusCodes": ["UNAVAILABLE"],
}

NO_RETRIES = {"grpc.service_config": json.dumps({"loadBalancingConfig": [{"pick_first": {}}]})}
"""Channel argument for one address where a refused call goes elsewhere at once, instead of to the same server later."""


def service_config(once: Sequence[tuple[str, str]] = ()) -> str:
    """Round robin and retries. Calls of `once`, each a full service's name and a method, are tried once: they fail at
    once where nobody listens."""
    names = [{"service": service, "method": method} for service, method in once]
    config = {
        "loadBalancingConfig": [{"round_robin": {}}],
        "methodConfig": [{"name": [{}], "retryPolicy": _RETRY_POLICY}, *([{"name": names}] if names else [])],
    }
    return json.dumps(config)


def channel_options(max_message_bytes: int = 32 * 2**20) -> list[tuple[str, str | int]]:
    """Channel arguments: retries, round robin over all addresses of a name, keep-alive, message size."""
    return [
        ("grpc.service_config", service_config()),
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", max_message_bytes),
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
    ]


def channel_arguments(address: str, options: Mapping[str, str | int] | None = None) -> list[tuple[str, str | int]]:
    """``channel_options`` with ``options`` on top; a proxy of the environment is not asked for this machine itself."""
    # A dictionary, because gRPC takes the first of two arguments with the same name.
    arguments = dict(channel_options())
    host = host_of(address)
    if host in ("localhost", "::1") or host.startswith("127."):
        arguments["grpc.enable_http_proxy"] = 0
    return list({**arguments, **(options or {})}.items())


def host_of(address: str) -> str:
    """The host of ``host:port``, ``dns:///host:port`` or ``[address]:port``."""
    return address.rpartition("/")[2].rpartition(":")[0].strip("[]")


def open_channel(
    address: str,
    *,
    root_certificates: bytes | None = None,
    credentials: grpc.ChannelCredentials | None = None,
    interceptors: Sequence[grpc.aio.ClientInterceptor] = (),
    options: Mapping[str, str | int] | None = None,
) -> grpc.aio.Channel:
    """Open a channel to ``host:port``; with TLS where ``root_certificates`` (PEM) or ``credentials`` are given.

    It connects lazily.
    ``options`` are channel arguments that come on top of, or instead of, those of ``channel_options``.
    """
    arguments = channel_arguments(address, options)
    if root_certificates is not None:
        credentials = grpc.ssl_channel_credentials(root_certificates)
    if credentials is not None:
        return grpc.aio.secure_channel(address, credentials, options=arguments, interceptors=list(interceptors))
    return grpc.aio.insecure_channel(address, options=arguments, interceptors=list(interceptors))
