"""Builds the error for a resource that does not exist."""

from __future__ import annotations

from headshots.errors import NotFoundError


def not_found(reason: str, name: str, *, listed_by: str) -> NotFoundError:
    """There is no resource `name`; the RPC `listed_by` lists those that the caller has."""
    message = f"there is no {name}; {listed_by} shows those there are"
    return NotFoundError(reason, message, metadata={"name": name})
