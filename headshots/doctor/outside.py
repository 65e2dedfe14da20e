"""Looks at a gateway from outside, as its clients meet it."""

from __future__ import annotations

import contextlib
import socket
import ssl
import statistics
import time

import grpc

from headshots.client import Headshots
from headshots.client.roots import read_roots, trusted_roots
from headshots.client.target import check_address
from headshots.doctor.credentials import days_left
from headshots.doctor.findings import Finding, failed, ok, skipped, warning
from headshots.doctor.running import Check
from headshots.errors import UnauthenticatedError
from headshots.rpc.channel import channel_arguments, error_from_rpc, host_of
from headshots.rpc.internal.port import is_loopback

SECONDS = 10.0
"""For each look; a call's deadline is below it."""
_CALLS = 5
# In bytes, as clients are installed without the package that has these messages: a request for the whole server is
# empty, and an answer is the status in field 1.
_HEALTH, _SERVING = "/grpc.health.v1.Health/Check", b"\x08\x01"


class OutsideLook:
    """The checks of one gateway. They read the tenant's name and styles, and nothing of any person."""

    def __init__(self, address: str, api_key: str | None, tls_ca: str | None) -> None:
        """As the options of commands: `host:port`; a key, if there is one; a PEM file or `system`, for TLS."""
        self._address, self._api_key, self._tls_ca = address, api_key, tls_ca

    @property
    def checks(self) -> list[Check]:
        """In the order in which a call depends on them."""
        reach = "see that a gateway runs there, and that a firewall, proxy or Service lets this machine through"
        key = "`headshots keys create` makes a key; give it by --api-key or HEADSHOTS_API_KEY"
        return [
            Check("name", self._name, "give --gateway HOST:PORT; see that DNS knows the host", SECONDS),
            Check("connection", self._connection, reach, SECONDS, needs="name"),
            Check(
                "TLS",
                self._tls,
                "see the certificate of the proxy that ends TLS, and --tls-ca",
                SECONDS,
                needs="connection",
            ),
            Check("health", self._health, f"{reach}; its log tells why it does not serve", SECONDS, needs="TLS"),
            Check("API key", self._key, key, SECONDS, needs="TLS"),
            Check("styles", self._styles, "see the findings above, and the gateway's log", SECONDS, needs="API key"),
            Check("round trip", self._round_trip, "see the findings above", SECONDS, needs="API key"),
        ]

    def _name(self) -> Finding:
        check_address(self._address)
        try:
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except OSError as error:
            return failed(
                f"{self._host} does not resolve: {error.strerror}",
                "correct the host, or see that DNS knows it on this machine",
            )
        return ok(f"{self._host} is {', '.join(sorted({str(entry[4][0]) for entry in found}))}")

    def _connection(self) -> Finding:
        begun = time.perf_counter()
        self._connected().close()
        return ok(f"{self._address} takes connections, after {_milliseconds(time.perf_counter() - begun)}")

    def _tls(self) -> Finding:
        if self._tls_ca is None:
            return self._plain()
        pem = trusted_roots(read_roots(self._tls_ca))
        assert pem is not None
        context = ssl.create_default_context(cadata=pem.decode("ascii"))
        context.set_alpn_protocols(["h2"])
        with self._connected() as plain, context.wrap_socket(plain, server_hostname=self._host) as secured:
            certificate = secured.getpeercert()
        assert certificate, "a certificate was required"
        ends_at = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
        return days_left("the gateway's certificate names this host and", ends_at, "renew it where TLS ends")

    def _plain(self) -> Finding:
        """Without --tls-ca the client speaks no TLS: whether the other side does, and whether that is safe."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with self._connected() as plain, contextlib.suppress(ssl.SSLError, ConnectionError, TimeoutError):
            # As one does that speaks plain HTTP/2, on whom this handshake is lost.
            context.wrap_socket(plain, server_hostname=self._host).close()
            return failed(
                "the gateway speaks TLS, and this client does not",
                "give --tls-ca, the PEM of its authorities, or --tls-ca system",
            )
        if is_loopback(self._host):
            return skipped("plain text, on this machine")
        return warning(
            "plain text: whoever is on the way reads API keys and photos",
            "end TLS before the gateway (docs/operations.md, Kubernetes) and give --tls-ca, unless the network does",
        )

    def _connected(self) -> socket.socket:
        return socket.create_connection((self._host, self._port), timeout=SECONDS / 4)

    def _health(self) -> Finding:
        arguments = channel_arguments(self._address)
        pem = trusted_roots(read_roots(self._tls_ca))
        with (
            grpc.insecure_channel(self._address, arguments)
            if pem is None
            else grpc.secure_channel(self._address, grpc.ssl_channel_credentials(pem), arguments)
        ) as channel:
            try:
                call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(_HEALTH)
                answer = call(b"", timeout=SECONDS / 2)
            except grpc.RpcError as error:
                raise error_from_rpc(error) from error
        if answer == _SERVING:
            return ok("SERVING")
        return failed("it answers and does not serve: it starts, or drains", "wait, or see its log")

    def _key(self) -> Finding:
        with self._client() as client:
            return ok(f"accepted, of {client.get_tenant().name}")

    def _styles(self) -> Finding:
        with self._client() as client:
            count = len(list(client.list_styles()))
        if count:
            return ok(f"{count} are offered")
        return failed("none is offered", "see HEADSHOTS_GATEWAY_STYLES of the gateway")

    def _round_trip(self) -> Finding:
        """Of a call that asks for little, over a connection that is open."""
        taken = []
        with self._client() as client:
            client.get_tenant()
            for _ in range(_CALLS):
                begun = time.perf_counter()
                client.get_tenant()
                taken.append(time.perf_counter() - begun)
        return ok(f"{_milliseconds(statistics.median(taken))} a call, the median of {_CALLS} GetTenant")

    def _client(self) -> Headshots:
        if not self._api_key:
            raise UnauthenticatedError("API_KEY_MISSING", "no API key is given")
        roots = read_roots(self._tls_ca)
        return Headshots(self._address, self._api_key, root_certificates=roots, timeout_seconds=SECONDS / 2)

    @property
    def _host(self) -> str:
        return host_of(self._address)

    @property
    def _port(self) -> int:
        return int(self._address.rpartition(":")[2])


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
