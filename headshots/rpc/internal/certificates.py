"""Reads the certificate of a service, its key and the CA of all, and tells whether they can work before a peer does."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from headshots.errors import HeadshotsError, InvalidArgumentError

_ROUNDS = 8
_READS = 3


# Python has no name for OpenSSL's X509_V_FLAG_NO_CHECK_TIME, nor for the code of its X509_V_ERR_CERT_HAS_EXPIRED.
_WHENEVER = ssl.VerifyFlags(0x200000)
_HAS_EXPIRED = 10


@dataclass(frozen=True)
class Certificates:
    """PEM texts: the service's certificate with what leads to the CA, its key, and the CA's certificates.

    ``ends_at``: when the service's certificate ends, seconds since the epoch; ``ca_ends_at``: the last of the CA's.
    """

    chain: bytes
    key: bytes
    ca: bytes
    ends_at: float
    ca_ends_at: float


@dataclass(frozen=True)
class CertificateFiles:
    """Where the PEM files of a service are."""

    chain: Path
    key: Path
    ca: Path

    def __iter__(self) -> Iterator[Path]:
        return iter((self.chain, self.key, self.ca))

    def load(self, *, server: bool) -> Certificates:
        """Read the files and hold them against each other; ``server``: whether the service is called or calls.

        Raises:
            InvalidArgumentError: CERTIFICATE_INVALID, with what is wrong: unreadable, key and certificate do not fit,
                another CA, expired, not made for servers (or clients).
        """
        for _ in range(_READS):
            found = self._read()
            chain, key, ca = found
            try:
                ends = _shake_hands(self, ca, server=server)
            except (ssl.SSLError, OSError, ValueError) as error:
                if found == self._read():
                    raise self._invalid(self._reason(error, ca, server=server)) from error
                continue  # they were being replaced one after the other
            if found == self._read():
                return Certificates(chain, key, ca, *ends)
        raise self._invalid("they are being changed all the time")

    def ends_at(self, *, server: bool) -> float:
        """When the service's certificate ends, seconds since the epoch; `server` and errors as `load` has them."""
        return self.load(server=server).ends_at

    def _read(self) -> tuple[bytes, bytes, bytes]:
        try:
            return self.chain.read_bytes(), self.key.read_bytes(), self.ca.read_bytes()
        except OSError as error:
            raise self._invalid(f"{error.filename} cannot be read: {error.strerror}") from error

    def _reason(self, error: Exception, ca: bytes, *, server: bool) -> str:
        if isinstance(error, ssl.SSLCertVerificationError) and error.verify_code == _HAS_EXPIRED:
            try:
                ends_at, ca_ends_at = _shake_hands(self, ca, server=server, flags=_WHENEVER)
            except (ssl.SSLError, OSError, ValueError) as more:
                return _reason(more)
            path, ended = min((self.chain, ends_at), (self.ca, ca_ends_at), key=lambda end: end[1])
            return f"{path} has expired, on {utc(ended)}"
        return _reason(error)

    def _invalid(self, what: str) -> HeadshotsError:
        return InvalidArgumentError(
            "CERTIFICATE_INVALID",
            f"HEADSHOTS_INTERNAL_CERTIFICATE_FILE={self.chain}, _CERTIFICATE_KEY_FILE={self.key} and "
            f"_CA_FILE={self.ca} do not work together: {what}",
        )


def utc(seconds: float) -> str:
    """A time since the epoch as the log and errors tell it."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def _shake_hands(
    files: CertificateFiles, ca: bytes, *, server: bool, flags: ssl.VerifyFlags = ssl.VERIFY_DEFAULT
) -> tuple[float, float]:
    """Let both sides of a connection meet in memory; the one without a certificate of its own checks the other's.

    Returns when that one ends, and when the last of the CA's does, seconds since the epoch.

    Raises:
        ssl.SSLError, UnicodeDecodeError: what is wrong.
    """
    serving, calling = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # The name is the peer's to check: it knows which one it called.
    calling.check_hostname = False
    # A key with a password would be asked for at the terminal.
    serving.load_cert_chain(files.chain, files.key, password="")
    if server:
        calling.load_verify_locations(cadata=ca.decode("ascii"))
    else:
        calling.verify_mode = ssl.CERT_NONE
        calling.load_cert_chain(files.chain, files.key, password="")
        serving.verify_mode = ssl.CERT_REQUIRED
        serving.load_verify_locations(cadata=ca.decode("ascii"))
    checking = calling if server else serving
    checking.verify_flags |= flags
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    caller, answerer = calling.wrap_bio(to_client, to_server), serving.wrap_bio(to_server, to_client, server_side=True)
    sides = [caller, answerer]
    for _ in range(_ROUNDS):
        for side in list(sides):
            try:
                side.do_handshake()
                sides.remove(side)
            except ssl.SSLWantReadError:
                continue
    assert not sides, "a handshake in memory ends in two rounds"
    found = (caller if server else answerer).getpeercert()
    assert found, "a certificate was required"
    return _end(found), max(_end(each) for each in checking.get_ca_certs())


def _end(certificate: Any) -> float:
    return ssl.cert_time_to_seconds(str(certificate["notAfter"]))


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is refused: {error.verify_message}"
    if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
        return "the key is not the certificate's"
    if isinstance(error, UnicodeDecodeError):
        return "the CA's file is not PEM"
    return str(error)
