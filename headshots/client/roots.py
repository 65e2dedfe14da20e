"""Finds the certificates of the authorities that a client trusts: given, or those of this machine."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

from headshots.client.target import check_certificates
from headshots.errors import InvalidArgumentError

SYSTEM: Final = "system"
"""In place of certificates: trust those that this machine trusts."""
RootCertificates = bytes | Literal["system"] | None
# As OpenSSL names certificates in a folder: a hash of the subject, and a number.
_HASHED = re.compile(r"[0-9a-f]{8}\.\d+")
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def trusted_roots(given: RootCertificates) -> bytes | None:
    """PEM of the authorities to trust; None: no TLS.

    Raises:
        InvalidArgumentError: CERTIFICATES_INVALID, CERTIFICATES_MISSING.
    """
    if given == SYSTEM:
        return system_roots()
    if given is None:
        return None
    if isinstance(given, bytes):
        check_certificates(given)
        return given
    raise InvalidArgumentError(
        "CERTIFICATES_INVALID",
        f"root_certificates is {given!r}; give the bytes of PEM, {SYSTEM!r} for those that this machine trusts, or "
        "None to connect without TLS",
    )


def read_roots(file: str | None) -> RootCertificates:
    """What an option of the command line names: the PEM in a file, or `system`.

    Raises:
        OSError: the file cannot be read.
    """
    if file is None:
        return None
    return SYSTEM if file == SYSTEM else Path(file).read_bytes()


def system_roots() -> bytes:
    """PEM of the authorities that this machine trusts. gRPC's own bundle is never taken.

    Where SSL_CERT_FILE or SSL_CERT_DIR is set, what they name and nothing else. Otherwise OpenSSL's file, or where that
    is missing its folder; on Windows the system's store.

    Raises:
        InvalidArgumentError: CERTIFICATES_MISSING: there are none. CERTIFICATES_INVALID: what is there is not PEM.
    """
    files = list(_files())
    found = [certificate for file in files for certificate in _CERTIFICATE.findall(_read(file))]
    if not found and os.name == "nt" and not files:
        found = [ssl.DER_cert_to_PEM_cert(der).encode() for der in ssl.create_default_context().get_ca_certs(True)]
    if not found:
        looked = ", ".join(map(str, files)) or ssl.get_default_verify_paths().openssl_cafile
        raise InvalidArgumentError(
            "CERTIFICATES_MISSING",
            f"this machine has no authorities to trust: {looked} holds no certificate; install the system's, as by "
            "`apt-get install ca-certificates`, or name a PEM file by SSL_CERT_FILE",
        )
    # Folders have many certificates twice.
    pem = b"\n".join(dict.fromkeys(found)) + b"\n"
    check_certificates(pem)
    return pem


def _files() -> Iterator[Path]:
    paths = ssl.get_default_verify_paths()
    # Only where they are set do these say what a person wants; `ssl` leaves out what is not there without a word.
    file, folder = (os.environ.get(name) for name in (paths.openssl_cafile_env, paths.openssl_capath_env))
    if file or folder:
        yield from [Path(file)] if file else []
        yield from _hashed(Path(folder)) if folder else []
    elif paths.cafile:
        yield Path(paths.cafile)
    elif paths.capath:
        yield from _hashed(Path(paths.capath))


def _hashed(folder: Path) -> list[Path]:
    try:
        return sorted(each for each in folder.iterdir() if _HASHED.fullmatch(each.name))
    except OSError as error:
        raise _unreadable(folder, error) from error


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise _unreadable(file, error) from error


def _unreadable(path: Path, error: OSError) -> InvalidArgumentError:
    return InvalidArgumentError(
        "CERTIFICATES_MISSING",
        f"the authorities to trust cannot be read from {path}: {error.strerror}; correct SSL_CERT_FILE or "
        "SSL_CERT_DIR, or leave them unset",
    )
