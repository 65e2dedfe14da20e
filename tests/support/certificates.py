"""Makes CAs and certificates with openssl, as cert-manager would write them."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import time

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from headshots.rpc.internal.settings import InternalSettings
from tests.support.grants import KEY_FILE

NAMES = "DNS:localhost,DNS:generator,DNS:trainer,IP:127.0.0.1"
_EXTENSIONS = """
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[both]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = serverAuth, clientAuth
subjectAltName = {names}
[server]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = serverAuth
subjectAltName = {names}
[content]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = emailProtection
authorityKeyIdentifier = keyid
[client]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = clientAuth
subjectAltName = {names}
"""


@dataclass(frozen=True)
class Authority:
    """A CA in a folder of its own."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> Authority:
        folder.mkdir()
        made = cls(folder)
        made._request("ca", "an authority")
        made._sign("ca", "ca", ["-signkey", str(folder / "ca.key")], days=2, names=NAMES)
        return made

    def issue(self, folder: Path, *, kind: str = "both", days: int = 1, names: str = NAMES) -> Path:
        """Write tls.crt, tls.key and ca.crt into the folder, in place of those that are there.

        ``kind``: for servers, clients, both or content (to sign it); ``days`` below 0 has expired.
        """
        folder.mkdir(exist_ok=True)
        self._request("leaf", "a service")
        ca = ["-CA", str(self.folder / "ca.crt"), "-CAkey", str(self.folder / "ca.key"), "-CAcreateserial"]
        self._sign("leaf", kind, ca, days=days, names=names)
        self._lay_out(folder)
        return folder

    def issue_until(self, folder: Path, ends_at: float) -> Path:
        """As `issue`, with a certificate that ends at this second since the epoch, which openssl's days cannot say."""
        self.issue(folder)
        leaf, key = self.folder / "leaf.crt", (self.folder / "ca.key").read_bytes()
        issued = x509.load_pem_x509_certificate(leaf.read_bytes())
        ends, begins = (datetime.fromtimestamp(seconds, UTC) for seconds in (ends_at, min(ends_at, time()) - 3600))
        builder = x509.CertificateBuilder(issued.issuer, issued.subject, issued.public_key(), issued.serial_number)
        builder = builder.not_valid_before(begins).not_valid_after(ends)
        for extension in issued.extensions:
            builder = builder.add_extension(extension.value, extension.critical)
        signed = builder.sign(load_pem_private_key(key, None), SHA256())  # type: ignore[arg-type]
        leaf.write_bytes(signed.public_bytes(Encoding.PEM))
        self._lay_out(folder)
        return folder

    def _lay_out(self, folder: Path) -> None:
        for source, name in (("leaf.crt", "tls.crt"), ("leaf.key", "tls.key"), ("ca.crt", "ca.crt")):
            fresh = folder / f"{name}.fresh"
            fresh.write_bytes((self.folder / source).read_bytes())
            fresh.replace(folder / name)

    def _request(self, name: str, subject: str) -> None:
        key, request = str(self.folder / f"{name}.key"), str(self.folder / f"{name}.csr")
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        _openssl("req", "-new", *curve, "-nodes", "-keyout", key, "-out", request, "-subj", f"/CN={subject}")

    def _sign(self, name: str, section: str, signer: list[str], *, days: int, names: str) -> None:
        extensions = self.folder / "extensions"
        extensions.write_text(_EXTENSIONS.format(names=names))
        files = ["-in", str(self.folder / f"{name}.csr"), "-out", str(self.folder / f"{name}.crt")]
        _openssl(
            "x509", "-req", *files, *signer, "-days", str(days), "-extfile", str(extensions), "-extensions", section
        )


def settings_with(certificates: Path, home: Path) -> InternalSettings:
    """Settings of a service in this home with the certificates of that folder."""
    return InternalSettings(
        home / KEY_FILE, certificates / "tls.crt", certificates / "tls.key", certificates / "ca.crt"
    )


def _openssl(*arguments: str) -> None:
    found = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
