"""Compares what was measured with a limit."""

from __future__ import annotations

from headshots.acceptance.verdict import Check


def at_least(reason: str, measured: float, limit: float, message: str) -> Check:
    """Passes from the limit upwards."""
    return Check(reason, measured >= limit, measured, limit, message)


def at_most(reason: str, measured: float, limit: float, message: str) -> Check:
    """Passes up to the limit."""
    return Check(reason, measured <= limit, measured, limit, message)


def unmeasured(reason: str, message: str) -> Check:
    """Never passes."""
    return Check(reason, False, None, None, message)
