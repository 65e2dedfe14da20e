"""Reads the certificate of a service, its key and the CA of all, and tells whether they can work before a peer does."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from headshots.errors import HeadshotsError, InvalidArgumentError

_ROUNDS = 8
_READS = 3


@dataclass(frozen=True)
class Certificates:
    """PEM texts: the service's certificate with what leads to the CA, its key, and the CA's certificates."""

    chain: bytes
    key: bytes
    ca: bytes


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
            try:
                _shake_hands(self, found.ca, server=server)
            except (ssl.SSLError, OSError, ValueError) as error:
                if found == self._read():
                    raise self._invalid(_reason(error)) from error
                continue  # they were being replaced one after the other
            if found == self._read():
                return found
        raise self._invalid("they are being changed all the time")

    def ends_at(self, *, server: bool) -> float:
        """When the service's certificate ends, seconds since the epoch; `server` and errors as `load` has them."""
        return _shake_hands(self, self.load(server=server).ca, server=server)

    def _read(self) -> Certificates:
        try:
            return Certificates(*(path.read_bytes() for path in self))
        except OSError as error:
            raise self._invalid(f"{error.filename} cannot be read: {error.strerror}") from error

    def _invalid(self, what: str) -> HeadshotsError:
        return InvalidArgumentError(
            "CERTIFICATE_INVALID",
            f"HEADSHOTS_INTERNAL_CERTIFICATE_FILE={self.chain}, _CERTIFICATE_KEY_FILE={self.key} and "
            f"_CA_FILE={self.ca} do not work together: {what}",
        )


def _shake_hands(files: CertificateFiles, ca: bytes, *, server: bool) -> float:
    """Let both sides of a connection meet in memory; the one without a certificate of its own checks the other's.

    Returns when that one ends, seconds since the epoch.

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
    return ssl.cert_time_to_seconds(str(found["notAfter"]))


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is refused: {error.verify_message}"
    if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
        return "the key is not the certificate's"
    if isinstance(error, UnicodeDecodeError):
        return "the CA's file is not PEM"
    return str(error)
