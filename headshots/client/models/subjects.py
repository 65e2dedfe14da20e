"""Defines tenants, subjects and adapters as the SDK hands them out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Tenant:
    """The customer that the API key names."""

    name: str
    display_name: str
    create_time: datetime | None


@dataclass(frozen=True)
class Adapter:
    """A subject's LoRA in the server's object store; `sha256` identifies it everywhere."""

    sha256: str
    key: str
    foundation_digest: str
    rank: int
    trigger: str
    size_bytes: int
    kohya_key: str
    manifest_key: str


@dataclass(frozen=True)
class Subject:
    """A person. `adapter` is what galleries use: that of the newest successful training."""

    name: str
    display_name: str
    class_noun: str
    create_time: datetime | None
    photo_count: int
    adapter: Adapter | None
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    external_id: str = ""


SubjectRef = Subject | str
