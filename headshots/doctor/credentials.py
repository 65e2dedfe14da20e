"""Looks at keys and certificates: whether they can be read and work together, and for how long."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from headshots.doctor.findings import Finding, ok, skipped, warning
from headshots.doctor.places import first_start_makes
from headshots.doctor.running import Check
from headshots.rpc.internal.secret import Secret
from headshots.rpc.internal.settings import InternalSettings

LEAST_DAYS = 14
"""That a certificate should still be valid for."""
_DAY_SECONDS = 86400


def internal_checks(settings: InternalSettings, *, server: bool) -> list[Check]:
    """Of the secret and the certificates of internal calls; `server`: whether this service is called, or calls."""
    return [
        Check(
            "internal key",
            lambda: key_file(settings.key_file, lambda: Secret(settings.key_file), "the secret of internal calls"),
            "give all services the same file (HEADSHOTS_INTERNAL_KEY_FILE; docs/operations.md, Inside)",
        ),
        Check(
            "internal TLS",
            lambda: _certificates(settings, server=server),
            "make certificates, key and CA anew and mount all three (docs/operations.md, Inside)",
        ),
    ]


def key_file(file: Path, load: Callable[[], object], what: str) -> Finding:
    """Whether a file that holds a key can be used; `load` raises where it cannot, and would make it where it is not."""
    if not file.exists():
        return first_start_makes(file, what)
    load()
    return ok(f"{file} holds {what}")


def days_left(what: str, ends_at: float, cure: str) -> Finding:
    """Of a certificate that is valid now; `ends_at`: seconds since the epoch."""
    days = (ends_at - time.time()) / _DAY_SECONDS
    seen = f"{what} is valid until {datetime.fromtimestamp(ends_at, UTC):%Y-%m-%d %H:%M} UTC, {days:.0f} days"
    return ok(seen) if days >= LEAST_DAYS else warning(seen, cure)


def _certificates(settings: InternalSettings, *, server: bool) -> Finding:
    files = settings.certificate_files
    if files is None:
        return skipped("no certificates are set: internal ports listen on this machine only")
    ends_at = files.ends_at(server=server)
    return days_left(
        f"the certificate in {files.chain}",
        ends_at,
        "renew it now; services take the new files without a restart (docs/operations.md, Inside)",
    )
