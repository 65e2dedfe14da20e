"""Refuses times until which nobody can be kept. No SQL."""

from __future__ import annotations

from datetime import UTC, datetime

from headshots.errors import FieldViolation, InvalidArgumentError
from headshots.schema import MAX_RETENTION_SECONDS, MIN_RETENTION_SECONDS
from services.gateway.retention.models import OwnTerms

_TOLD = f"{MIN_RETENTION_SECONDS} (an hour) to {MAX_RETENTION_SECONDS} (400 days)"


def check_own(own: OwnTerms) -> None:
    """Returns where a subject and its photos may be kept for so long.

    Raises:
        InvalidArgumentError: RETENTION_INVALID.
    """
    if own.seconds:
        check_seconds("retention_seconds", own.seconds)
    check_part_seconds("photo_retention_seconds", own.photo_seconds)


def check_seconds(field: str, seconds: int) -> None:
    """Returns where a subject may be kept for so long.

    Raises:
        InvalidArgumentError: RETENTION_INVALID.
    """
    if not MIN_RETENTION_SECONDS <= seconds <= MAX_RETENTION_SECONDS:
        raise _invalid(field, f"{seconds} seconds; give {_TOLD}, or leave it out")


def check_part_seconds(field: str, seconds: int | None) -> None:
    """Returns where a part of a subject may be kept for so long; None: as long as the subject, 0: until a delivery.

    Raises:
        InvalidArgumentError: RETENTION_INVALID.
    """
    if seconds and not MIN_RETENTION_SECONDS <= seconds <= MAX_RETENTION_SECONDS:
        raise _invalid(field, f"{seconds} seconds; give 0, {_TOLD}, or leave it out")


def check_extension(now: float, present: float, wanted: float) -> None:
    """Returns where a subject that is kept until `present` may be kept until `wanted`.

    Raises:
        InvalidArgumentError: RETENTION_INVALID.
    """
    if wanted < present:
        told = f"comes before {_written(present)}, until when the subject is kept already"
        raise _invalid("expire_time", f"{told}; DeleteSubject erases it earlier")
    if wanted > now + MAX_RETENTION_SECONDS:
        told = f"is more than 400 days ahead; give a time until {_written(now + MAX_RETENTION_SECONDS)}"
        raise _invalid("expire_time", f"{told} and extend again later, or use HoldSubject")


def _invalid(field: str, rule: str) -> InvalidArgumentError:
    return InvalidArgumentError("RETENTION_INVALID", f"{field}: {rule}", violations=[FieldViolation(field, rule)])


def _written(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
