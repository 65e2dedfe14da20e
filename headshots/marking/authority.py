"""Makes an authority of this installation's own, where no certificate is mounted: nobody else trusts it yet.

The authority's key signs one certificate and is not kept. Whoever gets `authority.pem` can check the images; who renews
the certificate keeps the old file for the older ones.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import secrets
import shutil
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from headshots.errors import InvalidArgumentError
from headshots.settings import make_private

AUTHORITY, CERTIFICATE, KEY = "authority.pem", "certificate.pem", "key.pem"
_DAYS = 3650
_CLOCKS_DIFFER = datetime.timedelta(hours=1)


def own_authority(folder: Path) -> tuple[Path, Path]:
    """The certificate and the key in ``folder``; made with their authority where there is no such folder.

    Of services that start at once one makes it, and all use the same.

    Raises:
        InvalidArgumentError: C2PA_AUTHORITY_UNWRITABLE.
    """
    if not folder.exists():
        fresh = folder.with_name(f"{folder.name}.{os.getpid()}.{secrets.token_hex(4)}")
        try:
            make_private(fresh)
            _write(fresh)
            # Whole or not at all, and never in place of another service's.
            with contextlib.suppress(OSError):
                fresh.rename(folder)
        except OSError as error:
            raise InvalidArgumentError(
                "C2PA_AUTHORITY_UNWRITABLE",
                f"{folder} cannot be made: {error.strerror}; mount a certificate and its key "
                "(HEADSHOTS_MARKING_C2PA_CERTIFICATE, _C2PA_KEY), or let HEADSHOTS_HOME be a folder to write to",
            ) from error
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return folder / CERTIFICATE, folder / KEY


def _write(folder: Path) -> None:
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    name = _name(f"headshots {secrets.token_hex(4)}, own authority")
    authority = (
        _builder(name, name, authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    certificate = (
        _builder(_name("headshots image signer"), name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        # The purpose that C2PA asks of certificates for content.
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / AUTHORITY).write_bytes(authority.public_bytes(pem))
    (folder / CERTIFICATE).write_bytes(certificate.public_bytes(pem) + authority.public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with os.fdopen(os.open(folder / KEY, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(private)


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_DIFFER)
        .not_valid_after(now + datetime.timedelta(days=_DAYS))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(common: str) -> x509.Name:
    organization = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "headshots")
    return x509.Name([organization, x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
