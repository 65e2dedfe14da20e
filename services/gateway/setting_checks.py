"""Holds the gateway's settings against what they may be."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from headshots.acceptance.safety import UNSAFE_IMAGES
from headshots.errors import InvalidArgumentError
from headshots.event_loop import EVENT_LOOPS
from headshots.faces import ANALYZERS
from headshots.imaging.content import MINORS
from headshots.leases import LONGEST_SECONDS
from services.gateway.erasures.issuing import MAX_HORIZON_DAYS
from services.gateway.peers.addresses import check_address

_AT_LEAST_ONE = (
    "audit_keep_days",
    "calls_per_tenant",
    "erasure_log_keep_days",
    "photo_decoders",
    "photo_min_side_px",
    "preview_every",
    "shot_max_attempts",
    "shots_in_flight",
    "uploads_at_once",
    "uploads_per_tenant",
    "watches_per_tenant",
)

_ABOVE_ZERO = (
    "generator_poll_seconds",
    "photo_cpu_seconds",
    "promised_shoot_seconds",
    "upload_bytes_per_second",
    "upload_idle_seconds",
    "upload_seconds",
)
_ADDRESSES = ("trainer_address", "generator_address")
_CHOICES = {"event_loop": EVENT_LOOPS, "faces": ANALYZERS, "minors": MINORS, "unsafe_images": UNSAFE_IMAGES}
_MAX_AUTHORITY_BYTES = 32 * 1024


class _Numbers(Protocol):
    """The numbers that are held against others."""

    @property
    def shot_lease_seconds(self) -> float:
        """See `GatewaySettings`."""

    @property
    def backup_horizon_days(self) -> int:
        """See `GatewaySettings`."""

    @property
    def erasure_log_keep_days(self) -> int:
        """See `GatewaySettings`."""


def check_numbers(settings: _Numbers) -> None:
    """Refuses numbers that are too small or too large.

    Raises:
        InvalidArgumentError: SETTING_INVALID, naming the variable.
    """
    for name in _AT_LEAST_ONE:
        if getattr(settings, name) < 1:
            raise _invalid(name, "must be at least 1")
    for name in _ABOVE_ZERO:
        if getattr(settings, name) <= 0:
            raise _invalid(name, "must be above 0")
    if not 0 < settings.shot_lease_seconds <= LONGEST_SECONDS / 2:
        raise _invalid("shot_lease_seconds", f"must be above 0 and at most {LONGEST_SECONDS / 2:.0f}")
    most = min(MAX_HORIZON_DAYS, settings.erasure_log_keep_days)
    if not 0 <= settings.backup_horizon_days <= most:
        raise _invalid("backup_horizon_days", f"must be 0 to {most}; more needs a larger ERASURE_LOG_KEEP_DAYS")


def _invalid(name: str, why: str) -> InvalidArgumentError:
    return InvalidArgumentError("SETTING_INVALID", f"HEADSHOTS_GATEWAY_{name.upper()} {why}")


def check_words(settings: object) -> None:
    """Refuses values that are none of the choices, and addresses that are none.

    Raises:
        InvalidArgumentError: SETTING_INVALID, naming the variable.
    """
    for name in _ADDRESSES:
        check_address(f"HEADSHOTS_GATEWAY_{name.upper()}", getattr(settings, name))
    for name, choices in _CHOICES.items():
        if (value := getattr(settings, name)) not in choices:
            text = f"HEADSHOTS_GATEWAY_{name.upper()}={value!r} is none of {', '.join(choices)}"
            raise InvalidArgumentError("SETTING_INVALID", text)


def check_authority(file: Path, *, is_own: bool) -> None:
    """Refuses a file of authorities that is too large, or is not there; the installation's own may be made later.

    Raises:
        InvalidArgumentError: SETTING_INVALID.
    """
    if not file.is_file() and not is_own:
        why = "is no file"
    elif file.is_file() and file.stat().st_size > _MAX_AUTHORITY_BYTES:
        why = f"has more than {_MAX_AUTHORITY_BYTES} bytes"
    else:
        return
    raise InvalidArgumentError("SETTING_INVALID", f"HEADSHOTS_GATEWAY_AUTHORITY_FILE: {file} {why}")
