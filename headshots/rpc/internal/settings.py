"""The settings of the ports between services, the same for all of them: ``HEADSHOTS_INTERNAL_<FIELD>``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from headshots.errors import InvalidArgumentError
from headshots.rpc.internal.certificates import CertificateFiles
from headshots.rpc.internal.expiry import CertificatesInUse
from headshots.settings import Home, read_settings

_PREFIX = "HEADSHOTS_INTERNAL_"
_FILES = ("certificate_file", "certificate_key_file", "ca_file")
TLS_VARIABLES = tuple(_PREFIX + name.upper() for name in _FILES)
"""What has to be set for TLS, all or none."""


@dataclass(frozen=True)
class InternalSettings:
    """How the services of a deployment know each other."""

    key_file: Path
    """The secret that grants are signed with: one or two lines of 64 hexadecimal digits, the first of which signs; the
    same for all services. Default: `internal-key` in HEADSHOTS_HOME, made by the service that starts first."""
    certificate_file: Path | None = None
    """PEM file of the service's certificate, with the certificates that lead to the CA. Unset: no TLS, and internal
    ports listen on loopback only."""
    certificate_key_file: Path | None = None
    """PEM file of the certificate's key."""
    ca_file: Path | None = None
    """PEM file of the CA that signed the certificates of all services, and nobody else's."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> InternalSettings:
        """Read the environment.

        Raises:
            InvalidArgumentError: SETTING_INVALID: some of the three files of TLS are set, and not all.
        """
        settings = read_settings(cls, _PREFIX, environ, key_file=Home.from_environment(environ).internal_key_file)
        unset = [variable for name, variable in zip(_FILES, TLS_VARIABLES, strict=True) if not getattr(settings, name)]
        if 0 < len(unset) < len(_FILES):
            raise InvalidArgumentError(
                "SETTING_INVALID", f"TLS between services takes three files; set {' and '.join(unset)} as well"
            )
        return settings

    @property
    def has_certificates(self) -> bool:
        """Whether services speak TLS to each other."""
        return self.certificate_file is not None

    def certificates(self, *, server: bool) -> CertificatesInUse | None:
        """The certificates as their files hold them now; None without TLS.

        Raises:
            InvalidArgumentError: CERTIFICATE_INVALID.
        """
        files = self.certificate_files
        return None if files is None else CertificatesInUse(files, server=server)

    @property
    def certificate_files(self) -> CertificateFiles | None:
        """Where the certificates are; None without TLS."""
        if self.certificate_file is None or self.certificate_key_file is None or self.ca_file is None:
            return None
        return CertificateFiles(self.certificate_file, self.certificate_key_file, self.ca_file)
