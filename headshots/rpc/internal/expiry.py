"""Tells when the certificates between services end: in the log once they have, and as a metric all the time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from headshots.rpc.internal.certificates import CertificateFiles, Certificates, utc
from headshots.rpc.internal.reloading import Reloaded

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Gauge

CERTIFICATES = ("own", "ca")
"""Whose end the metric tells: the service's certificate, and the last of those in the CA's file."""
_LOG = logging.getLogger(__name__)


class CertificatesInUse:
    """A service's certificates as their files hold them now. May be used from any thread."""

    def __init__(self, files: CertificateFiles, *, server: bool, clock: Callable[[], float] = time.time) -> None:
        """``server`` and errors as :meth:`CertificateFiles.load` has them; ``clock``: seconds since the epoch."""
        self._files, self._clock = files, clock
        self._reloaded = Reloaded("the certificates of internal calls", list(files), lambda: files.load(server=server))
        self._told = 0.0

    def current(self) -> Certificates:
        """The newest ones that can work, for a new connection.

        They may have ended since they were read: connections that stand go on, and peers refuse new ones, so that is
        told in the log, once, and the same files are given all the same: it is the peers' clocks that decide.
        """
        found = self._reloaded.current()
        ended = min(found.ends_at, found.ca_ends_at)
        if self._clock() >= ended != self._told:
            self._told = ended
            _LOG.error(
                "%s expired on %s, and peers refuse new connections: renew it (docs/operations.md, Inside); "
                "the new file is taken without a restart",
                self._files.chain if ended == found.ends_at else self._files.ca,
                utc(ended),
            )
        return found

    def ends(self) -> dict[str, float]:
        """When each of `CERTIFICATES` ends, seconds since the epoch."""
        found = self._reloaded.current()
        return dict(zip(CERTIFICATES, (found.ends_at, found.ca_ends_at), strict=True))


def export_expiry(registry: CollectorRegistry, certificates: CertificatesInUse) -> None:
    """Have Prometheus told when they end."""
    gauge = expiry_gauge(registry)
    for name in CERTIFICATES:
        gauge.labels(name).set_function(partial(_end, certificates, name))


def expiry_gauge(registry: CollectorRegistry) -> Gauge:
    """The metric, in seconds since the epoch, without a value for any of `CERTIFICATES` yet."""
    # Not before: a client's machine reads the settings of internal ports, and has no metrics.
    from prometheus_client import Gauge

    return Gauge(
        "headshots_internal_certificate_expiry_timestamp_seconds",
        "When a certificate between services ends: the service's own, the last of the CA's.",
        ("certificate",),
        registry=registry,
    )


def _end(certificates: CertificatesInUse, name: str) -> float:
    return certificates.ends()[name]
