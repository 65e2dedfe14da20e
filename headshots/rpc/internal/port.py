"""Closes an internal port: who may connect, and what their calls may do."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import grpc

from headshots.errors import InvalidArgumentError
from headshots.rpc.internal.certificates import Certificates
from headshots.rpc.internal.expiry import export_expiry
from headshots.rpc.internal.guard import GrantInterceptor
from headshots.rpc.internal.secret import Secret
from headshots.rpc.internal.settings import TLS_VARIABLES, InternalSettings

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


@dataclass(frozen=True)
class InternalPort:
    """A port for our own services. ``audience``: this service, as grants name it."""

    audience: str
    settings: InternalSettings

    def check_host(self, host: str, variable: str) -> None:
        """Whether the port may open on ``host``, which ``variable`` sets; before anything that takes time.

        Raises:
            InvalidArgumentError: INTERNAL_PORT_OPEN.
        """
        if not self.settings.has_certificates and not is_loopback(host):
            raise InvalidArgumentError(
                "INTERNAL_PORT_OPEN",
                f"{variable}={host} opens a port for our own services to the network, where it needs mutual TLS: "
                f"set {', '.join(TLS_VARIABLES)} (docs/operations.md, Inside), or {variable}=127.0.0.1",
            )

    def guard(self) -> GrantInterceptor:
        """What holds calls to their grants.

        Raises:
            InvalidArgumentError: INTERNAL_KEY_INVALID.
        """
        return GrantInterceptor(self.audience, Secret(self.settings.key_file))

    def credentials(
        self, host: str, variable: str, registry: CollectorRegistry | None = None
    ) -> grpc.ServerCredentials | None:
        """The credentials of a server on ``host``, which ``variable`` sets; None where that is loopback without TLS.

        Clients need a certificate of the same CA. Files that change are taken at the next connection. ``registry`` gets
        the metric that tells when the certificates end.

        Raises:
            InvalidArgumentError: INTERNAL_PORT_OPEN, CERTIFICATE_INVALID.
        """
        self.check_host(host, variable)
        certificates = self.settings.certificates(server=True)
        if certificates is None:
            return None
        if registry is not None:
            export_expiry(registry, certificates)
        return grpc.dynamic_ssl_server_credentials(
            _configuration(certificates.current()),
            lambda: _configuration(certificates.current()),
            require_client_authentication=True,
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server on ``host``."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _configuration(found: Certificates) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration([(found.key, found.chain)], root_certificates=found.ca)
