"""Checks the address and certificates of a gateway, and the key for it, before gRPC tries them.

gRPC itself would wait, report a port that the caller never gave, or fail in words of its own.
"""

from __future__ import annotations

import re
import ssl

from headshots.errors import InvalidArgumentError, UnauthenticatedError

# Names that gRPC resolves in ways of its own; see gRPC's naming document.
_GRPC_SCHEMES = ("dns:", "ipv4:", "ipv6:", "unix:", "unix-abstract:", "vsock:", "xds:", "google-c2p:", "passthrough:")
_HOST_AND_PORT = re.compile(r"([^:/\[\]\s]+|\[[0-9A-Fa-f:.%a-z]+\]):([0-9]{1,5})")


def check_address(address: str) -> None:
    """Check that an address is `host:port`, or of one of gRPC's own schemes.

    Raises:
        InvalidArgumentError: ADDRESS_INVALID.
    """
    if address.startswith(_GRPC_SCHEMES):
        return
    scheme, found, rest = address.partition("://")
    if found:
        tls = (
            "; TLS is where root certificates are given (--tls-ca FILE, or --tls-ca system)"
            if scheme == "https"
            else ""
        )
        raise InvalidArgumentError(
            "ADDRESS_INVALID", f"{address!r} is a URL; a gateway's address is host:port, as in {rest.strip('/')}{tls}"
        )
    match = _HOST_AND_PORT.fullmatch(address)
    if match is None or not 1 <= int(match[2]) <= 65535:
        raise InvalidArgumentError(
            "ADDRESS_INVALID",
            f"{address!r} is not host:port; a gateway listens on port 50051 unless it was told otherwise, as in "
            "localhost:50051",
        )


def check_api_key(api_key: str) -> None:
    """Check that a key can be sent: gRPC takes printable ASCII only.

    Raises:
        UnauthenticatedError: API_KEY_INVALID.
    """
    if not (api_key.isascii() and api_key.isprintable()):
        raise UnauthenticatedError(
            "API_KEY_INVALID",
            "the API key holds a character that no key has, such as a line break or an ellipsis; give the whole key "
            "that `headshots keys create` printed, and nothing else",
        )


def check_certificates(pem: bytes) -> None:
    """Check that TLS can read the certificates of the authorities to trust.

    Raises:
        InvalidArgumentError: CERTIFICATES_INVALID.
    """
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=pem.decode("ascii"))
    except (ValueError, ssl.SSLError) as error:
        raise InvalidArgumentError(
            "CERTIFICATES_INVALID",
            "the authorities to trust are no certificates in PEM form (-----BEGIN CERTIFICATE-----); leave them out to "
            "connect without TLS",
        ) from error
