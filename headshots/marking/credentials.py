"""Reads the certificate that manifests are signed with and its key, and tells whether they can before an image does."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from headshots.errors import InvalidArgumentError

_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}


@dataclass(frozen=True)
class Credentials:
    """``chain``: PEM of the certificate and of those up to its CA; ``key``: PEM; ``algorithm`` as C2PA has it."""

    chain: bytes
    key: bytes
    algorithm: str


def load_credentials(certificate: Path, key: Path) -> Credentials:
    """Read the two PEM files and hold them against each other.

    Raises:
        InvalidArgumentError: C2PA_CERTIFICATE_INVALID, naming what is wrong: unreadable, no PEM, expired or not valid
            yet, another key's, a key that C2PA has no algorithm for.
    """
    chain, key_pem = _read(certificate), _read(key)
    try:
        leaf = x509.load_pem_x509_certificates(chain)[0]
        private = serialization.load_pem_private_key(key_pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise invalid(f"{certificate} and {key} are not a certificate and a key without a password, in PEM") from error
    now = datetime.datetime.now(datetime.UTC)
    if now > leaf.not_valid_after_utc:
        raise invalid(f"{certificate} expired on {leaf.not_valid_after_utc:%Y-%m-%d %H:%M} UTC")
    if now < leaf.not_valid_before_utc:
        raise invalid(f"{certificate} is valid from {leaf.not_valid_before_utc:%Y-%m-%d %H:%M} UTC on")
    if private.public_key() != leaf.public_key():
        raise invalid(f"{key} is not the key of {certificate}")
    plain = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Credentials(chain, plain, _algorithm(private))


def ends_at(certificate: Path) -> float:
    """When a certificate that `load_credentials` takes ends, seconds since the epoch; raises as that one."""
    return x509.load_pem_x509_certificates(_read(certificate))[0].not_valid_after_utc.timestamp()


def invalid(what: str) -> InvalidArgumentError:
    """The error of credentials that cannot sign."""
    return InvalidArgumentError(
        "C2PA_CERTIFICATE_INVALID",
        f"{what}; set HEADSHOTS_MARKING_C2PA_CERTIFICATE and HEADSHOTS_MARKING_C2PA_KEY to a certificate for signing "
        "content and its key, or HEADSHOTS_MARKING_C2PA=false to sign no images",
    )


def _algorithm(key: PrivateKeyTypes) -> str:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(key, rsa.RSAPrivateKey):
        return "ps256"
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVES:
        return _CURVES[key.curve.name]
    raise invalid("C2PA signs with keys of P-256, P-384, P-521, Ed25519 or RSA, and this is none of them")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise invalid(f"{file} cannot be read: {error.strerror}") from error
