"""Defines what callers write on resources to find them again, as the SDK takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Labelling:
    """Labels and an external id of the caller's own: what a new resource gets, or what a list is filtered by.

    `labels`: at most 32, keys of a-z, 0-9, _ and - that begin with a letter, at most 63 characters; values at most 128.
    A list has those with all of them. `external_id`: at most 128 characters, not unique; empty: none, or whichever.
    """

    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    external_id: str = ""
